// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"errors"
	"fmt"
	"time"

	"github.com/redsift/ingraind/runtime/internal/spool"
)

const (
	keepMost  = 16      // batches are written at once,
	keepBytes = 1 << 20 // or so much of them
	keepPause = time.Second
	// The books are noted so often while rows come: by then a crash costs more than is known.
	noteEvery = 5 * time.Millisecond
	// flushEvery is how often it is looked whether the disk is to be waited for.
	flushEvery = 50 * time.Millisecond
)

// spooling reports whether batches go to the spool. mu is held.
func (l *Lane) spooling() bool {
	return l.spool != nil && !l.broken && !l.full && (l.spool.always || l.trouble || l.waiting > l.limit/2)
}

// keeper is the goroutine that spools.
type keeper struct {
	*Lane
	records []spool.Record
	failure string    // the last, of those in a row
	again   time.Time // when a spool that failed is tried again
	saved   time.Time // when the books were last noted
	noted   spool.Books
}

// keep spools batches, and notes the books beside them, until the lane ends.
func (l *Lane) keep() {
	defer close(l.kept)
	k := keeper{Lane: l}
	for {
		handed, final := k.collect()
		if len(k.records) == 0 && final {
			return
		}
		if len(k.records) == 0 {
			k.rest()
			continue
		}
		dropped, err := l.spool.log.Append(k.records, handed)
		stuck := k.account(handed, dropped, err)
		clear(k.records)
		k.report(err)
		if err != nil {
			k.again = time.Now().Add(keepPause)
		}
		if stuck && final {
			return
		}
	}
}

// collect finds what to spool now: the batch in hand, which is the oldest, when
// it is not yet on disk, and the first of the queue.
func (k *keeper) collect() (handed, final bool) {
	l := k.Lane
	l.mu.Lock()
	defer l.mu.Unlock()
	k.records = k.records[:0]
	if !l.final && !l.spooling() {
		return false, false
	}
	size := 0
	add := func(q queued) {
		k.records = append(k.records, spoolRecord(l.names.name(q.sequence), l.encoding.Name(), &q.Batch))
		size += len(q.Bytes)
	}
	if l.hand.held && !l.hand.spooled && !l.hand.apart {
		add(l.hand.queued)
		l.hand.writing, handed = true, true
	}
	most := keepMost
	if l.onlyOne || l.spool.single {
		most = 1
	}
	for l.writing < l.queue.len() && len(k.records) < most && (size < keepBytes || size == 0) {
		add(l.queue.at(l.writing))
		l.writing++
	}
	return handed, l.final
}

// account says in the books what became of what was collected. stuck says
// that trying again at once would end the same way.
func (k *keeper) account(handed bool, dropped uint64, err error) (stuck bool) {
	l := k.Lane
	var gone []queued
	l.mu.Lock()
	l.settleSpooled(dropped, &l.books.Dropped)
	n := l.writing
	l.writing, l.hand.writing = 0, false
	take := func() queued {
		q := l.queue.remove(0)
		l.waiting -= int64(cap(q.Bytes))
		gone = append(gone, q)
		return q
	}
	tooMuch := errors.Is(err, spool.ErrFull) || errors.Is(err, spool.ErrTooLarge)
	switch {
	case err == nil:
		l.onlyOne = false
		if handed {
			l.spooled(k.records[0].Rows)
			l.hand.spooled = l.hand.held
		}
		for range n {
			l.spooled(uint64(take().Rows))
		}
	case tooMuch && len(k.records) > 1:
		l.onlyOne = true
	case errors.Is(err, spool.ErrFull) && l.onFull == BlockStream && !l.final:
		l.full, stuck = true, true
	case tooMuch && handed:
		l.hand.apart = true
	case tooMuch:
		l.settle(take().Rows, &l.books.Dropped)
	default:
		l.broken, stuck = true, true
	}
	l.mu.Unlock()
	for _, q := range gone {
		q.release()
	}
	notify(l.toShip)
	notify(l.room)
	return stuck
}

// life is the books as the next agent should find them if this one crashed
// now: it may not call lost what may have been shipped.
func (l *Lane) life() spool.Books {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lifeNow()
}

// lifeNow is life with mu held.
func (l *Lane) lifeNow() spool.Books {
	b := spool.Books{In: l.books.In, Direct: l.direct}
	if l.hand.held && !l.hand.spooled {
		b.Direct += uint64(l.hand.Rows)
	}
	return b
}

// spooled moves rows from pending to spooled. mu is held.
func (l *Lane) spooled(rows uint64) {
	if l.closed {
		return
	}
	l.books.Pending -= rows
	l.books.Spooled += rows
}

// report tells the log of a failure, unless it is the one of before.
func (k *keeper) report(err error) {
	if err == nil || errors.Is(err, spool.ErrFull) && k.onFull == BlockStream {
		k.failure = ""
		return
	}
	if k.failure != err.Error() {
		k.failure = err.Error()
		k.log(fmt.Errorf("spool of %s: %w", k.name, err))
	}
}

// rest notes the books, when that is due, and waits until there is something
// to do.
func (k *keeper) rest() {
	l := k.Lane
	wait := time.Hour
	if since := time.Since(k.saved); since < noteEvery {
		wait = noteEvery - since
	} else {
		l.mu.Lock()
		life := l.lifeNow()
		l.rests = life == k.noted
		l.mu.Unlock()
		if life != k.noted {
			wait = noteEvery
		}
		due, err := l.spool.log.Save(life)
		if err != nil {
			k.report(err)
		}
		if due {
			wait = min(wait, flushEvery)
		}
		k.saved, k.noted = time.Now(), life
	}
	l.mu.Lock()
	if l.broken {
		left := time.Until(k.again)
		if left <= 0 {
			l.broken = false
			l.mu.Unlock()
			return
		}
		wait = min(wait, left)
	}
	l.mu.Unlock()
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-l.toSpool:
	case <-timer.C:
	}
}
