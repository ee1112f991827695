// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"github.com/redsift/ingraind/runtime/internal/spool"
)

// queued is a batch in a lane, and its number there.
type queued struct {
	*sharedBatch
	sequence uint64
}

// laneQueue holds batches, the oldest first.
type laneQueue struct {
	items []queued
	head  int
}

func (q *laneQueue) len() int { return len(q.items) - q.head }

func (q *laneQueue) at(i int) queued { return q.items[q.head+i] }

func (q *laneQueue) push(b queued) {
	if q.head > 0 && len(q.items) == cap(q.items) {
		n := copy(q.items, q.items[q.head:])
		clear(q.items[n:])
		q.items, q.head = q.items[:n], 0
	}
	q.items = append(q.items, b)
}

// pushFront puts back what pop took last.
func (q *laneQueue) pushFront(b queued) {
	if q.head == 0 {
		q.items = append(q.items, queued{})
		copy(q.items[1:], q.items)
	} else {
		q.head--
	}
	q.items[q.head] = b
}

// remove takes out the i-th, which is among the oldest.
func (q *laneQueue) remove(i int) queued {
	b := q.at(i)
	copy(q.items[q.head+1:q.head+i+1], q.items[q.head:q.head+i])
	q.items[q.head] = queued{}
	q.head++
	if q.head == len(q.items) {
		q.items, q.head = q.items[:0], 0
	}
	return b
}

// enter counts rows that have come, and wait in a batch not yet closed. It
// wakes a keeper that rests, who then looks again and again by itself.
func (l *Lane) enter(rows int) {
	l.mu.Lock()
	l.books.In += uint64(rows)
	l.books.Pending += uint64(rows)
	rests := l.rests
	l.rests = false
	l.mu.Unlock()
	if rests {
		notify(l.toSpool)
	}
}

// offer queues a batch whose rows have been entered. When too much waits
// already, OnFull says which batch is dropped, or that the reader waits.
func (l *Lane) offer(b *sharedBatch) {
	size := int64(cap(b.Bytes))
	l.mu.Lock()
	item := queued{b, l.sequence}
	l.sequence++
	for l.waiting > 0 && l.waiting+size > l.limit {
		if l.onFull == BlockStream && l.began && l.await() {
			continue
		}
		if l.onFull == DropOldest && l.queue.len() > l.writing {
			old := l.queue.remove(l.writing)
			l.waiting -= int64(cap(old.Bytes))
			l.settle(old.Rows, &l.books.Dropped)
			old.release()
			continue
		}
		l.settle(b.Rows, &l.books.Dropped)
		l.mu.Unlock()
		b.release()
		return
	}
	l.waiting += size
	l.queue.push(item)
	l.mu.Unlock()
	notify(l.toShip)
	if l.spool != nil {
		notify(l.toSpool)
	}
}

// await waits until there may be room; false says that nobody may wait any
// more. mu is held, but not meanwhile.
func (l *Lane) await() bool {
	l.mu.Unlock()
	defer l.mu.Lock()
	select {
	case <-l.open:
		return false
	default:
	}
	select {
	case <-l.room:
		return true
	case <-l.open:
		return false
	}
}

// unblock ends any waiting of the reader, now and later.
func (l *Lane) unblock() { l.opened.Do(func() { close(l.open) }) }

// hasRoom reports whether half of what may wait is free, in memory and on disk.
func (l *Lane) hasRoom() bool {
	l.mu.Lock()
	free := l.waiting <= l.limit/2
	l.mu.Unlock()
	return free && (l.spool == nil || l.spool.log.HalfFree())
}

// settle moves rows from pending to what became of them. mu is held.
func (l *Lane) settle(rows int, outcome *uint64) {
	if l.closed {
		return
	}
	l.books.Pending -= uint64(rows)
	l.direct += uint64(rows)
	*outcome += uint64(rows)
}

// settleSpooled moves rows from the spool to what became of them. mu is held.
func (l *Lane) settleSpooled(rows uint64, outcome *uint64) {
	if l.closed {
		return
	}
	l.books.Spooled -= rows
	*outcome += rows
}

// balance closes the books: what is still in memory is lost.
func (l *Lane) balance() spool.Books {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.settle(int(l.books.Pending), &l.books.Dropped)
	l.closed = true
	return spool.Books{In: l.books.In, Direct: l.direct}
}
