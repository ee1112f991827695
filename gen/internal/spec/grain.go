// SPDX-License-Identifier: Apache-2.0

package spec

import "github.com/redsift/ingraind/gen/internal/diag"

// Grain is what one file grains/X.yaml says, each list in the file's order.
type Grain struct {
	File       string
	Name, Help Value
	Params     []Param
	Probes     []Probe
	Events     []Event
	Tables     []Table
}

var (
	grainKeys  = []string{"grain", "help", "params", "probes", "events", "tables"}
	grainLater = []string{"alerts"}
)

// ParseGrain reads the YAML of a grain. file is its name, used as it is in
// positions; its base without .yaml must be the grain's name. With mistakes in
// the list, the Grain holds what could be understood; it is nil when nothing
// could. It blocks on nothing and keeps nothing of src.
func ParseGrain(file string, src []byte) (*Grain, diag.List) {
	p := &parser{file: file}
	top := p.document(src, "a grain")
	if top == nil {
		return nil, p.mistakes
	}
	s := p.section(top, "a grain", p.pos(top), grainKeys, grainLater)
	if s.values == nil {
		return nil, p.mistakes
	}
	s.name = "the grain"
	g := &Grain{File: file}
	if n := p.need(s, "grain"); n != nil {
		if name, ok := p.scalar(n, "grain"); ok {
			g.Name = name
			p.checkGrainName(name)
		}
	}
	g.Help = p.help(s, true)
	if n := s.values["params"]; n != nil {
		g.Params = p.params(n)
	}
	if n := p.need(s, "probes"); n != nil {
		g.Probes = p.probes(n)
	}
	if n := p.need(s, "events"); n != nil {
		g.Events = p.events(n)
	}
	if n := s.values["tables"]; n != nil {
		g.Tables = p.tables(n)
	}
	p.checkTables(g)
	return g, p.mistakes
}
