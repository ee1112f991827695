// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cilium/ebpf/btf"
)

// DescribeGrain says how the events of a grain lie in memory, from the BTF of
// its object, or where that lacks their structs from what the grain says of
// their fields. It needs neither root nor a kernel.
func DescribeGrain(g *Grain) (RecordedGrain, error) {
	described := RecordedGrain{Name: g.Name}
	if g.Load == nil {
		return described, fmt.Errorf("grain %s: it has no object", g.Name)
	}
	object, err := g.Load()
	if err != nil {
		return described, fmt.Errorf("grain %s: load object: %w", g.Name, err)
	}
	if object.Types == nil {
		return described, fmt.Errorf("grain %s: its object has no BTF", g.Name)
	}
	var structs []btf.Type
	for i := range g.Events {
		e := &g.Events[i]
		var s *btf.Struct
		err := object.Types.TypeByName("_data_"+e.Name, &s)
		if errors.Is(err, btf.ErrNotFound) {
			described.Events = append(described.Events, RecordedEvent{Name: e.Name, Layout: fieldsOf(e)})
			continue
		}
		if err != nil {
			return described, fmt.Errorf("event %s.%s: find struct _data_%s: %w", g.Name, e.Name, e.Name, err)
		}
		structs = append(structs, s)
		described.Events = append(described.Events, RecordedEvent{Name: e.Name, Layout: layoutOf(s)})
	}
	if len(structs) == 0 {
		return described, nil
	}
	types, err := btf.NewBuilder(structs, nil)
	if err != nil {
		return described, fmt.Errorf("grain %s: gather BTF: %w", g.Name, err)
	}
	described.BTF, err = types.Marshal(nil, &btf.MarshalOptions{Order: binary.LittleEndian})
	if err != nil {
		return described, fmt.Errorf("grain %s: write BTF: %w", g.Name, err)
	}
	return described, nil
}

// fieldsOf is the layout of an event whose struct is not known: the size of
// the shortest body that it accepts, and a line for each field.
func fieldsOf(e *Event) string {
	var b strings.Builder
	if e.Check != nil {
		var zeros [1 << 16]byte
		size := 0
		for size < len(zeros) && !e.Check(zeros[:size]) {
			size++
		}
		fmt.Fprintf(&b, "body %d\n", size)
	}
	for _, f := range e.Fields {
		fmt.Fprintf(&b, "%s type %d\n", f.Name, f.Type)
	}
	return b.String()
}

// layoutOf writes a line for the struct's size and one for each leaf: its
// path, offset, size and kind. A number in brackets is an array's length; an
// array without one holds a variable part, whose place the record says.
func layoutOf(s *btf.Struct) string {
	var b strings.Builder
	fmt.Fprintf(&b, "struct %d\n", s.Size)
	writeMembers(&b, "", 0, s.Members)
	return b.String()
}

func writeMembers(b *strings.Builder, path string, at uint32, members []btf.Member) {
	for _, m := range members {
		name := m.Name
		if path != "" && name != "" {
			name = path + "." + name
		}
		writeLeaf(b, name, at+m.Offset.Bytes(), m.Type)
	}
}

func writeLeaf(b *strings.Builder, path string, at uint32, typ btf.Type) {
	switch t := btf.UnderlyingType(typ).(type) {
	case *btf.Struct:
		writeMembers(b, path, at, t.Members)
	case *btf.Array:
		if t.Nelems == 0 {
			fmt.Fprintf(b, "%s[] %d\n", path, at)
			return
		}
		writeLeaf(b, fmt.Sprintf("%s[%d]", path, t.Nelems), at, t.Type)
	case *btf.Int:
		fmt.Fprintf(b, "%s %d %d %s\n", path, at, t.Size, t.Encoding)
	case *btf.Enum:
		fmt.Fprintf(b, "%s %d %d enum\n", path, at, t.Size)
	default:
		size, _ := btf.Sizeof(t)
		fmt.Fprintf(b, "%s %d %d %T\n", path, at, size, t)
	}
}

// place is where this agent has a recorded event.
type place struct{ grain, event uint16 }

// nowhere is an index that no grain and no event has.
const nowhere = 0xffff

// Map makes Next number grains and events as here, whose order may be another
// one than the recording's. It refuses, naming each, the recorded events that
// here are missing or lie in memory in another way.
func (r *RecordingReader) Map(here []RecordedGrain) error {
	var errs []error
	places := make([][]place, len(r.grains))
	for i, then := range r.grains {
		g := slices.IndexFunc(here, func(g RecordedGrain) bool { return g.Name == then.Name })
		if g < 0 {
			errs = append(errs, fmt.Errorf("grain %s is in the recording, and not in this agent", then.Name))
			continue
		}
		for _, event := range then.Events {
			e := slices.IndexFunc(here[g].Events, func(e RecordedEvent) bool { return e.Name == event.Name })
			if e < 0 {
				errs = append(errs, fmt.Errorf("event %s.%s is in the recording, and not in this agent", then.Name, event.Name))
				continue
			}
			if now := here[g].Events[e].Layout; now != event.Layout {
				errs = append(errs, fmt.Errorf("event %s.%s was recorded with another layout: %s", then.Name, event.Name, layoutChange(event.Layout, now)))
			}
			places[i] = append(places[i], place{uint16(g), uint16(e)})
		}
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	r.places = places
	return nil
}

// layoutChange is the first line that differs.
func layoutChange(then, now string) string {
	a, b := strings.Split(then, "\n"), strings.Split(now, "\n")
	for i := range max(len(a), len(b)) {
		was, is := "", ""
		if i < len(a) {
			was = a[i]
		}
		if i < len(b) {
			is = b[i]
		}
		if was != is {
			return fmt.Sprintf("%q there, %q here", was, is)
		}
	}
	return "none"
}

// place writes this agent's numbers into the head of a recorded record. One
// that the recording does not describe gets numbers that nobody has.
func (r *RecordingReader) place(raw []byte) {
	if r.places == nil {
		return
	}
	head, ok := ParseHead(raw)
	if !ok {
		return
	}
	to := place{nowhere, nowhere}
	if int(head.Grain) < len(r.places) && int(head.Event) < len(r.places[head.Grain]) {
		to = r.places[head.Grain][head.Event]
	}
	binary.LittleEndian.PutUint16(raw[12:], to.grain)
	binary.LittleEndian.PutUint16(raw[14:], to.event)
}
