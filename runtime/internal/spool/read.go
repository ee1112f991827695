// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"io"
	"os"
)

// Next reads the oldest record that was not acknowledged, into memory that is
// its reader's until the next call, and says how many rows before it could not
// be read. The reader calls Ack before it calls Next again. io.EOF says that
// there is none; rows may have been lost before that all the same.
func (l *Log) Next() (r Record, damaged uint64, err error) {
	for {
		v, ok := l.look()
		if !ok {
			return Record{}, damaged + v.lost, io.EOF
		}
		h, at, err := l.step(&v)
		if err != nil {
			damaged += l.leave(&v)
			continue
		}
		if h.number < v.next.number || h.position < v.next.position || h.number >= v.limit.number || h.position+h.rows > v.limit.position {
			l.body = l.scan.skip(at, l.body) // came already, or does not belong here
			continue
		}
		if h.number > v.next.number && !l.scan.sorted {
			l.scan.sort(at, v.next.number) // what is missing may stand further down
			continue
		}
		r, l.body, err = l.scan.body(at, l.body)
		if err != nil {
			continue // the next one that can be read says how many rows are missing
		}
		if lost, ok := l.hold(&v, &h); ok {
			return r, damaged + lost, nil
		}
	}
}

// view is the log as the reader sees it during a step.
type view struct {
	segment *segment
	size    int64 // of it
	last    bool  // it is being appended to
	next    place
	limit   place // the end of what it may hold
	lost    uint64
}

// look is where the reader is; false when nothing is left to be read.
func (l *Log) look() (view, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.next.number >= l.end.number || len(l.segments) == 0 {
		for len(l.segments) > 0 && l.segments[0] != l.active {
			l.removeOldest()
		}
		return view{lost: l.giveUp(l.next, l.end)}, false
	}
	g := l.segments[0]
	v := view{segment: g, size: g.size, last: g == l.active, next: l.next, limit: l.end}
	for _, behind := range l.segments[1:] {
		if behind.first.number > g.first.number { // an equal one is a copy
			v.limit = behind.first
			break
		}
	}
	return v, true
}

// leave ends the reading of a segment that has nothing more, and says how many
// rows are missing for good.
func (l *Log) leave(v *view) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if v.last {
		return l.giveUp(v.next, v.limit)
	}
	if len(l.segments) > 0 && l.segments[0] == v.segment {
		l.total -= v.segment.size
		l.segments = l.segments[1:]
		remove(v.segment.path)
	}
	return 0
}

// giveUp skips what should be between two places and is not. mu is held.
func (l *Log) giveUp(next, end place) uint64 {
	if l.next != next || l.held.number != 0 {
		return 0
	}
	l.next = next.later(end)
	return l.next.position - next.position
}

// hold notes that the record h is being shipped, and says how many rows are
// missing before it; false when its segment was dropped meanwhile.
func (l *Log) hold(v *view, h *head) (lost uint64, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.next != v.next {
		return 0, false
	}
	l.next = place{h.number, h.position}
	l.held = heldRecord{l.next, h.rows}
	return h.position - v.next.position, true
}

// step finds the next head in a segment.
func (l *Log) step(v *view) (head, int64, error) {
	if cap(l.body) > 1<<20 {
		l.body = nil
	}
	if l.reading != v.segment {
		if l.source != nil {
			l.source.Close()
		}
		l.reading, l.source = nil, nil
		f, err := os.Open(v.segment.path)
		if err != nil {
			return head{}, 0, err
		}
		l.reading, l.source = v.segment, f
		l.scan = scanner{f: f, id: l.id}
		if _, _, ok := readHeader(f); ok {
			l.scan.off = headerSize
		}
	}
	l.scan.end = v.size
	at, err := l.scan.next()
	return l.scan.head, at, err
}

// Ack says that the record that was read is not needed any more.
func (l *Log) Ack() error {
	l.mu.Lock()
	if l.held.number != 0 && l.next.number == l.held.number {
		l.next = place{l.held.number + 1, l.held.position + l.held.rows}
	}
	l.held = heldRecord{}
	l.mu.Unlock()
	err := l.writeState()
	if err == nil && l.o.Sync == SyncAlways {
		err = l.syncState()
	}
	return err
}
