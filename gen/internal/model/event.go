// SPDX-License-Identifier: Apache-2.0

package model

import (
	"strconv"

	"github.com/cilium/ebpf/btf"

	"github.com/redsift/ingraind/gen/internal/diag"
	"github.com/redsift/ingraind/gen/internal/source"
	"github.com/redsift/ingraind/gen/internal/spec"
)

// whoHelp says what the members of struct who and struct owner are.
var whoHelp = map[string]string{
	"cgroup": "Its cgroup v2 id, the inode number of the cgroup's directory.",
	"comm":   "Name of the thread.",
	"pid":    "The process: its thread group's id.",
	"tid":    "The thread.",
	"ppid":   "The parent process.",
	"uid":    "User id.",
}

func (b *binder) event(index int, e spec.Event) {
	name := e.Name.Text
	layout := b.layouts.Struct("_data_" + name)
	if layout == nil {
		return // Names has said so
	}
	event := &Event{Index: index, Name: name, Go: goName(name), Help: e.Help.Text, Stream: e.Stream.On, Sample: e.Stream.Sample, Limit: e.Stream.Limit, Size: int(layout.Size)}
	for _, s := range e.Sinks {
		event.Sinks = append(event.Sinks, s.Text)
	}
	w := &walk{binder: b, in: b.source.Struct("_data_" + name), event: event, leaves: new(int)}
	event.Fields = w.members(layout, 0, "", "Time")
	b.parse(event, e)
	b.fields(event, e)
	for _, f := range event.Fields {
		if f.Struct == nil || f.Struct.Name != "who" {
			continue
		}
		if event.Who.Member != "" {
			b.mistake.Add(f.pos, "event %s has a second struct who; one says who caused it, keep others in a struct owner", name)
		}
		event.Who.Member = f.Member
	}
	shown := 0
	for leaf := range Leaves(event.Fields) {
		if !leaf.Hidden {
			shown++
		}
	}
	switch {
	case shown > maxLeaves:
		b.mistake.Add(e.Name.Pos, "event %s has %d values, more than the %d of a row; make its arrays shorter", name, shown, maxLeaves)
	case shown == 0 && w.whole:
		b.mistake.Add(e.Name.Pos, "event %s has no value that rows show; give struct _data_%s a member, or hide fewer", name, name)
	}
	b.grain.Events = append(b.grain.Events, event)
}

const (
	maxLeaves = 128      // columns of a row
	maxParts  = 64 << 10 // values of an event, hidden ones included, that are looked at
)

// walk goes through the members of one event's struct.
type walk struct {
	*binder
	in     *source.Struct // the struct whose members are being read, for positions
	event  *Event
	leaves *int // how many there were so far
	whole  bool // every member could be read
}

// pos is where the C file names the member; the struct when it cannot tell.
func (w *walk) pos(member string) diag.Pos {
	if w.in == nil {
		return diag.Pos{File: w.source.Name}
	}
	if m := w.in.Member(member); m != nil {
		return m.Pos
	}
	return w.in.Pos
}

// members are the fields of a struct at offset. Of Go names, taken is one that
// its Go type has already, "" for none.
func (w *walk) members(s *btf.Struct, offset int, path, taken string) []*Field {
	var fields []*Field
	w.whole = true
	for _, m := range s.Members {
		f := w.member(s, m, offset, path)
		if f == nil {
			w.whole = false
			continue
		}
		if f.Go == taken {
			w.mistake.Add(f.pos, "%s.%s is called %s in Go, and so is the time of every event; rename it", s.Name, f.Name, f.Go)
		}
		for _, before := range fields {
			if before.Go == f.Go {
				w.mistake.Add(f.pos, "%s.%s is called %s in Go, and so is %s; rename it", s.Name, f.Name, f.Go, before.Name)
			}
		}
		fields = append(fields, f)
	}
	return fields
}

// member makes the field of one member of s, nil with a mistake.
func (w *walk) member(s *btf.Struct, m btf.Member, offset int, path string) *Field {
	switch {
	case m.Name == "":
		w.mistake.Add(w.pos(inside(m.Type)), "struct %s has a %s without a name; give it one, or write its members directly", s.Name, aggregate(m.Type))
	case !plain(m.Name):
		w.mistake.Add(w.pos(m.Name), "%s.%s: the name of a member has only letters, digits and _", s.Name, m.Name)
	case m.BitfieldSize > 0:
		w.mistake.Add(w.pos(m.Name), "%s.%s: a bitfield has no address; write __u8 %s, or bool", s.Name, m.Name, m.Name)
	default:
		return w.field(m.Name, m.Type, offset+int(m.Offset.Bytes()), path+m.Name, s.Name+"."+m.Name, m.Name)
	}
	return nil
}

