// SPDX-License-Identifier: Apache-2.0

package ring

import "time"

const (
	// quietTicks is how many ticks in a row bring nothing before the reader
	// goes to sleep.
	quietTicks = 3
	// After a sleep of lonelyAfter ticks, a drain that brings at most lonelyMost
	// records is no reason to tick: the next one may well wake the reader too.
	lonelyAfter, lonelyMost = 4, 4

	shortestNap = 50 * time.Microsecond // less is not worth a system call
	longestNap  = time.Millisecond      // behind a record that is being written
)

// pace says how the reader spends the time between two drains, from what the
// last one brought.
type pace struct {
	tick time.Duration // while records come

	nap   time.Duration // the tick of now: shorter when a ring fills faster
	wait  time.Duration // behind a record that is being written
	again bool          // the last look was a lonely one and left something
	quiet int           // ticks in a row that brought nothing
}

// drained is what a Drain brought.
type drained struct {
	records int
	fill    int           // how full the fullest ring was, in percent
	busy    bool          // a record is being written in front of others
	held    bool          // a record was left for being too young
	slept   time.Duration // how long the sleep before it was; 0 if there was none
}

// next returns how long not to look, or true: sleep until something comes.
func (p *pace) next(d drained) (time.Duration, bool) {
	if d.busy {
		p.again = false
		return p.behind(d.records > 0), false
	}
	p.wait = 0
	lonely := d.records <= lonelyMost && (p.again || d.slept >= lonelyAfter*p.tick)
	p.again = d.held && lonely && !p.again
	switch {
	case p.again: // look once more, when it is old enough
		return window, false
	case lonely && !d.held && d.records > 0:
		p.quiet = quietTicks
		return 0, true
	case d.held && d.records == 0:
		p.quiet, p.nap = 0, p.tick
		return p.tick, false
	case d.records == 0:
		p.quiet++
		p.nap = p.tick
		return p.tick, p.quiet >= quietTicks
	}
	p.quiet = 0
	switch {
	case d.fill > 50:
		p.nap = 0
	case d.fill > 25:
		p.nap /= 2
	case d.fill < 6:
		p.nap = min(2*p.nap+shortestNap, p.tick)
	}
	if p.nap < shortestNap {
		return 0, false
	}
	return p.nap, false
}

// behind is how long to leave alone a program that has reserved a record and
// not submitted it: most take less than a microsecond, one that the scheduler
// has put aside takes milliseconds. Going to sleep is no choice (see sleep.go),
// and ppoll would return at once.
func (p *pace) behind(moved bool) time.Duration {
	if moved || p.wait == 0 {
		p.wait = shortestNap / 2
	}
	p.wait = min(2*p.wait, longestNap)
	return p.wait
}
