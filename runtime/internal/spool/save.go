// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"time"

	"golang.org/x/sys/unix"
)

// Save notes the books of the lane, as this process counts them, and sees to
// it that the disk has what it should have by now. The goroutine that appends
// calls it some times a second, and again while due says so.
func (l *Log) Save(b Books) (due bool, err error) {
	l.mu.Lock()
	changed := l.books != b
	l.books = b
	l.mu.Unlock()
	if changed {
		l.touch()
	}
	l.stateMu.Lock()
	old, late := l.stateOld, l.unflushed
	flushed := l.flushed
	l.stateMu.Unlock()
	if old {
		if err := l.writeState(); err != nil {
			return false, err
		}
		late = true
	}
	if l.o.Sync == SyncNever {
		return false, nil
	}
	now := time.Now()
	if l.unsynced && l.file != nil && now.Sub(l.synced) >= l.o.Every {
		err = l.sync()
	}
	if err == nil && late && now.Sub(flushed) >= l.o.Every {
		err, late = l.syncState(), false
	}
	return late || l.unsynced, err
}

// Note writes the books down at once, without waiting for the disk. Any
// goroutine may call it.
func (l *Log) Note(b Books) error {
	l.mu.Lock()
	l.books = b
	l.mu.Unlock()
	return l.writeState()
}

// touch says that the state on disk is not the last one.
func (l *Log) touch() {
	l.stateMu.Lock()
	defer l.stateMu.Unlock()
	l.stateOld = true
}

// writeState writes where the log begins and ends, and the books.
func (l *Log) writeState() error {
	l.stateMu.Lock()
	defer l.stateMu.Unlock()
	l.mu.Lock()
	s := state{l.id, l.next, l.end, Books{l.base.In + l.books.In, l.base.Direct + l.books.Direct}, l.closed}
	l.mu.Unlock()
	l.stateOld, l.unflushed = false, true
	return l.state.write(&s)
}

// syncState waits until the disk has the state.
func (l *Log) syncState() error {
	l.stateMu.Lock()
	defer l.stateMu.Unlock()
	l.flushed, l.unflushed = time.Now(), false
	return unix.Fdatasync(int(l.state.f.Fd()))
}
