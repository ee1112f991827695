// SPDX-License-Identifier: Apache-2.0

package model

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/redsift/ingraind/gen/internal/diag"
	"github.com/redsift/ingraind/gen/internal/elf"
	"github.com/redsift/ingraind/gen/internal/golang"
	"github.com/redsift/ingraind/gen/internal/source"
	"github.com/redsift/ingraind/gen/internal/spec"
)

// binder binds one grain's YAML and C.
type binder struct {
	spec     *spec.Grain
	source   *source.File
	layouts  *elf.Layouts
	beside   *golang.Package
	filled   map[string]bool // of the structs of beside: "Message.ID" is a field of an event
	grain    *Grain
	mistake  diag.List
	compiles bool
}

// Names checks what needs no layouts: that YAML and C speak of the same
// probes, events and params. compiles is false when clang would only say the
// same again, less clearly.
func Names(s *spec.Grain, c *source.File) (mistakes diag.List, compiles bool) {
	b := &binder{spec: s, source: c, compiles: true}
	b.sameProbes()
	b.sameEvents()
	b.knownCalls()
	b.sameParams()
	b.knownNumbers()
	b.includesHeader()
	return b.mistake, b.compiles
}

// Bind makes the model of a grain from its YAML, what was read of its C, the
// layouts that the compiler made, and the Go beside it, nil when there is none.
// The model is whole when no mistake is reported.
func Bind(s *spec.Grain, c *source.File, layouts *elf.Layouts, beside *golang.Package) (*Grain, diag.List) {
	b := &binder{spec: s, source: c, layouts: layouts, beside: beside, filled: map[string]bool{}, grain: &Grain{
		Name: s.Name.Text,
		Help: s.Help.Text,
		YAML: "grains/" + path.Base(s.File), Calls: CallNumbers(c),
	}}
	for _, p := range s.Params {
		b.param(p)
	}
	for i, e := range s.Events {
		b.event(i, e)
	}
	b.unusedGo()
	for i, p := range s.Probes {
		b.probe(i, p)
	}
	for _, e := range b.grain.Events {
		b.conditions(e, s.Events[e.Index])
	}
	for _, t := range s.Tables {
		b.table(t)
	}
	for _, e := range b.grain.Events {
		e.fills()
	}
	b.goNames()
	b.cNames()
	b.causes()
	b.memory()
	return b.grain, b.mistake
}

func (b *binder) param(p spec.Param) {
	param := Param{Name: p.Name.Text, Help: p.Help.Text, Type: string(p.Type), Default: p.Default.Number}
	if p.Min != nil {
		param.Min = p.Min.Number
	}
	if p.Max != nil {
		param.Max = p.Max.Number
	} else if p.Min != nil {
		param.Max = 1<<63 - 1
	}
	for _, v := range p.Default.Paths {
		param.Paths = append(param.Paths, v.Text)
	}
	b.grain.Params = append(b.grain.Params, param)
}

func (b *binder) sameProbes() {
	var inC, inYAML []string
	for _, p := range b.source.Probes {
		inC = append(inC, p.Name)
	}
	for _, p := range b.spec.Probes {
		inYAML = append(inYAML, p.Name.Text)
		if b.source.Probe(p.Name.Text) == nil {
			b.mistake.Add(p.Name.Pos, "probe %s has no PROBE(%s, ...) in %s%s", p.Name.Text, p.Name.Text, b.source.Name, diag.DidYouMean(p.Name.Text, inC))
		}
	}
	for _, p := range b.source.Probes {
		if !slices.Contains(inYAML, p.Name) && len(inYAML) > 0 {
			b.mistake.Add(p.Pos, "PROBE %s runs nowhere: %s lists no probe of that name%s", p.Name, b.spec.File, diag.DidYouMean(p.Name, inYAML))
		}
	}
}

