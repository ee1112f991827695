// SPDX-License-Identifier: Apache-2.0

package model

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/redsift/ingraind/gen/internal/expr"
	"github.com/redsift/ingraind/gen/internal/spec"
)

// vars are the names that an expression about an event may use: its fields, as
// the C calls them, and the grain's params.
func (b *binder) vars(e *Event) []expr.Var {
	var vars []expr.Var
	var walk func(fields []*Field, path, method string)
	walk = func(fields []*Field, path, method string) {
		for _, f := range fields {
			switch {
			case f.Struct != nil:
				walk(f.Fields, path+f.Member+".", method+f.Go)
			case f.Leaf != nil:
				v := expr.Var{
					Path: path + f.Member, Type: f.Leaf.Type, Size: f.Leaf.Size, Signed: f.Leaf.Signed, Room: f.Leaf.Room, Align: alignOf(f.Offset),
					C: "v->" + path + f.Member, Go: "v." + method + f.Go + "()",
				}
				if f.Parsed {
					v.C, v.Why = "", e.Parse.inGo(f)
				}
				if f.Leaf.Enum != nil {
					v.Enum = enumValues(f.Leaf.Enum)
				}
				vars = append(vars, v)
			}
		}
	}
	walk(e.Fields, "", "")
	if e.Parse != nil {
		vars = append(vars, expr.Var{
			Path: "parsed", Type: "TypeBool", Size: 1, Go: "v.Parsed()",
			Why: fmt.Errorf("parsed says what became of %s, which is Go", e.Parse.Func),
		})
	}
	for i, p := range b.grain.Params {
		if p.Type != "syscalls" && p.Type != "paths" { // these are no values
			vars = append(vars, paramVar(i, p))
		}
	}
	return vars
}

// conditions compiles what the YAML says of which events are wanted.
func (b *binder) conditions(e *Event, s spec.Event) {
	b.where(e, s)
	if per := s.Stream.Per; per.Given() {
		e.Per = b.column(spec.Column{Label: spec.Value{Text: "per", Pos: per.Pos}, Expression: per}, b.vars(e))
		if e.Per != nil {
			if err := e.Per.Expr.InC(); err != nil {
				b.mistake.Add(per.Pos, "per: limits are kept in the kernel: %v", err)
			}
		}
	}
}

// where compiles the condition of an event.
func (b *binder) where(e *Event, s spec.Event) {
	if !s.Where.Given() {
		return
	}
	all, mistakes := expr.Compile(expr.Source{Text: s.Where.Text, Pos: s.Where.Place}, b.vars(e), expr.WantBool)
	b.mistake.Join(mistakes)
	if all == nil || mistakes.Len() > 0 {
		return
	}
	e.Condition = strings.Join(strings.Fields(s.Where.Text), " ")
	for _, part := range all.Conjuncts() {
		if part.InC() == nil {
			e.Reject = append(e.Reject, Test{Expr: part})
		} else {
			e.Where = append(e.Where, part)
		}
	}
	// The cheap ones first; those that read who after those that do not.
	slices.SortStableFunc(e.Reject, func(x, y Test) int {
		return cmp.Or(
			cmp.Compare(len(e.whoOf(x.Vars())), len(e.whoOf(y.Vars()))),
			cmp.Compare(x.Cost(), y.Cost()))
	})
}

// fills decides when the members of an event's struct who are filled in.
func (e *Event) fills() {
	have := map[string]bool{}
	need := func(vars []*expr.Var) (missing []string) {
		for _, m := range e.whoOf(vars) {
			if !have[m] {
				have[m] = true
				missing = append(missing, m)
			}
		}
		return missing
	}
	for i := range e.Reject {
		e.Reject[i].Who = need(e.Reject[i].Vars())
	}
	var counted, sent []*expr.Var
	for _, t := range e.Tables {
		if t.Kernel {
			counted = append(counted, t.vars()...)
		} else {
			sent = append(sent, t.vars()...)
			e.Sent = true
		}
	}
	e.Sent = e.Sent || e.Stream
	e.Who.Tables = need(counted)
	if e.Per != nil {
		e.Who.Tables = append(e.Who.Tables, need(e.Per.Expr.Vars())...)
	}
	if !e.Sent {
		e.whoAll(have)
		return
	}
	for _, w := range e.Where {
		sent = append(sent, w.Vars()...)
	}
	e.Who.Sent = need(sent)
	for _, m := range e.shownWho() {
		if e.Stream && !have[m] {
			have[m] = true
			e.Who.Sent = append(e.Who.Sent, m)
		}
	}
	e.whoAll(have)
}

// whoMembers are the members of struct who, in its order.
var whoMembers = []string{"cgroup", "comm", "pid", "tid", "ppid", "uid"}

// whoOf are the members of the event's struct who that vars speak of.
func (e *Event) whoOf(vars []*expr.Var) []string {
	var members []string
	for _, v := range vars {
		if m, ok := strings.CutPrefix(v.Path, e.Who.Member+"."); ok && e.Who.Member != "" {
			members = append(members, m)
		}
	}
	return members
}

// shownWho are the members of the event's struct who that rows show.
func (e *Event) shownWho() (shown []string) {
	for _, f := range e.Fields {
		if f.Struct == nil || f.Struct.Name != "who" {
			continue
		}
		for _, m := range f.Fields {
			if !m.Hidden {
				shown = append(shown, m.Member)
			}
		}
	}
	return shown
}

// whoAll notes which members are filled in at all.
func (e *Event) whoAll(have map[string]bool) {
	for _, m := range whoMembers {
		if have[m] {
			e.Who.All = append(e.Who.All, m)
		}
	}
}

// vars are the names that a table's key and cells speak of.
func (t *Table) vars() []*expr.Var {
	var vars []*expr.Var
	for _, c := range t.Key {
		vars = append(vars, c.Expr.Vars()...)
	}
	for _, c := range t.Cells {
		if c.Expr.Arg != nil {
			vars = append(vars, c.Expr.Arg.Vars()...)
		}
	}
	return vars
}

// alignOf is what an address at an offset of an event, which itself is one of
// 8, is a multiple of.
func alignOf(offset int) int {
	align := 8
	for offset%align != 0 {
		align /= 2
	}
	return align
}

func enumValues(e *Enum) []expr.EnumValue {
	var values []expr.EnumValue
	for _, v := range e.Values {
		values = append(values, expr.EnumValue(v))
	}
	return values
}

// Params reports whether the table's expressions speak of params.
func (t *Table) Params() bool {
	return slices.ContainsFunc(t.vars(), func(v *expr.Var) bool { return strings.HasPrefix(v.Path, "params.") })
}

// paramVar is the name of a grain's param number i.
func paramVar(i int, p Param) expr.Var {
	types := map[string]string{"integer": "TypeInt", "bytes": "TypeBytes", "duration": "TypeDuration", "bool": "TypeBool"}
	return expr.Var{
		Path: "params." + p.Name, Type: types[p.Type], Size: 8, Signed: p.Type == "integer",
		C: "PARAM_" + p.Name, Go: fmt.Sprintf("params[%d]", i),
	}
}
