// SPDX-License-Identifier: Apache-2.0

package model

const (
	stackEvent  = 200     // bytes: a larger event, or one with variable parts, lives in scratch memory
	stackEvents = 440     // bytes that all events of one probe may have on its stack of 512
	recordHead  = 16      // bytes in front of each event
	maxRecord   = 1 << 15 // bytes of an event and its variable parts
	smallSlot   = 4096    // bytes: of smaller scratch memories there are more
)

// memory decides where events live while a probe fills them: on its stack, or
// in a slot of scratch memory each, of which a CPU has enough for two probes,
// four when they are small, of which one interrupts the other.
func (b *binder) memory() {
	g := b.grain
	for _, e := range g.Events {
		e.Slot = e.room() > 0 || e.Size > stackEvent
	}
	most := 1 // slots that one probe may take
	for _, p := range b.source.Probes {
		made := b.made(p.Calls)
		b.unstack(made)
		slots := 0
		for _, e := range g.Events {
			if e.Slot && made[e.Name] {
				slots++
			}
		}
		most = max(most, slots)
	}
	largest := 0
	for _, e := range g.Events {
		if !e.Slot {
			continue
		}
		room := e.room()
		if e.Size+room > maxRecord {
			event := b.spec.Events[e.Index]
			b.mistake.Add(event.Name.Pos, "event %s may have %d bytes, more than the %d of a record; give its text and words less room, or its arrays fewer elements", e.Name, e.Size+room, maxRecord)
		}
		g.TailRoom = max(g.TailRoom, room)
		largest = max(largest, e.Size)
	}
	if largest == 0 {
		return
	}
	g.SlotBody = largest + g.TailRoom
	g.Slots = 2 * most
	if g.SlotBody <= smallSlot {
		g.Slots = 4 * most
	}
}

// unstack moves the largest events of a probe to scratch memory until its
// stack has room for the others.
func (b *binder) unstack(made map[string]bool) {
	for {
		var largest *Event
		sum := 0
		for _, e := range b.grain.Events {
			if e.Slot || !made[e.Name] {
				continue
			}
			sum += recordHead + e.Size
			if largest == nil || e.Size > largest.Size {
				largest = e
			}
		}
		if sum <= stackEvents {
			return
		}
		largest.Slot = true
	}
}

// room is how many bytes the variable parts of an event may have that programs
// fill.
func (e *Event) room() (room int) {
	for leaf := range Leaves(e.Fields) {
		if !leaf.Parsed {
			room += leaf.Leaf.Room
		}
	}
	return room
}
