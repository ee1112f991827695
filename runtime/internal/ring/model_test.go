// SPDX-License-Identifier: Apache-2.0

package ring

// A model of one reader and two programs on two CPUs, each step of which is one
// access to shared memory, and a search through all states that any order of
// the steps can reach. The reader falls asleep by the code that the real one
// uses (stage.step); its drain, and the kernel's half of ppoll and of the ring
// buffer, are written down here as they are in ring.go, fs/select.c and
// kernel/bpf/ringbuf.c. The programs go as sleep.go says that they do.

// variant is what a run of the model changes.
type variant struct {
	name        string
	rings       int    // 1: shared; 2: one for each program
	ways        [2]way // of each program
	weak        bool   // the addition to a counter is no barrier (arm64)
	holds       bool   // the reader may leave what is complete for the next time, as a merge does
	kickMayFail bool   // no room for the nothing, because another program is reserving (NMI)

	// mistakes
	raiseLate  bool // the reader looks, and then raises the flag
	noRecheck  bool // ppoll does not compare positions after joining the queue
	lowerEarly bool // in the second way the flag goes down before the nothing is reserved

	bounded bool // a stall is no mistake in the sleep after raising the flag, which is short
}

const (
	records = 2 // of each program
	most    = records * 2 * 2
)

type slot int8

const (
	none slot = iota
	writing
	done
)

type modelRing struct {
	slots  [most]slot
	prod   int8 // reserved, as the lock's holders see it
	seen   int8 // reserved, as the reader can see it
	cons   int8
	irq    bool // a waking is on its way
	queued bool // the reader is on the queue
}

// Steps of the reader.
const (
	rDrain = iota // takes a ring's prod, of each ring before any is read
	rRead         // reads a record
	rChoose
	rLook  // takes each ring's prod, for pending
	rStep  // does stage.step
	rJoin  // in ppoll: joins a queue
	rCheck // in ppoll: compares a ring's positions
	rAsleep
)

type world struct {
	v     *variant
	rings [2]modelRing
	progs [2]modelProgram
	flag  bool
	woken bool // ppoll was woken since it last compared

	pc    int8
	stage stage
	at    int8    // the ring that pc is at
	end   [2]int8 // prod, as Drain took it
	view  [2]int8 // prod, as pending took it
	busy  bool
	up    bool // the reader's own note
	old   bool // the flag has been up for a whole sleep
	out   bool // the last sleep ran out
	join  bool // ppoll is to join queues, not only to compare
}

func (w *world) raise() {
	if !w.flag {
		w.old = false
	} else if w.out {
		w.old = true
	}
	w.flag, w.up, w.out = true, true, false
}

func (w *world) lower() { w.flag, w.up = false, false }

func (w *world) pending() bool {
	for i := range w.v.rings {
		if w.view[i] != w.rings[i].cons {
			return true
		}
	}
	return false
}

func (w *world) block() { w.pc, w.at, w.join, w.woken = rJoin, 0, true, false }

func (w *world) leave() {
	for i := range w.rings {
		w.rings[i].queued = false
	}
	w.woken, w.join = false, false
	w.pc, w.at = rLook, 0 // rising
}

// reader returns all worlds that one step of the reader can lead to.
func (w world) reader() []world {
	n := w // the next
	switch w.pc {
	case rDrain:
		n.end[n.at] = n.rings[n.at].seen
		if n.at++; int(n.at) == n.v.rings {
			n.at, n.pc = 0, rRead
		}
	case rRead:
		r := &n.rings[n.at]
		next := n // leaves the ring, at a record that is not complete, or at its end
		next.busy = n.busy || r.cons != n.end[n.at]
		next.leaveRing()
		if r.cons == n.end[n.at] || r.slots[r.cons] != done {
			return []world{next}
		}
		r.slots[r.cons] = none
		r.cons++
		if !w.v.holds {
			return []world{n}
		}
		held := w // leaves the ring, at a record that is too young
		held.leaveRing()
		return []world{n, held}
	case rChoose:
		// Wait: pace.next never sleeps when busy; else it may do either.
		tick := n
		tick.pc, tick.at, tick.busy = rDrain, 0, false
		if tick.up {
			tick.lower()
		}
		n.stage, n.pc = raising, rStep
		if w.v.raiseLate {
			n.stage, n.pc = looking, rLook
		}
		if w.busy {
			return []world{tick}
		}
		return []world{tick, n}
	case rLook:
		n.view[n.at] = n.rings[n.at].seen
		if n.at++; int(n.at) == n.v.rings {
			n.at, n.pc = 0, rStep
		}
	case rStep:
		n.fallAsleep()
	case rJoin:
		n.rings[n.at].queued, n.pc = true, rCheck
	case rCheck:
		r := &n.rings[n.at]
		if r.seen != r.cons && !w.v.noRecheck {
			n.leave()
			return []world{n}
		}
		if n.at++; int(n.at) == n.v.rings {
			n.at, n.pc = 0, rAsleep
		} else if n.join {
			n.pc = rJoin
		}
	case rAsleep:
		if w.woken {
			n.woken, n.join, n.pc, n.at = false, false, rCheck, 0
			return []world{n}
		}
		n.out = true
		n.leave()
	}
	return []world{n}
}

// leaveRing goes on with the next ring, or is done with draining.
func (w *world) leaveRing() {
	w.end[w.at] = 0
	if w.at++; int(w.at) == w.v.rings {
		w.at, w.pc = 0, rChoose
	}
}

// fallAsleep does one stage, and takes the positions in front of the stages
// that compare them.
func (w *world) fallAsleep() {
	was := w.stage
	next := was.step(w)
	if w.v.raiseLate { // the mistake: look, raise, block
		switch {
		case was == looking && next == blocking:
			next = raising
		case was == raising:
			next = blocking
		}
	}
	w.stage, w.view = next, [2]int8{}
	switch {
	case was == blocking: // block has said where to go
	case next == looking:
		w.pc, w.at = rLook, 0
	case next == awake:
		w.stage = raising
		w.pc, w.at, w.busy = rDrain, 0, false
	}
}
