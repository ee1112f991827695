// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Sync is when the disk is waited for.
type Sync int

const (
	SyncAppend Sync = iota // before Append returns
	SyncAlways             // also before Ack returns
	SyncEvery              // every Options.Every
	SyncNever              // when the system likes to
)

// Options say how a log is kept.
type Options struct {
	Dir   string
	Max   int64 // bytes of all segments; 0: 1 GiB
	Sync  Sync
	Every time.Duration // of SyncEvery; 0: 1 s
	// KeepOldest makes Append refuse what has no room, where it otherwise
	// drops the oldest segments.
	KeepOldest bool
}

// Found is what a process before this one left behind.
type Found struct {
	Rows    uint64   // in the log, and not yet shipped
	Killed  bool     // it did not close the log
	Crashed uint64   // at least so many had come to the lane, and went down with it
	Foreign []string // segments of other logs, which are left alone
}

// ErrFull is what Append returns when there is no room.
var ErrFull = errors.New("the spool is full")

// Log is a log that this process has open.
type Log struct {
	o           Options
	segmentSize int64
	id          identity
	lock        *os.File
	dir         *os.File

	// Of the goroutine that appends.
	file     *os.File // of active
	out      []byte
	unsynced bool
	synced   time.Time

	// Of the goroutine that reads.
	reading *segment
	source  *os.File
	scan    scanner
	body    []byte

	mu       sync.Mutex
	segments []*segment // the oldest first
	active   *segment   // the last of them, when it is being appended to
	total    int64      // bytes of all
	next     place      // to be acknowledged
	end      place      // to be written
	held     heldRecord
	base     Books // of the processes before
	books    Books // of this one
	closed   bool

	stateMu   sync.Mutex
	state     *stateFile
	stateOld  bool // changed since it was written
	unflushed bool // written, and the disk may not have it
	flushed   time.Time
}

// heldRecord is one that is being shipped. It stays with its reader when its
// segment is dropped.
type heldRecord struct {
	place
	rows uint64
}

// Open opens the log in o.Dir, which it makes where there is none.
func Open(o Options) (*Log, Found, error) {
	if o.Max <= 0 {
		o.Max = 1 << 30
	}
	if o.Every <= 0 {
		o.Every = time.Second
	}
	l := &Log{o: o, segmentSize: min(max(o.Max/64, 64<<10), 16<<20)}
	found, err := l.open()
	if err != nil {
		l.closeFiles()
		return nil, Found{}, fmt.Errorf("spool %s: %w", o.Dir, err)
	}
	return l, found, nil
}

