// SPDX-License-Identifier: Apache-2.0

package ring

import (
	"math/bits"
	"time"

	"golang.org/x/sys/unix"
)

// Records of several rings are handed on in the order of their times, the
// first eight bytes of each: ns of CLOCK_MONOTONIC, taken by the program a
// little before others can see the record. What is not seen yet may be earlier
// than what is, so a record is handed on once it is as old as the window, and
// younger ones stay in their rings for the next Drain. Then one of another ring
// comes late, behind one that happened after it, only if its program took
// longer than that from taking the time to submitting, say because something
// else ran in the middle of it. Nobody waits for it any longer.
//
// None of this is needed while records come from one CPU at a time, which is
// how it is on a quiet machine and on one with a single busy thread: then a
// ring is read as if there were no other, at once and to its end.

const (
	// window is how old a record is at least when it is handed on while others
	// come from other rings. It adds to how late a record may be.
	window = 100 * time.Microsecond

	// mixedFor is for how many Drains after one that met several rings records
	// are taken to come from several.
	mixedFor = 64

	// unlikely is how far in the future a time may be. What is beyond is no
	// time, and nobody waits for it.
	unlikely = uint64(time.Second)
)

// merger hands on the records of several rings as if they were one.
type merger struct {
	now   func() uint64 // CLOCK_MONOTONIC, ns
	mixed int           // Drains for which records are still taken to come from several rings

	// A queue of rings, those whose next record is the earliest first. It goes
	// round in a circle, and rings join from its end: one that has just been
	// read from most often belongs there.
	queue []waiting // a power of two of them
	first int
	count int
}

// waiting is a ring and the time of its next record.
type waiting struct {
	time uint64
	ring *Ring
}

func newMerger(rings int) merger {
	return merger{
		now: func() uint64 {
			var ts unix.Timespec
			_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts) // cannot fail: the clock exists
			return uint64(ts.Nano())
		},
		queue: make([]waiting, 1<<bits.Len(uint(max(rings, 1)-1))),
	}
}

// drain is Drain over rings. fill is how full the fullest one was, in percent;
// held says that something was left for being too young.
func (m *merger) drain(rings []*Ring, handle func(raw []byte)) (n, fill int, held bool) {
	var until uint64
	if m.mixed > 0 { // before looking: what is older than the window at this moment is seen
		until = m.now()
	}
	full, only := 0, (*Ring)(nil)
	for _, r := range rings {
		if r.look() {
			full, only = full+1, r
		}
		fill = max(fill, int(r.filled*100/r.size))
	}
	switch {
	case full > 1:
		m.mixed = mixedFor
	case m.mixed > 0:
		m.mixed--
	}
	if full == 0 {
		return 0, fill, false
	}
	if full == 1 && m.mixed == 0 {
		return only.read(handle), fill, false
	}
	if until == 0 {
		until = m.now()
		for _, r := range rings {
			r.look()
		}
	}
	if fill <= 50 { // to lose something is worse than to be late
		until -= uint64(window)
	}
	n, held = m.merge(rings, handle, until)
	return n, fill, held
}

// merge hands on what is not younger than until.
func (m *merger) merge(rings []*Ring, handle func(raw []byte), until uint64) (n int, held bool) {
	m.first, m.count = 0, 0
	for _, r := range rings {
		if r.next(until) {
			m.join(r)
		}
	}
	for m.count > 0 {
		mask := len(m.queue) - 1
		next := m.queue[m.first&mask]
		if next.time > until {
			break
		}
		m.first, m.count = m.first+1, m.count-1
		turn := until // up to where this ring's records come before those of others
		if m.count > 0 {
			turn = min(turn, m.queue[m.first&mask].time)
		}
		got, more := next.ring.turn(handle, turn, until)
		n += got
		if more {
			m.join(next.ring)
		}
	}
	for _, r := range rings {
		r.publish(r.pos)
	}
	return n, m.count > 0
}

// join puts a ring in front of those whose next record is later.
func (m *merger) join(r *Ring) {
	mask, at := len(m.queue)-1, m.first+m.count
	for ; at > m.first; at-- {
		before := m.queue[(at-1)&mask]
		if before.time <= r.time {
			break
		}
		m.queue[at&mask] = before
	}
	m.queue[at&mask] = waiting{r.time, r}
	m.count++
}
