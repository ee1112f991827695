// SPDX-License-Identifier: Apache-2.0

package spec

import (
	"fmt"
	"path"
	"strings"

	"gopkg.in/yaml.v3"
)

// Param is a knob of a grain. Its type is that of its default.
type Param struct {
	Name, Help Value
	Type       ParamType // "" when the default is no literal
	Default    Literal
	Min, Max   *Literal // of the same type, inclusive; nil for no bound
}

// Literal is a param's value: as it is written, and as the number it means.
type Literal struct {
	Value
	Type   ParamType
	Number int64   // an integer, bytes, nanoseconds; 0 and 1 for false and true
	Paths  []Value // of type Paths; Value then is the first of them, or where the list begins
}

var paramKeys = []string{"default", "help", "min", "max"}

// params reads the mapping `params`.
func (p *parser) params(n *yaml.Node) []Param {
	var params []Param
	for _, e := range p.entries(n, "params", "a mapping of param to its default and help", "param") {
		p.checkName(e.key, "param")
		params = append(params, p.param(e.key, e.value))
	}
	return params
}

// param reads what the param called name maps to.
func (p *parser) param(name Value, n *yaml.Node) Param {
	s := p.section(n, fmt.Sprintf("param %q", name.Text), name.Pos, paramKeys, nil)
	param := Param{Name: name, Help: p.help(s, true)}
	if n := p.need(s, "default"); n != nil {
		if l := p.literal(n, "default"); l != nil {
			param.Type, param.Default = l.Type, *l
		}
	}
	param.Min = p.bound(s, "min", param.Default)
	param.Max = p.bound(s, "max", param.Default)
	p.checkBounds(param)
	return param
}

// bound reads min or max, and returns nil when it is not there or cannot bound
// the default.
func (p *parser) bound(s section, key string, def Literal) *Literal {
	n := s.values[key]
	if n == nil {
		return nil
	}
	l := p.literal(n, key)
	switch {
	case l == nil || def.Type == "":
		return nil
	case def.Type == Bool:
		p.mistakes.Add(l.Pos, "%s cannot bound %s, which is true or false", key, s.name)
		return nil
	case def.Type == Syscalls, def.Type == Paths:
		p.mistakes.Add(l.Pos, "%s cannot bound %s, which is %s", key, s.name, def.Type.noun())
		return nil
	case l.Type == Paths:
		p.mistakes.Add(l.Pos, "%s must be a number, a size or a duration, not a path", key)
		return nil
	case l.Type != def.Type:
		p.mistakes.Add(l.Pos, "%s %s is %s, but the default %s is %s", key, l.Text, l.Type.noun(), def.Text, def.Type.noun())
		return nil
	}
	return l
}

// checkBounds says whether the default lies between min and max.
func (p *parser) checkBounds(param Param) {
	def, low, high := param.Default, param.Min, param.Max
	switch {
	case low != nil && high != nil && low.Number > high.Number:
		p.mistakes.Add(low.Pos, "min %s is above max %s", low.Text, high.Text)
	case low != nil && def.Number < low.Number:
		p.mistakes.Add(def.Pos, "default %s is below min %s", def.Text, low.Text)
	case high != nil && def.Number > high.Number:
		p.mistakes.Add(def.Pos, "default %s is above max %s", def.Text, high.Text)
	}
}

// literal reads n as a literal, or reports what it is instead and returns nil.
// name is "default", "min" or "max".
func (p *parser) literal(n *yaml.Node, name string) *Literal {
	switch {
	case isNull(n):
		p.mistake(n, "%s must be a number, a size, a duration, true or false, not empty", name)
		return nil
	case n.Kind == yaml.SequenceNode:
		return p.paths(Value{Pos: p.pos(n)}, p.list(n, name, "path"))
	case strings.HasPrefix(n.Value, "/"):
		v := Value{n.Value, p.pos(n)}
		return p.paths(v, []Value{v})
	case n.Kind == yaml.MappingNode:
		p.mistake(n, "%s must be a number, a size, a duration, true or false, not a mapping", name)
		return nil
	}
	typ, number, err := parseLiteral(n.Value)
	switch {
	case err == nil && isQuoted(n):
		p.mistake(n, "not supported yet: text params; %s is %s without its quotes", n.Value, typ.noun())
		return nil
	case isQuoted(n):
		p.mistake(n, "not supported yet: text params")
		return nil
	case err != nil:
		p.mistake(n, "%v", err)
		return nil
	}
	return &Literal{Value: Value{n.Value, p.pos(n)}, Type: typ, Number: number}
}

// mostPaths is how many paths a param may have (struct ingrain_paths of
// bpf/include/below.h).
const mostPaths = 16

// paths is a literal of paths, nil when one of them is none, which is reported.
func (p *parser) paths(at Value, paths []Value) *Literal {
	whole := len(paths) > 0
	for _, v := range paths {
		if !path.IsAbs(v.Text) || path.Clean(v.Text) != v.Text || strings.ContainsAny(v.Text, ",\x00") {
			p.mistakes.Add(v.Pos, "%q is not the path of a folder; write it from the root on, without empty, . and .. parts and commas, such as /etc", v.Text)
			whole = false
		}
	}
	if len(paths) > mostPaths {
		p.mistakes.Add(at.Pos, "%d paths are more than the %d of a param", len(paths), mostPaths)
		whole = false
	}
	if !whole {
		return nil
	}
	return &Literal{Value: at, Type: Paths, Paths: paths}
}
