// SPDX-License-Identifier: Apache-2.0

package spec

import (
	"fmt"

	"github.com/redsift/ingraind/gen/internal/diag"
	"gopkg.in/yaml.v3"
)

// Event is one thing that happens: the C struct _data_<name>.
type Event struct {
	Name, Help Value
	Where      Expression // events of which it is not true are nobody's; absent: none are
	Stream     Stream
	Sinks      []Value // the only sinks it goes to; none means all
	Parse      Value   // the function of Go that reads further fields in its bytes
	Fields     []Field // what the file says of some fields, not all that there are
}

// Field is what the file says of the field at path; nil for nothing.
func (e *Event) Field(path string) *Field {
	for i := range e.Fields {
		if e.Fields[i].Path.Text == path {
			return &e.Fields[i]
		}
	}
	return nil
}

// Field is what a file says of one field of an event.
type Field struct {
	Path  Value // members of the C struct, joined by dots: who.pid; with a Type a name
	Label Value // the name in rows, if not the member's
	Help  Value
	Type  Parsed // of a field that Parse gives
	Hide  bool   // no row has it
}

var (
	eventKeys = []string{"help", "parse", "where", "stream", "sinks", "fields"}
	fieldKeys = []string{"type", "label", "help", "hide"}
)

// events reads the mapping `events`.
func (p *parser) events(n *yaml.Node) []Event {
	var events []Event
	for _, e := range p.entries(n, "events", "a mapping of event to what it is", "event") {
		p.checkName(e.key, "event")
		events = append(events, p.event(e.key, e.value))
	}
	return events
}

// event reads what the event called name maps to.
func (p *parser) event(name Value, n *yaml.Node) Event {
	s := p.section(n, fmt.Sprintf("event %q", name.Text), name.Pos, eventKeys, nil)
	event := Event{Name: name, Help: p.help(s, true), Stream: Stream{On: true}}
	if n := s.values["where"]; n != nil {
		event.Where = p.expression(n, "where")
	}
	if n := s.values["stream"]; n != nil {
		event.Stream = p.stream(n)
	}
	event.Sinks = p.sinks(s)
	if n := s.values["parse"]; n != nil {
		event.Parse = p.function(n)
	}
	if n := s.values["fields"]; n != nil {
		event.Fields = p.fields(n)
	}
	p.checkParse(event)
	return event
}

// sinks reads the list `sinks` of an event or a table.
func (p *parser) sinks(s section) []Value {
	n := s.values["sinks"]
	if n == nil {
		return nil
	}
	sinks := p.list(n, "sinks", "sink")
	for _, sink := range sinks {
		if !namePattern.MatchString(sink.Text) {
			p.mistakes.Add(sink.Pos, "sink %q must be the name of a sink, such as console", sink.Text)
		}
	}
	return sinks
}

// fields reads the mapping `fields` of an event.
func (p *parser) fields(n *yaml.Node) []Field {
	var fields []Field
	labels := map[string]diag.Pos{}
	for _, e := range p.entries(n, "fields", "a mapping of field to label, help and hide", "field") {
		if !pathPattern.MatchString(e.key.Text) {
			p.mistakes.Add(e.key.Pos, "field %q must be a member of the event's C struct, or a path such as who.pid", e.key.Text)
		}
		field := p.field(e.key, e.value)
		if field.Label.Given() {
			p.once(labels, field.Label, "label")
		}
		fields = append(fields, field)
	}
	return fields
}

// field reads what the field at path maps to.
func (p *parser) field(path Value, n *yaml.Node) Field {
	s := p.section(n, fmt.Sprintf("field %q", path.Text), path.Pos, fieldKeys, nil)
	field := Field{Path: path}
	if n := s.values["type"]; n != nil {
		field.Type = p.parsed(n)
		p.checkName(path, "field")
	}
	field.Help = p.help(s, field.Type.Given())
	if n := s.values["label"]; n != nil {
		if label, ok := p.scalar(n, "label"); ok {
			field.Label = label
			if !namePattern.MatchString(label.Text) {
				p.mistakes.Add(label.Pos, "label %q must be lower-case letters, digits and _, and start with a letter", label.Text)
			}
		}
	}
	if n := s.values["hide"]; n != nil {
		field.Hide = p.flag(n, "hide", false)
	}
	return field
}