func (l *Log) open() (Found, error) {
	if err := os.MkdirAll(l.o.Dir, 0o700); err != nil {
		return Found{}, err
	}
	var err error
	if l.dir, err = os.Open(l.o.Dir); err != nil {
		return Found{}, err
	}
	if l.lock, err = os.OpenFile(filepath.Join(l.o.Dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return Found{}, err
	}
	if unix.Flock(int(l.lock.Fd()), unix.LOCK_EX|unix.LOCK_NB) != nil {
		return Found{}, errors.New("another process has it open")
	}
	var s state
	var known bool
	if l.state, s, known, err = openState(filepath.Join(l.o.Dir, "state")); err != nil {
		return Found{}, err
	}
	found := Found{}
	if err := l.adopt(&s, known, &found); err != nil {
		return Found{}, err
	}
	found.Rows = l.end.position - l.next.position
	found.Killed = known && !s.closed
	if gone := s.Direct + l.end.position; known && s.In > gone {
		found.Crashed = s.In - gone
	}
	l.base = Books{In: s.Direct + l.end.position, Direct: s.Direct}
	for range 2 { // both copies have their room on the disk from now on
		if err := l.writeState(); err != nil {
			return Found{}, err
		}
	}
	return found, l.syncState()
}

// adopt finds the segments, and where the log begins and ends.
func (l *Log) adopt(s *state, known bool, found *Found) error {
	paths, err := filepath.Glob(filepath.Join(l.o.Dir, "*"+suffix))
	if err != nil {
		return err
	}
	files, err := inspect(paths)
	if err != nil {
		return err
	}
	l.id, l.next, l.end = s.id, s.next, s.end
	if i := slices.IndexFunc(files, func(f inspected) bool { return f.whole }); !known && i >= 0 {
		l.id = files[i].id
	} else if !known {
		rand.Read(l.id[:])
	}
	last := uint64(0)
	for _, f := range files {
		if f.whole && f.id == l.id {
			last = max(last, f.first.number)
			l.end = l.end.later(f.first)
		}
	}
	for _, f := range files {
		if f.whole && f.id != l.id {
			found.Foreign = append(found.Foreign, filepath.Base(f.path))
			continue
		}
		// Where the log ends stands in its last segment, or in one whose
		// header does not say which it is.
		if !f.whole || f.first.number == last {
			first, end, err := surveyFile(f.path, l.id, f.size)
			if err != nil {
				return err
			}
			if end == (place{}) { // nothing in it can be read
				if err := os.Remove(f.path); err != nil {
					return err
				}
				continue
			}
			l.end = l.end.later(end)
			if !f.whole {
				f.first = first
			}
		}
		l.segments = append(l.segments, &f.segment)
		l.total += f.size
	}
	slices.SortStableFunc(l.segments, func(a, b *segment) int { return cmp.Compare(a.first.number, b.first.number) })
	if !known {
		l.end = l.end.later(place{number: 1})
		l.next = l.end
		if len(l.segments) > 0 {
			l.next = l.segments[0].first
		}
	}
	return nil
}

// later is the later of two places.
func (p place) later(q place) place {
	return place{max(p.number, q.number), max(p.position, q.position)}
}

// inspected is a segment as it was found.
type inspected struct {
	segment
	id    identity
	whole bool // the header
}

// inspect reads the headers of segments.
func inspect(paths []string) ([]inspected, error) {
	var files []inspected
	for _, path := range paths { // in the order of their numbers
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		info, err := f.Stat()
		if err == nil && !info.Mode().IsRegular() {
			err = fmt.Errorf("%s is no regular file", path)
		}
		if err != nil {
			return nil, errors.Join(err, f.Close())
		}
		found := inspected{segment: segment{path: path, size: info.Size()}}
		found.id, found.first, found.whole = readHeader(f)
		files = append(files, found)
		f.Close()
	}
	return files, nil
}

// surveyFile is survey of a file.
func surveyFile(path string, id identity, size int64) (first, end place, err error) {
	f, err := os.Open(path)
	if err != nil {
		return place{}, place{}, err
	}
	defer f.Close()
	first, end = survey(f, id, size)
	return first, end, nil
}

// KeepOldest sets the option, before the first Append.
func (l *Log) KeepOldest(keep bool) { l.o.KeepOldest = keep }

// HalfFree reports whether half of what the log may hold is free.
func (l *Log) HalfFree() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.total <= l.o.Max/2
}

// Close keeps what is left for the next process.
func (l *Log) Close() error {
	l.mu.Lock()
	l.closed = true
	if l.next == l.end {
		l.active = nil
		for len(l.segments) > 0 {
			l.removeOldest()
		}
	}
	l.mu.Unlock()
	var errs []error
	if l.file != nil && l.unsynced && l.o.Sync != SyncNever {
		errs = append(errs, unix.Fdatasync(int(l.file.Fd())))
	}
	errs = append(errs, l.writeState())
	if l.o.Sync != SyncNever {
		errs = append(errs, l.syncState())
	}
	l.closeFiles()
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("spool %s: %w", l.o.Dir, err)
	}
	return nil
}

func (l *Log) closeFiles() {
	for _, f := range []*os.File{l.file, l.source, l.dir, l.lock} {
		if f != nil {
			f.Close()
		}
	}
	if l.state != nil {
		l.state.f.Close()
	}
}
