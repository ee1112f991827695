// SPDX-License-Identifier: Apache-2.0

package spec

import "github.com/redsift/ingraind/gen/internal/diag"

// Agent is what grains/agent.yaml says: a binary and what to compile into it,
// each a name of this tree's or an import path, which has a slash.
type Agent struct {
	File       string
	Name, Help Value
	Grains     []Value
	Optional   []Value // grains that run only when they are asked for
	Sinks      []Value
	Observe    bool // others can look at the agent over HTTP
}

var agentKeys = []string{"agent", "help", "grains", "optional", "sinks", "observe"}

// ParseAgent reads the YAML of an agent, on the terms of ParseGrain, except
// that its file may have any name. That what it lists exists is not checked.
func ParseAgent(file string, src []byte) (*Agent, diag.List) {
	p := &parser{file: file}
	top := p.document(src, "an agent")
	if top == nil {
		return nil, p.mistakes
	}
	s := p.section(top, "an agent", p.pos(top), agentKeys, nil)
	if s.values == nil {
		return nil, p.mistakes
	}
	s.name = "the agent"
	a := &Agent{File: file}
	if n := p.need(s, "agent"); n != nil {
		if name, ok := p.scalar(n, "agent"); ok {
			a.Name = name
			p.checkAgentName(name)
		}
	}
	a.Help = p.help(s, true)
	a.Grains = p.imports(s, "grains", "grain")
	if s.values["optional"] != nil {
		a.Optional = p.imports(s, "optional", "grain")
	}
	a.Sinks = p.imports(s, "sinks", "sink")
	if n := s.values["observe"]; n != nil {
		a.Observe = p.flag(n, "observe", false)
	}
	return a, p.mistakes
}

// imports reads a list of names and import paths.
func (p *parser) imports(s section, key, noun string) []Value {
	n := p.need(s, key)
	if n == nil {
		return nil
	}
	values := p.list(n, key, noun)
	for _, v := range values {
		p.checkImport(v, noun)
	}
	return values
}
