// SPDX-License-Identifier: Apache-2.0

package ring

import (
	"fmt"
	"strings"
)

// move is a step and who made it.
type move struct {
	from *node
	who  string
}

type node struct {
	w world
	move
}

// next returns what any one party can make of w.
func (w world) next() (all []world, who []string) {
	add := func(name string, ws ...world) {
		for _, n := range ws {
			all, who = append(all, n), append(who, name)
		}
	}
	// A sleep runs out long after every store has reached everybody.
	if w.pc != rAsleep || w.woken || w.settled() {
		add("reader", w.reader()...)
	}
	for i := range w.progs {
		if w.progs[i].pc != pDone {
			add(fmt.Sprintf("program %d", i), w.program(i)...)
		}
	}
	for i := range w.v.rings {
		r := &w.rings[i]
		if r.irq {
			n := w
			n.rings[i].irq = false
			n.woken = n.woken || r.queued
			add("interrupt", n)
		}
		if r.seen != r.prod {
			n := w
			n.rings[i].seen = r.prod
			add("store", n)
		}
	}
	return all, who
}

func (w *world) settled() bool {
	for i := range w.v.rings {
		if w.rings[i].seen != w.rings[i].prod {
			return false
		}
	}
	return true
}

// stalled reports whether the reader sleeps, something is there to be read, and
// there is nobody left who would wake it.
func (w *world) stalled() bool {
	if w.pc != rAsleep || w.woken || !w.settled() {
		return false
	}
	unread := false
	for i := range w.v.rings {
		r := &w.rings[i]
		if r.irq {
			return false
		}
		unread = unread || r.cons != r.prod
	}
	for i := range w.progs {
		if w.progs[i].pc != pDone {
			return false
		}
	}
	return unread
}

// search visits all worlds and returns how many there are, and the way to the
// first that is bad, if there is one.
func search(v *variant) (states int, trace string) {
	first := &node{w: world{v: v}}
	for i := range first.w.progs {
		p := &first.w.progs[i]
		p.pc = v.ways[i].start()
	}
	seen := map[world]bool{first.w: true}
	stalls := ""
	for unseen := []*node{first}; len(unseen) > 0; {
		n := unseen[0]
		unseen = unseen[1:]
		if n.w.stalled() && (!v.bounded || n.w.old) {
			return len(seen), n.trace()
		}
		if n.w.stalled() && stalls == "" {
			stalls = n.trace()
		}
		worlds, who := n.w.next()
		for i, w := range worlds {
			if !v.bounded { // nobody asks
				w.old, w.out = false, false
			}
			if !seen[w] {
				seen[w] = true
				unseen = append(unseen, &node{w, move{n, who[i]}})
			}
		}
	}
	if v.bounded && stalls == "" {
		return len(seen), "no stall even in the first sleep: the model does not weaken anything"
	}
	return len(seen), ""
}

func (n *node) trace() string {
	var lines []string
	for ; n.from != nil; n = n.from {
		w := &n.w
		lines = append([]string{fmt.Sprintf("%-10s flag=%-5v rings=%v reader=%d/%d programs=%v", n.who, w.flag, w.rings[:w.v.rings], w.pc, w.stage, w.progs)}, lines...)
	}
	return strings.Join(lines, "\n")
}
