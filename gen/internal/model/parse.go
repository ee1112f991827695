// SPDX-License-Identifier: Apache-2.0

package model

import (
	"fmt"
	"slices"
	"strings"

	"github.com/redsift/ingraind/gen/internal/diag"
	"github.com/redsift/ingraind/gen/internal/golang"
	"github.com/redsift/ingraind/gen/internal/spec"
)

// Parse is the function of Go that reads an event's raw bytes.
type Parse struct {
	Dir    string // of its package, from the site's root: "grains/dns"
	Func   string // func Func(b []byte, to *Struct) bool
	Struct string
	Raw    *Field // the member that it reads
	Fields []*Field
	Size   int // bytes of what it gives, behind the C struct: Fields, then whether it could read the bytes
}

// given is a type that a function of Go can give a field.
type given struct {
	leaf Leaf
	code string // in Go
}

var givens = map[string]given{
	"text":    {Leaf{Type: "TypeText", Size: 8}, "[]byte"},
	"words":   {Leaf{Type: "TypeWords", Size: 8}, "[]byte"},
	"bool":    {Leaf{Type: "TypeBool", Size: 1}, "bool"},
	"__u8":    {Leaf{Type: "TypeUint", Size: 1}, "uint8"},
	"__u16":   {Leaf{Type: "TypeUint", Size: 2}, "uint16"},
	"__u32":   {Leaf{Type: "TypeUint", Size: 4}, "uint32"},
	"__u64":   {Leaf{Type: "TypeUint", Size: 8}, "uint64"},
	"__s8":    {Leaf{Type: "TypeInt", Size: 1, Signed: true}, "int8"},
	"__s16":   {Leaf{Type: "TypeInt", Size: 2, Signed: true}, "int16"},
	"__s32":   {Leaf{Type: "TypeInt", Size: 4, Signed: true}, "int32"},
	"__s64":   {Leaf{Type: "TypeInt", Size: 8, Signed: true}, "int64"},
	"ip_t":    {Leaf{Type: "TypeIP", Size: 16}, "[16]byte"},
	"ip4_t":   {Leaf{Type: "TypeIP4", Size: 4}, "[4]byte"},
	"mac_t":   {Leaf{Type: "TypeMAC", Size: 6}, "[6]byte"},
	"port_t":  {Leaf{Type: "TypePort", Size: 2}, "uint16"},
	"bytes_t": {Leaf{Type: "TypeBytes", Size: 8}, "uint64"},
	"nsecs_t": {Leaf{Type: "TypeDuration", Size: 8}, "uint64"},
}

const mostParts = 1<<16 - 1 // bytes of all variable parts of an event: where they are has 16 bits

// parse finds the bytes of an event that no row shows, and adds the fields that
// its function of Go reads in them, behind those of the C struct.
func (b *binder) parse(event *Event, e spec.Event) {
	raw := b.raw(event, e)
	if !e.Parse.Given() {
		return
	}
	for _, f := range event.Fields {
		if f.Go == "Parsed" {
			b.mistake.Add(f.pos, "_data_%s.%s is called Parsed in Go, and so is whether %s could read the event; rename it", event.Name, f.Name, e.Parse.Text)
		}
	}
	p := &Parse{Dir: "grains/" + b.grain.Name, Func: e.Parse.Text, Raw: raw}
	for _, y := range e.Fields {
		if y.Type.Given() {
			b.parsedField(event, p, y)
		}
	}
	p.Size++
	room := event.room()
	for _, f := range p.Fields {
		room += f.Leaf.Room
	}
	if room > mostParts {
		b.mistake.Add(e.Parse.Pos, "the variable parts of event %s may have %d bytes, more than %d; give its text and words less room", event.Name, room, mostParts)
	}
	if e.Parse.Text != "" && (b.beside == nil || !b.beside.Broken) {
		b.function(p, event, e)
	}
	event.Parse = p
}

// raw is the one member of an event that holds raw bytes.
func (b *binder) raw(event *Event, e spec.Event) (raw *Field) {
	for f := range Leaves(event.Fields) {
		switch {
		case f.Leaf.Type != "TypeRaw":
			continue
		case !e.Parse.Given():
			b.mistake.Add(f.pos, "%s is raw bytes, which no row shows; event %s has no parse, a function of Go that reads them", f.Path, event.Name)
		case raw != nil:
			b.mistake.Add(f.pos, "event %s has a second raw(n), %s; its function of Go reads one", event.Name, f.Path)
		}
		hide(f)
		raw = f
	}
	if raw == nil && e.Parse.Given() {
		b.mistake.Add(e.Parse.Pos, "event %s has nothing to parse: struct _data_%s has no raw(n)", event.Name, event.Name)
	}
	return raw
}

