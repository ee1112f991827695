// SPDX-License-Identifier: Apache-2.0

package spec

import (
	"fmt"
	"time"

	"github.com/redsift/ingraind/gen/internal/diag"
	"gopkg.in/yaml.v3"
)

// Table groups the events of one kind by a key.
type Table struct {
	Name, Help Value
	Of         Value    // the event
	Key        []Column // none: one row for all
	Cells      []Column
	Every      Period
	Idle       Period // zero: a series without events has no row
	Max        Count
	In         Value // kernel or agent; without it where it can be
	Measure    Value // what sinks call it, if not grain.table
	Sinks      []Value
}

// Column is a labelled expression.
type Column struct {
	Label Value
	Expression
}

// Period is a duration that the file says, or a default.
type Period struct {
	Value
	time.Duration
}

// Count is a number that the file says, or a default.
type Count struct {
	Value
	Number int
}

// Where a table can be.
const (
	InKernel = "kernel"
	InAgent  = "agent"
)

// What a table has when the file does not say.
const (
	defaultEvery = 10 * time.Second
	defaultMax   = 8192
	mostKeys     = 1 << 20
	longestEvery = 24 * time.Hour
)

var tableKeys = []string{"help", "of", "key", "cells", "every", "max", "in", "idle", "name", "sinks"}

// tables reads the mapping `tables`.
func (p *parser) tables(n *yaml.Node) []Table {
	var tables []Table
	for _, e := range p.entries(n, "tables", "a mapping of table to what it is", "table") {
		p.checkName(e.key, "table")
		tables = append(tables, p.table(e.key, e.value))
	}
	return tables
}

// table reads what the table called name maps to.
func (p *parser) table(name Value, n *yaml.Node) Table {
	s := p.section(n, fmt.Sprintf("table %q", name.Text), name.Pos, tableKeys, nil)
	t := Table{Name: name, Help: p.help(s, true)}
	if n := p.need(s, "of"); n != nil {
		t.Of, _ = p.scalar(n, "of")
	}
	labels := map[string]diag.Pos{}
	if n := s.values["key"]; n != nil {
		t.Key = p.columns(n, "key", labels)
	}
	if n := p.need(s, "cells"); n != nil {
		t.Cells = p.columns(n, "cells", labels)
	}
	t.Every.Duration, t.Max.Number = defaultEvery, defaultMax
	if n := s.values["every"]; n != nil {
		t.Every = p.period(n, "every", time.Second)
	}
	if n := s.values["idle"]; n != nil {
		t.Idle = p.period(n, "idle", t.Every.Duration)
	}
	if n := s.values["max"]; n != nil {
		t.Max = p.count(n)
	}
	if n := s.values["in"]; n != nil {
		t.In, _ = p.scalar(n, "in")
		if where := t.In.Text; where != InKernel && where != InAgent && t.In.Given() {
			p.mistakes.Add(t.In.Pos, "in must be kernel or agent, not %q", where)
			t.In = Value{}
		}
	}
	if n := s.values["name"]; n != nil {
		t.Measure, _ = p.scalar(n, "name")
		if t.Measure.Given() && !dottedPattern.MatchString(t.Measure.Text) {
			p.mistakes.Add(t.Measure.Pos, "name %q must be lower-case letters, digits, _ and dots, as in volume.out", t.Measure.Text)
		}
	}
	t.Sinks = p.sinks(s)
	return t
}

// columns reads a mapping of labels to expressions. labels are those of the
// table so far.
func (p *parser) columns(n *yaml.Node, name string, labels map[string]diag.Pos) []Column {
	var columns []Column
	for _, e := range p.entries(n, name, "a mapping of label to expression", "label") {
		if !namePattern.MatchString(e.key.Text) {
			p.mistakes.Add(e.key.Pos, "label %q must be lower-case letters, digits and _, and start with a letter", e.key.Text)
		}
		if first, taken := labels[e.key.Text]; taken && first != e.key.Pos {
			p.mistakes.Add(e.key.Pos, "duplicate label %q; first at line %d", e.key.Text, first.Line)
			continue
		}
		labels[e.key.Text] = e.key.Pos
		columns = append(columns, Column{e.key, p.expression(e.value, e.key.Text)})
	}
	return columns
}

// period reads a duration of whole milliseconds, at least as long as least.
func (p *parser) period(n *yaml.Node, name string, least time.Duration) Period {
	v, ok := p.scalar(n, name)
	if !ok {
		return Period{Duration: least}
	}
	d, err := time.ParseDuration(v.Text)
	switch {
	case err != nil:
		p.mistakes.Add(v.Pos, "%s must be a duration such as 10s, not %q", name, v.Text)
		return Period{Duration: least}
	case d < least || d > longestEvery || d%time.Millisecond != 0:
		p.mistakes.Add(v.Pos, "%s %s must be between %v and %v, in whole milliseconds", name, v.Text, least, longestEvery)
		return Period{Duration: least}
	}
	return Period{v, d}
}

// count reads the number of keys of a table.
func (p *parser) count(n *yaml.Node) Count {
	v, ok := p.scalar(n, "max")
	if !ok {
		return Count{Number: defaultMax}
	}
	typ, number, err := parseLiteral(v.Text)
	if err != nil || typ != Integer || number < 1 || number > mostKeys {
		p.mistakes.Add(v.Pos, "max must be a number of keys between 1 and %d, not %q", mostKeys, v.Text)
		return Count{Number: defaultMax}
	}
	return Count{v, int(number)}
}

// checkTables sees that each table is of an event that is there, and that each
// event reaches somebody.
func (p *parser) checkTables(g *Grain) {
	var events []string
	counted := map[string]bool{}
	for _, e := range g.Events {
		events = append(events, e.Name.Text)
	}
	for _, t := range g.Tables {
		counted[t.Of.Text] = true
		known := false
		for _, name := range events {
			known = known || name == t.Of.Text
		}
		if t.Of.Given() && !known {
			p.mistakes.Add(t.Of.Pos, "table %q is of no event of this grain: %q%s", t.Name.Text, t.Of.Text, diag.DidYouMean(t.Of.Text, events))
		}
	}
	for _, e := range g.Events {
		if !e.Stream.On && !counted[e.Name.Text] {
			p.mistakes.Add(e.Name.Pos, "event %q reaches nobody: it has no stream, and no table is made of it", e.Name.Text)
		}
	}
}
