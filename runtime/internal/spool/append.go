// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Append puts records at the end of the log, all of them or none, and says how
// many rows it had to drop to make room. With hold the first is taken as read
// by Next: its reader has it already, and acknowledges it.
func (l *Log) Append(records []Record, hold bool) (dropped uint64, err error) {
	l.mu.Lock()
	begin := l.end
	l.mu.Unlock()
	end := begin
	l.out = l.out[:0]
	for i := range records {
		r := &records[i]
		if !r.fits() {
			return 0, ErrTooLarge
		}
		l.out = appendRecord(l.out, l.id, end.number, end.position, r)
		end = place{end.number + 1, end.position + r.Rows}
	}
	for {
		more, err := l.makeRoom(int64(len(l.out)) + headerSize)
		dropped += more
		if err == nil {
			err = l.write(begin)
		}
		if err == nil {
			break
		}
		if errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) {
			if more, gone := l.giveWay(); gone {
				dropped += more
				continue
			}
		}
		return dropped, fmt.Errorf("spool %s: %w", l.o.Dir, err)
	}
	l.mu.Lock()
	l.active.size += int64(len(l.out))
	l.total += int64(len(l.out))
	l.end = end
	if hold && len(records) > 0 {
		l.held = heldRecord{begin, records[0].Rows}
	}
	l.mu.Unlock()
	if cap(l.out) > 4<<20 {
		l.out = nil
	}
	l.touch()
	return dropped, nil
}

// write writes l.out at the end of the last segment, and begins another one
// where that is full. After an error nothing of it is left.
func (l *Log) write(first place) error {
	if l.active != nil && l.active.size >= l.segmentSize {
		if err := l.finish(); err != nil {
			return err
		}
	}
	if l.active == nil {
		if err := l.begin(first); err != nil {
			return err
		}
	}
	_, err := l.file.WriteAt(l.out, l.active.size)
	l.unsynced = true
	if err == nil && l.o.Sync <= SyncAlways {
		err = l.sync()
	}
	if err == nil {
		return nil
	}
	if l.file.Truncate(l.active.size) != nil {
		// What is behind the end must not be taken for records by the next process.
		_, _ = l.file.WriteAt(make([]byte, headSize), l.active.size)
		l.abandon()
	}
	return err
}

// begin makes a segment.
func (l *Log) begin(first place) error {
	g := &segment{path: segmentPath(l.o.Dir, first.number), first: first, size: headerSize}
	for n := 1; ; n++ {
		f, err := os.OpenFile(g.path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
		if errors.Is(err, os.ErrExist) && n < 1000 {
			// Left behind by a write that failed, or copied there by somebody.
			g.path = fmt.Sprintf("%s.%03d%s", segmentPath(l.o.Dir, first.number), n, suffix)
			continue
		}
		if err != nil {
			return err
		}
		_, err = f.WriteAt(appendHeader(nil, l.id, first), 0)
		if err == nil && l.o.Sync != SyncNever {
			err = l.dir.Sync()
		}
		if err != nil {
			return errors.Join(err, f.Close(), os.Remove(g.path))
		}
		l.file, l.unsynced = f, true
		break
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.active = g
	l.segments = append(l.segments, g)
	l.total += g.size
	return nil
}

// finish ends the last segment, which is full.
func (l *Log) finish() error {
	if l.unsynced && l.o.Sync != SyncNever {
		if err := l.sync(); err != nil {
			return err
		}
	}
	l.abandon()
	return nil
}

// abandon makes the next record begin another segment.
func (l *Log) abandon() {
	l.mu.Lock()
	l.active = nil
	l.mu.Unlock()
	if l.file != nil {
		l.file.Close()
	}
	l.file, l.unsynced = nil, false
}

// makeRoom drops the oldest segments until n more bytes may come.
func (l *Log) makeRoom(n int64) (dropped uint64, err error) {
	for {
		l.mu.Lock()
		full, last := l.total+n > l.o.Max, len(l.segments) > 0 && l.segments[0] == l.active
		read := last && l.next == l.end && l.held.number == 0
		none := len(l.segments) == 0
		l.mu.Unlock()
		switch {
		case !full:
			return dropped, nil
		case none:
			return dropped, ErrTooLarge
		case l.o.KeepOldest && !read:
			return dropped, ErrFull
		case last:
			l.abandon()
		}
		l.mu.Lock()
		dropped += l.removeOldest()
		l.mu.Unlock()
	}
}

// giveWay removes a segment to make room on a disk that is full; false when
// there is none to remove.
func (l *Log) giveWay() (dropped uint64, gone bool) {
	l.mu.Lock()
	read := len(l.segments) == 1 && l.next == l.end && l.held.number == 0 && l.segments[0].size > headerSize
	older := len(l.segments) > 1 && !l.o.KeepOldest
	l.mu.Unlock()
	if !read && !older {
		return 0, false
	}
	if read {
		l.abandon()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.removeOldest(), true
}

// removeOldest removes the first segment, and says how many rows in it were
// neither acknowledged nor are held. mu is held.
func (l *Log) removeOldest() (dropped uint64) {
	g, to := l.segments[0], l.end
	l.segments = l.segments[1:]
	if len(l.segments) > 0 {
		to = l.segments[0].first
	}
	l.total -= g.size
	remove(g.path)
	if to.number <= l.next.number {
		return 0
	}
	to.position = max(to.position, l.next.position)
	dropped = to.position - l.next.position
	if l.held.number >= l.next.number && l.held.number < to.number {
		dropped -= min(dropped, l.held.rows)
	}
	l.next = to
	return dropped
}

// remove removes a segment. If it stays, its records are known to have come
// already. The reader may have it open, and its room must be free all the same.
func remove(path string) {
	_ = os.Truncate(path, 0)
	_ = os.Remove(path)
}

// sync waits for the disk.
func (l *Log) sync() error {
	if err := unix.Fdatasync(int(l.file.Fd())); err != nil {
		return err
	}
	l.unsynced, l.synced = false, time.Now()
	return nil
}