// parsedField adds one field.
func (b *binder) parsedField(event *Event, p *Parse, y spec.Field) {
	name := y.Path.Text
	kind, known := givens[y.Type.Kind]
	if !known {
		return // spec has said so
	}
	leaf := kind.leaf
	leaf.Room = y.Type.Room
	f := &Field{Name: name, Member: name, Go: goName(name), Path: name, Offset: event.Size + p.Size, Leaf: &leaf, Parsed: true, pos: y.Path.Pos}
	for _, other := range event.Fields {
		switch {
		case other.Member == name:
			b.mistake.Add(y.Path.Pos, "struct _data_%s has a member %s too; take another name", event.Name, name)
			return
		case other.Go == f.Go:
			b.mistake.Add(y.Path.Pos, "%s is called %s in Go, and so is %s; rename it", name, f.Go, other.Member)
			return
		}
	}
	if f.Go == "Time" || f.Go == "Parsed" {
		b.mistake.Add(y.Path.Pos, "%s is called %s in Go, as a part of every event that is parsed; rename it", name, f.Go)
		return
	}
	p.Size += leaf.Size
	p.Fields = append(p.Fields, f)
	event.Fields = append(event.Fields, f)
}

// function finds the function of Go, and sees that it fills what the YAML says.
func (b *binder) function(p *Parse, event *Event, e spec.Event) {
	if b.beside == nil {
		b.mistake.Add(e.Parse.Pos, "event %s is parsed by %s, but there is no Go in %s", event.Name, p.Func, p.Dir)
		return
	}
	f := b.beside.Func(p.Func)
	if f == nil {
		var names []string
		for _, f := range b.beside.Funcs {
			names = append(names, f.Name)
		}
		b.mistake.Add(e.Parse.Pos, "package %s has no function %s%s", p.Dir, p.Func, diag.DidYouMean(p.Func, names))
		return
	}
	if len(f.Params) == 2 && f.Params[0] == "[]byte" && slices.Equal(f.Results, []string{"bool"}) {
		p.Struct = strings.TrimPrefix(f.Params[1], "*")
	}
	s := b.beside.Struct(p.Struct)
	if s == nil || f.Params[1] != "*"+p.Struct {
		b.mistake.Add(f.Pos, "func %s must have the form func %s(b []byte, to *STRUCT) bool, with a struct of its package", p.Func, p.Func)
		return
	}
	for _, field := range p.Fields {
		kind := e.Field(field.Member).Type
		want := givens[kind.Kind].code
		switch g := s.Field(field.Go); {
		case g == nil:
			b.mistake.Add(field.pos, "field %s needs a %s %s in struct %s of %s%s", field.Member, field.Go, want, s.Name, p.Dir, diag.DidYouMean(field.Go, exported(s)))
		case strings.ReplaceAll(g.Type, "byte", "uint8") != strings.ReplaceAll(want, "byte", "uint8"):
			b.mistake.Add(g.Pos, "%s.%s is %s, and field %s of event %s is %s: write %s", s.Name, g.Name, g.Type, field.Member, event.Name, kind.Text, want)
		}
		b.filled[s.Name+"."+field.Go] = true
	}
}

// exported are the names that a struct shows.
func exported(s *golang.Struct) []string {
	var names []string
	for _, f := range s.Fields {
		if f.Name[0] >= 'A' && f.Name[0] <= 'Z' {
			names = append(names, f.Name)
		}
	}
	return names
}

// unusedGo finds what functions of Go give and no event shows.
func (b *binder) unusedGo() {
	if b.beside == nil || b.beside.Broken {
		return
	}
	parsed := false
	structs := map[string]bool{}
	for _, e := range b.grain.Events {
		if e.Parse != nil {
			parsed, structs[e.Parse.Struct] = true, true
		}
	}
	if !parsed {
		b.mistake.Add(b.beside.Pos, "no event of %s has parse, so nobody calls the functions of package %s", b.spec.File, b.beside.Name)
	}
	for i := range b.beside.Structs {
		s := &b.beside.Structs[i]
		for _, name := range exported(s) {
			if structs[s.Name] && !b.filled[s.Name+"."+name] {
				b.mistake.Add(s.Field(name).Pos, "%s.%s is a field of no event; list it in %s, or begin it with a small letter", s.Name, name, b.spec.File)
			}
		}
	}
}

// inGo says why programs cannot know a field.
func (p *Parse) inGo(f *Field) error {
	return fmt.Errorf("%s is read by %s, which is Go", f.Member, p.Func)
}
