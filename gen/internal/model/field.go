// SPDX-License-Identifier: Apache-2.0

package model

import (
	"iter"
	"slices"

	"github.com/redsift/ingraind/gen/internal/diag"
	"github.com/redsift/ingraind/gen/internal/spec"
)

// fields applies what the YAML says of an event's fields.
func (b *binder) fields(event *Event, e spec.Event) {
	all := map[string]*Field{}
	var paths []string
	for f := range every(event.Fields) {
		all[f.Path] = f
		paths = append(paths, f.Path)
	}
	for _, y := range e.Fields {
		f := all[y.Path.Text]
		if f == nil && y.Type.Given() {
			continue // parse has said why
		}
		if f == nil {
			b.mistake.Add(y.Path.Pos, "event %s has no field %s%s", event.Name, y.Path.Text, diag.DidYouMean(y.Path.Text, paths))
			continue
		}
		if y.Help.Given() {
			f.Help = y.Help.Text
		}
		if y.Label.Given() {
			f.Name, f.pos = y.Label.Text, y.Label.Pos
		}
		if y.Hide {
			hide(f)
		}
	}
	hideEmpty(event.Fields)
	b.rename(event, event.Fields, "", map[string]string{"time": everyRow, "grain": everyRow, "event": everyRow, "weight": everyRow})
}

const everyRow = "every row has one"

// rename gives each field its path in rows, from labels, and sees that no two
// of a struct are the same. seen says what each name is taken by.
func (b *binder) rename(event *Event, fields []*Field, prefix string, seen map[string]string) {
	claim := func(f *Field, name, by string) {
		if why, taken := seen[name]; taken {
			b.mistake.Add(f.pos, "event %s has a second value called %s%s in rows: %s; give one a label", event.Name, prefix, name, why)
		}
		seen[name] = by
	}
	for _, f := range fields {
		if f.Hidden {
			continue
		}
		claim(f, f.Name, "member "+f.Member+" is one")
		if f.Leaf != nil && f.Leaf.Room > 0 {
			claim(f, f.Name+"_cut", "it says that "+f.Name+" was cut")
		}
		f.Path = prefix + f.Name
		b.rename(event, f.Fields, f.Path+".", map[string]string{})
	}
}

// hideEmpty hides structs and arrays of which nothing is shown.
func hideEmpty(fields []*Field) {
	for _, f := range fields {
		if f.Leaf != nil {
			continue
		}
		hideEmpty(f.Fields)
		f.Hidden = !slices.ContainsFunc(f.Fields, func(in *Field) bool { return !in.Hidden })
	}
}

func hide(f *Field) {
	f.Hidden = true
	for _, inner := range f.Fields {
		hide(inner)
	}
}

// every goes through fields and all their parts.
func every(fields []*Field) iter.Seq[*Field] {
	return func(yield func(*Field) bool) { walkFields(fields, yield) }
}

func walkFields(fields []*Field, yield func(*Field) bool) bool {
	for _, f := range fields {
		if !yield(f) || !walkFields(f.Fields, yield) {
			return false
		}
	}
	return true
}

// Leaves goes through the values of fields, in order.
func Leaves(fields []*Field) iter.Seq[*Field] {
	return func(yield func(*Field) bool) {
		for f := range every(fields) {
			if f.Leaf != nil && !yield(f) {
				return
			}
		}
	}
}