func (b *binder) sameEvents() {
	inC, inYAML := b.structs(), b.events()
	for _, e := range b.spec.Events {
		name := e.Name.Text
		if !slices.Contains(inC, name) {
			b.mistake.Add(e.Name.Pos, "event %s has no struct _data_%s in %s%s", name, name, b.source.Name, diag.DidYouMean(name, inC))
			b.compiles = b.compiles && !b.uses("new_"+name) && !b.uses("emit_"+name)
			continue
		}
		if !b.uses("emit_" + name) {
			b.mistake.Add(e.Name.Pos, "event %s is never sent: %s has no emit_%s", name, b.source.Name, name)
		}
	}
	for _, s := range b.source.Structs {
		if name, ok := strings.CutPrefix(s.Name, "_data_"); ok && !slices.Contains(inYAML, name) && len(inYAML) > 0 {
			b.mistake.Add(s.Pos, "struct %s belongs to no event: %s lists no event %s%s", s.Name, b.spec.File, name, diag.DidYouMean(name, inYAML))
		}
	}
}

// knownCalls finds new_X and emit_X with an X that is nearly an event. Others
// may be the author's own functions.
func (b *binder) knownCalls() {
	known := append(b.structs(), b.events()...)
	check := func(calls []source.Call) {
		for _, c := range calls {
			verb, name, _ := strings.Cut(c.Name, "_")
			if verb != "new" && verb != "emit" || slices.Contains(known, name) || b.source.Func(c.Name) != nil {
				continue
			}
			if near := diag.DidYouMean(name, known); near != "" {
				b.mistake.Add(c.Pos, "%s: there is no event %s%s", c.Name, name, near)
				b.compiles = false
			}
		}
	}
	for _, f := range b.source.Funcs {
		check(f.Calls)
	}
	for _, p := range b.source.Probes {
		check(p.Calls)
	}
}

// events are the names of those that the YAML lists.
func (b *binder) events() []string {
	var names []string
	for _, e := range b.spec.Events {
		names = append(names, e.Name.Text)
	}
	return names
}

// structs are the names of the events that the C has a struct for.
func (b *binder) structs() []string {
	var names []string
	for _, s := range b.source.Structs {
		if name, ok := strings.CutPrefix(s.Name, "_data_"); ok {
			names = append(names, name)
		}
	}
	return names
}

// uses reports whether the C says word.
func (b *binder) uses(word string) bool {
	_, ok := b.source.Words[word]
	return ok
}

// said reports whether an expression of the YAML says word.
func (b *binder) said(word string) bool {
	has := regexp.MustCompile(`(^|[^A-Za-z0-9_.])` + regexp.QuoteMeta(word) + `([^A-Za-z0-9_]|$)`).MatchString
	for _, e := range b.spec.Events {
		if has(e.Where.Text) || has(e.Stream.Per.Text) {
			return true
		}
	}
	for _, t := range b.spec.Tables {
		for _, c := range slices.Concat(t.Key, t.Cells) {
			if has(c.Text) {
				return true
			}
		}
	}
	return false
}

func (b *binder) sameParams() {
	var names []string
	for _, p := range b.spec.Params {
		names = append(names, p.Name.Text)
		if p.Type == spec.Paths {
			names = append(names, p.Name.Text+"_named") // the other macro of bpf/include/below.h
		}
		if !b.uses("PARAM_"+p.Name.Text) && !b.said("params."+p.Name.Text) {
			b.mistake.Add(p.Name.Pos, "param %s is not used: %s has no PARAM_%s, and no expression has params.%s", p.Name.Text, b.source.Name, p.Name.Text, p.Name.Text)
		}
	}
	for word, pos := range b.source.Words {
		if name, ok := strings.CutPrefix(word, "PARAM_"); ok && !slices.Contains(names, name) {
			b.mistake.Add(pos, "%s: %s lists no param %s%s", word, b.spec.File, name, diag.DidYouMean(name, names))
			b.compiles = false
		}
	}
}

func (b *binder) includesHeader() {
	want := b.spec.Name.Text + ".grain.h"
	for _, include := range b.source.Includes {
		if include.Path == want {
			return
		}
	}
	b.compiles = false
	for _, include := range b.source.Includes {
		if strings.HasSuffix(include.Path, ".grain.h") {
			b.mistake.Add(include.Pos, "this is the header of another grain; write #include %q", want)
			return
		}
	}
	b.mistake.Add(diag.Pos{File: b.source.Name, Line: 1, Col: 1}, "no #include %q: it stands after the _data_ structs and before the first PROBE", want)
}