// inside is a member of a struct or union without a name, by which it is found
// in the source.
func inside(t btf.Type) string {
	var members []btf.Member
	switch t := t.(type) {
	case *btf.Struct:
		members = t.Members
	case *btf.Union:
		members = t.Members
	}
	for _, m := range members {
		if m.Name != "" {
			return m.Name
		}
		if name := inside(m.Type); name != "" {
			return name
		}
	}
	return ""
}

func aggregate(t btf.Type) string {
	if _, ok := t.(*btf.Union); ok {
		return "union"
	}
	return "struct"
}

// field makes the field of one member. what names it in messages, and at is
// the member that its position is taken from.
func (w *walk) field(name string, t btf.Type, offset int, path, what, at string) *Field {
	f := &Field{Name: name, Member: name, Go: goName(name), Path: path, Offset: offset, pos: w.pos(at)}
	leaf, err := w.leafOf(t)
	if err != nil {
		w.mistake.Add(w.pos(at), "%s: %s", what, err)
		return nil
	}
	if leaf != nil {
		if leaf.Enum != nil && leaf.Enum.Name == "" {
			w.mistake.Add(w.pos(at), "%s: the enum has no name to show values under; give it one", what)
			return nil
		}
		f.Leaf = leaf
		*w.leaves++
		return f
	}
	switch typ := btf.UnderlyingType(t).(type) {
	case *btf.Struct:
		if typ.Name == "" {
			w.mistake.Add(w.pos(at), "%s: the struct has no name; define it as struct NAME { ... } and use that", what)
			return nil
		}
		if typ.Name == "who" && path != name {
			w.mistake.Add(w.pos(at), "%s: struct who must be a member of the event itself, so that emit_%s finds it", what, w.event.Name)
			return nil
		}
		inner := &walk{binder: w.binder, in: w.source.Struct(typ.Name), event: w.event, leaves: w.leaves}
		f.Fields = inner.members(typ, offset, path+".", "")
		if !inner.whole {
			return nil
		}
		if len(f.Fields) == 0 {
			w.mistake.Add(w.pos(at), "%s: struct %s has no members", what, typ.Name)
			return nil
		}
		f.Struct = w.structure(typ.Name, f.Fields)
		if f.Struct.Shared {
			for _, m := range f.Fields {
				m.Help = whoHelp[m.Member]
			}
		}
	case *btf.Array:
		size, err := btf.Sizeof(typ.Type)
		if err != nil || typ.Nelems == 0 {
			w.mistake.Add(w.pos(at), "%s: an array needs a length; for a variable one write text(n) or words(n)", what)
			return nil
		}
		if typ.Nelems > maxLeaves {
			w.mistake.Add(w.pos(at), "%s: an array of %d is more than the %d values of a row", what, typ.Nelems, maxLeaves)
			return nil
		}
		for i := range int(typ.Nelems) {
			n := strconv.Itoa(i)
			element := w.field(n, typ.Type, offset+i*size, path+"."+n, what, at)
			if element == nil {
				return nil
			}
			element.Go = n
			if *w.leaves > maxParts {
				w.mistake.Add(w.pos(at), "%s: an event of more than %d values; a row has at most %d", what, maxParts, maxLeaves)
				return nil
			}
			if element.Leaf != nil && element.Leaf.Room > 0 {
				w.mistake.Add(w.pos(at), "%s: there are no arrays of text or words; write words(n), or a member for each", what)
				return nil
			}
			f.Fields = append(f.Fields, element)
		}
	default:
		w.mistake.Add(w.pos(at), "%s: rows cannot show this; %s", what, readableTypes)
		return nil
	}
	return f
}

// structure is the Go type of a nested struct, one for each name.
func (b *binder) structure(name string, fields []*Field) *Struct {
	if name == "who" || name == "owner" {
		return &Struct{Name: name, Go: "Who", Shared: true, Fields: fields}
	}
	for _, s := range b.grain.Structs {
		if s.Name == name {
			return s
		}
	}
	s := &Struct{Name: name, Go: goName(name), Fields: fields}
	b.grain.Structs = append(b.grain.Structs, s)
	return s
}
