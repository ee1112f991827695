// SPDX-License-Identifier: Apache-2.0

package ring

import (
	"errors"
	"fmt"
	goruntime "runtime"
	"time"
)

const (
	// DefaultTick is how often a busy Reader looks.
	DefaultTick = time.Millisecond

	firstSleep = 100 * time.Millisecond // after raising the flag: see sleep.go
	longSleep  = time.Second            // with the flag up for long
)

// Options say how a Reader reads. The zero value is good.
type Options struct {
	// Tick is how often to look while records come, and so how late a record
	// may be; 0 means DefaultTick. Fewer looks cost less. An idle reader is
	// woken by the first record, whatever the tick.
	Tick time.Duration
}

// Reader reads the rings of an agent. It is a Source.
type Reader struct {
	rings []*Ring
	flag  *Flag
	poll  poller
	pace  pace
	merger

	last    drained       // what the last Drain brought
	unsent  bool          // something was drained since beforeSleep
	up      bool          // the flag may be up
	limit   time.Duration // of the next sleep
	ranOut  bool          // the last sleep took all of its limit
	yielded time.Time     // when this goroutine last went through the scheduler
	missed  uint64        // sleeps that ran out although there was something to read
}

// NewReader makes a Reader, which owns rings and flag from then on, also if it
// fails.
func NewReader(rings []*Ring, flag *Flag, o Options) (*Reader, error) {
	r := &Reader{rings: rings, flag: flag, limit: firstSleep, merger: newMerger(len(rings))}
	r.pace.tick = o.Tick
	if o.Tick <= 0 {
		r.pace.tick = DefaultTick
	}
	r.pace.nap = r.pace.tick
	if err := r.poll.open(rings); err != nil {
		return nil, errors.Join(fmt.Errorf("make the reader: %w", err), r.Close())
	}
	return r, nil
}

// Drain implements Source. Records of several rings are handed on in the order
// of their times: see merge.go.
func (r *Reader) Drain(handle func(raw []byte)) int {
	if r.last.slept >= lonelyAfter*r.pace.tick {
		r.mixed = 0
	}
	n, fill, held := r.drain(r.rings, handle)
	busy := false
	for _, ring := range r.rings {
		busy = busy || ring.busy
	}
	r.last.records, r.last.fill, r.last.busy, r.last.held = n, fill, busy, held
	r.unsent = r.unsent || n > 0
	return n
}

// Wait implements Source. A sleep ends with the first record; it takes at most
// 100 ms, and at most a second when nothing has come for longer.
func (r *Reader) Wait(beforeSleep func()) {
	nap, asleep := r.pace.next(r.last)
	r.last.slept = 0
	if !asleep {
		if r.up {
			r.lower()
		}
		r.nap(nap)
		return
	}
	if r.unsent {
		r.unsent = false
		beforeSleep()
	}
	began := time.Now()
	sleep(r)
	r.last.slept = time.Since(began)
}

// nap lets a time pass, or until Wake. Time is passed in ppoll, not in the Go
// scheduler, which would wake another thread for each timer; but a goroutine
// that has not been through it for 10 ms, or stays in one system call for so
// long, has its processor taken away by the runtime's monitor, which then looks
// every 20 us for more of the kind. For naps of a millisecond that would nearly
// double the cost. So long naps are taken in parts.
func (r *Reader) nap(d time.Duration) {
	const longest, unseen = 5 * time.Millisecond, 8 * time.Millisecond

	for ranOut := true; ranOut && d > 0; {
		part := min(d, longest)
		if now := time.Now(); now.Sub(r.yielded) > unseen-part {
			r.yielded = now
			goruntime.Gosched()
		}
		ranOut = r.poll.nap(part)
		d -= part
	}
}

// raise implements bed. A flag that was still up after a whole sleep has been
// seen by all.
func (r *Reader) raise() {
	switch was := r.flag.word.Swap(1); {
	case was == 0:
		r.limit = firstSleep
	case r.ranOut:
		r.limit = min(2*r.limit, longSleep)
	}
	r.up, r.ranOut = true, false
}

// lower implements bed.
func (r *Reader) lower() {
	r.flag.word.Store(0)
	r.up = false
}

// pending implements bed.
func (r *Reader) pending() bool {
	for _, ring := range r.rings {
		if ring.Pending() {
			return true
		}
	}
	return false
}

// block implements bed.
func (r *Reader) block() {
	r.ranOut = r.poll.block(r.limit)
	if r.ranOut && r.pending() {
		r.missed++
	}
}

// Wake implements Source.
func (r *Reader) Wake() { r.poll.wake() }

// Lost implements Source: stretches of a ring that were left out because a
// length in them could not be. How many records were in them nobody knows.
func (r *Reader) Lost() uint64 {
	var n uint64
	for _, ring := range r.rings {
		n += ring.Skipped()
	}
	return n
}

// Close implements Source.
func (r *Reader) Close() error {
	r.flag.word.Store(0)
	errs := []error{r.poll.close(), r.flag.Close()}
	for _, ring := range r.rings {
		errs = append(errs, ring.Close())
	}
	return errors.Join(errs...)
}
