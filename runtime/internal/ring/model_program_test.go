// SPDX-License-Identifier: Apache-2.0

package ring

// way is how a program sends its records.
type way int

const (
	inPlace     way = iota // reserve, count, look, submit
	copied                 // output, count, look, kick
	lookFirst              // a mistake: look, reserve, count, submit
	neverLowers            // only costs wakings
)

// Steps of a program.
const (
	pReserve = iota
	pCommit
	pLook // counts, which is the barrier, and looks
	pLower
	pKick
	pSubmit
	pDone
)

type modelProgram struct {
	pc   int8
	sent int8
	slot int8 // of what it holds
	saw  bool
	held bool // the nothing was reserved
}

// program returns all worlds that one step of program i can lead to.
func (w world) program(i int) []world {
	n := w
	p := &n.progs[i]
	r := &n.rings[i%n.v.rings]
	way := n.v.ways[i]
	barrier := func() { r.seen = max(r.seen, p.slot+1) }
	reserve := func() {
		p.slot = r.prod
		r.slots[r.prod] = writing
		r.prod++
		if !n.v.weak {
			// As if it happened when the barrier comes: until then nobody
			// can tell, and the program does nothing else.
			barrier()
		}
	}
	wake := func() {
		if p.saw {
			r.irq = true
		}
	}
	switch p.pc {
	case pReserve:
		reserve()
		switch way {
		case copied:
			p.pc = pCommit
		case lookFirst:
			p.pc = pSubmit
		default:
			p.pc = pLook
		}
	case pCommit: // of the second way: xchg
		r.slots[p.slot] = done
		barrier()
		p.pc = pLook
	case pLook:
		p.saw = n.flag
		switch {
		case way == lookFirst && p.saw:
			p.pc = pLower
		case way == lookFirst:
			p.pc = pReserve
		case way == neverLowers:
			p.pc = pSubmit
		case way == inPlace && p.saw:
			p.pc = pLower
		case way == inPlace:
			p.pc = pSubmit
		case !p.saw:
			p.finish(way)
		case n.v.lowerEarly:
			p.pc = pLower
		default:
			p.pc = pKick
		}
	case pLower:
		n.flag = false
		switch {
		case way == lookFirst:
			p.pc = pReserve
		case way == copied && !p.held:
			p.pc = pKick
		default:
			p.pc = pSubmit
		}
	case pKick:
		var all []world
		if n.v.kickMayFail && n.progs[1-i].reserves() {
			failed := n
			failed.progs[i].finish(way)
			all = append(all, failed)
		}
		reserve()
		p.held, p.pc = true, pLower
		if n.v.lowerEarly {
			p.pc = pSubmit
		}
		return append(all, n)
	case pSubmit: // or discard: xchg, then the waking
		r.slots[p.slot] = done
		barrier()
		wake()
		p.finish(way)
	}
	return []world{n}
}

// reserves reports whether a program is about to reserve, or has just done so:
// while it holds the ring's lock, one that interrupts it gets nothing.
func (p *modelProgram) reserves() bool {
	return p.pc == pReserve || p.pc == pCommit || p.pc == pLook || p.pc == pKick
}

// start is a program's first step for a record.
func (w way) start() int8 {
	if w == lookFirst {
		return pLook
	}
	return pReserve
}

// finish goes on to the next record.
func (p *modelProgram) finish(w way) {
	*p = modelProgram{pc: w.start(), sent: p.sent + 1}
	if p.sent == records {
		p.pc = pDone
	}
}
