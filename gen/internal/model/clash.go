// SPDX-License-Identifier: Apache-2.0

package model

import (
	"fmt"
	"strings"

	"github.com/redsift/ingraind/gen/internal/diag"
)

// names finds two things that come out under one name.
type names struct {
	language string
	owners   map[string]string // of each name: what has it
	mistake  *diag.List
}

// claim gives names to owner, unless one of them is taken.
func (n *names) claim(pos diag.Pos, owner string, claimed ...string) {
	for _, name := range claimed {
		if other, taken := n.owners[name]; taken {
			n.mistake.Add(pos, "%s is called %s in %s, and so is %s; rename it", owner, name, n.language, other)
			return
		}
	}
	for _, name := range claimed {
		n.owners[name] = owner
	}
}

// goNames sees that the Go of a grain declares each name once.
func (b *binder) goNames() {
	n := &names{"Go", map[string]string{"New": "the function that describes a grain"}, &b.mistake}
	stem := b.grain.Name
	load := "load" + strings.ToUpper(stem[:1]) + stem[1:]
	for _, name := range []string{load, load + "Objects"} {
		n.owners[name] = "a function of bpf2go"
	}
	for _, part := range []string{"Specs", "ProgramSpecs", "MapSpecs", "VariableSpecs", "Objects", "Maps", "Variables", "Programs"} {
		n.owners[stem+part] = "a type of bpf2go"
	}
	for _, e := range b.grain.Events {
		n.claim(b.spec.Events[e.Index].Name.Pos, "event "+e.Name,
			e.Go, e.Go+"View", "New"+e.Go+"View", "Decode"+e.Go, "check"+e.Go, "append"+e.Go+"JSON", "append"+e.Go+"Values", lowerName(e.Go)+"Parser")
	}
	for _, s := range b.grain.Structs {
		n.claim(b.wordPos(s.Name), "struct "+s.Name, s.Go)
	}
	for _, e := range b.grain.Enums {
		n.claim(b.wordPos(e.Name), "enum "+e.Name, "name"+e.Go)
	}
	for i, t := range b.grain.Tables {
		n.claim(b.spec.Tables[i].Name.Pos, "table "+t.Name, lowerName(t.Go)+"Table", lowerName(t.Go)+"Cells", "new"+t.Go)
		labels := &names{"Go", map[string]string{}, &b.mistake}
		for k, c := range t.Cells {
			labels.claim(b.spec.Tables[i].Cells[k].Label.Pos, "cell "+c.Label, goName(c.Label))
		}
	}
	for _, e := range b.grain.Events {
		b.accessors(e)
	}
}

func lowerName(name string) string { return strings.ToLower(name[:1]) + name[1:] }

// accessors sees that no two values of an event have one accessor.
func (b *binder) accessors(e *Event) {
	type owner struct{ in, path string }
	seen := map[string]owner{}
	var walk func(fields []*Field, name, path string)
	walk = func(fields []*Field, name, path string) {
		for _, f := range fields {
			method := name + f.Go
			if f.Leaf == nil {
				walk(f.Fields, method, path+f.Member+".")
				continue
			}
			this := owner{path, path + f.Member}
			if other, taken := seen[method]; taken && other.in != this.in { // else its struct has said so
				b.mistake.Add(f.pos, "%s is called %s in Go, and so is %s; rename it", this.path, method, other.path)
			}
			seen[method] = this
		}
	}
	walk(e.Fields, "", "")
}

// cNames sees that the generated header declares each name once.
func (b *binder) cNames() {
	n := &names{"C", map[string]string{}, &b.mistake}
	for _, p := range b.grain.Probes {
		var all []string
		for _, at := range p.Points {
			if at.Bind != "" {
				all = append(all, at.Bind)
			}
			for _, w := range at.Ways {
				for _, program := range w.Programs {
					all = append(all, program.Name)
				}
			}
			if at.Syscall != nil {
				all = append(all, at.Stem+"_nr", at.Stem+"_compat")
				for i := range p.Params {
					all = append(all, fmt.Sprintf("%s_arg%d", at.Stem, i))
				}
			}
			all = append(all, at.Stem+"_calls")
		}
		n.claim(b.spec.Probes[p.Index].Name.Pos, "probe "+p.Name, all...)
	}
}

// wordPos is where the C file says a name first.
func (b *binder) wordPos(name string) diag.Pos {
	if pos, ok := b.source.Words[name]; ok {
		return pos
	}
	return diag.Pos{File: b.source.Name}
}

// whoPos is where an event has its struct who.
func (b *binder) whoPos(e *Event) diag.Pos {
	for _, f := range e.Fields {
		if f.Struct != nil && f.Struct.Name == "who" {
			return f.pos
		}
	}
	return diag.Pos{File: b.source.Name}
}
