// SPDX-License-Identifier: Apache-2.0

package spec

import (
	"go/token"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// Parsed is the type of a field that a function of Go gives, as ingrain.h
// calls it: "port_t", "text(64)".
type Parsed struct {
	Value
	Kind string // without its room: "text"
	Room int    // of a text or words, bytes
}

// parsedKinds are the types that such a field can have. What means something
// only to the kernel that wrote it, a moment or an id, is none of them.
var parsedKinds = words(`text words bool __u8 __u16 __u32 __u64 __s8 __s16 __s32 __s64
	ip_t ip4_t mac_t port_t bytes_t nsecs_t`)

const mostRoom = 1 << 15 // bytes of a text or words

var roomPattern = regexp.MustCompile(`^(text|words)\(([0-9]+)\)$`)

// function reads the name of the function that an event's `parse` gives. One
// that cannot be is given, and without text.
func (p *parser) function(n *yaml.Node) Value {
	v, ok := p.scalar(n, "parse")
	if ok && token.IsIdentifier(v.Text) && token.IsExported(v.Text) {
		return v
	}
	if ok {
		p.mistakes.Add(v.Pos, "parse %q must be the name of a function of Go, which begins with a capital", v.Text)
	}
	return Value{Pos: p.pos(n)}
}

// parsed reads the type of a field.
func (p *parser) parsed(n *yaml.Node) Parsed {
	v, ok := p.scalar(n, "type")
	if !ok {
		return Parsed{}
	}
	t := Parsed{Value: v, Kind: v.Text}
	if m := roomPattern.FindStringSubmatch(v.Text); m != nil {
		t.Kind = m[1]
		t.Room, _ = strconv.Atoi(m[2])
		if t.Room < 2 || t.Room > mostRoom {
			p.mistakes.Add(v.Pos, "type %s: the room must be between 2 and %d bytes", v.Text, mostRoom)
		}
		return t
	}
	switch kind, _, _ := strings.Cut(t.Kind, "("); {
	case kind == "text" || kind == "words":
		p.mistakes.Add(v.Pos, "type %s needs a room, the bytes that it may have: %s(64)", v.Text, kind)
	case !slices.Contains(parsedKinds, t.Kind):
		p.mistakes.Add(v.Pos, "unknown type %q%s", v.Text, suggest(v.Text, parsedKinds, "a function of Go gives "))
	}
	return t
}

// checkParse sees that an event with a function of Go has fields of it, and
// that no other has.
func (p *parser) checkParse(e Event) {
	given := false
	for _, f := range e.Fields {
		given = given || f.Type.Given()
		if f.Type.Given() && !e.Parse.Given() {
			p.mistakes.Add(f.Type.Pos, "field %q has a type, but event %q has no parse that gives it; the types of other fields are those of the C struct", f.Path.Text, e.Name.Text)
		}
	}
	if e.Parse.Given() && !given {
		p.mistakes.Add(e.Parse.Pos, "event %q has no field that %s gives; list them in fields, each with type and help", e.Name.Text, e.Parse.Text)
	}
}
