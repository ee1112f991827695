// SPDX-License-Identifier: Apache-2.0

package spec

import (
	"strings"
	"unicode"

	"github.com/redsift/ingraind/gen/internal/diag"
	"gopkg.in/yaml.v3"
)

// scalar reads n as text; ok is false when it is none. name is what it is called.
func (p *parser) scalar(n *yaml.Node, name string) (v Value, ok bool) {
	if n.Kind != yaml.ScalarNode || isNull(n) {
		p.mistake(n, "%s must be text, not %s", name, describe(n))
		return Value{}, false
	}
	return Value{n.Value, p.pos(n)}, true
}

// help reads the help of s: one line of text, which generated code and lists
// show as it is. Space around it is dropped, so that YAML's > can be used.
func (p *parser) help(s section, required bool) Value {
	n := s.values["help"]
	if required {
		n = p.need(s, "help")
	}
	if n == nil {
		return Value{}
	}
	v, ok := p.scalar(n, "help")
	if !ok {
		return Value{}
	}
	v.Text = strings.TrimSpace(v.Text)
	switch {
	case v.Text == "":
		p.mistakes.Add(v.Pos, "help must be text, not empty")
	case strings.ContainsFunc(v.Text, func(r rune) bool { return !unicode.IsGraphic(r) }):
		p.mistakes.Add(v.Pos, "help must be one line of text")
	}
	return v
}

// flag reads n as true or false, and returns otherwise when it is neither.
func (p *parser) flag(n *yaml.Node, name string, otherwise bool) bool {
	if n.Kind == yaml.ScalarNode && !isQuoted(n) && (n.Value == "true" || n.Value == "false") {
		return n.Value == "true"
	}
	p.mistake(n, "%s must be true or false, not %s", name, describe(n))
	return otherwise
}

// list reads n as a list of different scalars, at least one. noun is what one
// of them is: "sink".
func (p *parser) list(n *yaml.Node, name, noun string) []Value {
	if n.Kind != yaml.SequenceNode || len(n.Content) == 0 {
		p.mistake(n, "%s must be a list, not %s", name, describe(n))
		return nil
	}
	var values []Value
	first := map[string]diag.Pos{}
	for _, item := range n.Content {
		if v, ok := p.scalar(follow(item), "a "+noun); ok && p.once(first, v, noun) {
			values = append(values, v)
		}
	}
	return values
}
