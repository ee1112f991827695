// SPDX-License-Identifier: Apache-2.0

package spec

import (
	"slices"
	"strings"

	"github.com/redsift/ingraind/gen/internal/diag"
	"gopkg.in/yaml.v3"
)

// entry is a key of a mapping and what it stands for.
type entry struct {
	key   Value
	value *yaml.Node
}

// entries returns what the mapping n holds, in file order, each key once. name
// is what n is called in the file, shape what it must be, and noun what one key
// of it is.
func (p *parser) entries(n *yaml.Node, name, shape, noun string) []entry {
	if n.Kind != yaml.MappingNode || len(n.Content) == 0 {
		p.mistake(n, "%s must be %s, not %s", name, shape, describe(n))
		return nil
	}
	var entries []entry
	first := map[string]diag.Pos{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := follow(n.Content[i])
		if isMerge(key) {
			continue
		}
		if key.Kind != yaml.ScalarNode {
			p.mistake(key, "a key must be text, not %s", describe(key))
			continue
		}
		v := Value{key.Value, p.pos(key)}
		if p.once(first, v, noun) {
			entries = append(entries, entry{v, follow(n.Content[i+1])})
		}
	}
	return entries
}

// once records v in first and returns true, or reports that it is there already.
func (p *parser) once(first map[string]diag.Pos, v Value, noun string) bool {
	if at, ok := first[v.Text]; ok {
		p.mistakes.Add(v.Pos, "duplicate %s %q; first at line %d", noun, v.Text, at.Line)
		return false
	}
	first[v.Text] = v.Pos
	return true
}

// section is a mapping with fixed keys: a grain, a param, an event.
type section struct {
	name   string                // as mistakes call it: `event "open"`
	pos    diag.Pos              // where a missing key is reported
	values map[string]*yaml.Node // nil when there is no such mapping
}

// section reads n, the section called name that starts at pos. later lists the
// keys of the design that are not supported yet.
func (p *parser) section(n *yaml.Node, name string, pos diag.Pos, keys, later []string) section {
	s := section{name: name, pos: pos}
	entries := p.entries(n, name, "a mapping with "+enumerate(keys), "key")
	if entries != nil {
		s.values = map[string]*yaml.Node{}
	}
	for _, e := range entries {
		switch key := e.key.Text; {
		case slices.Contains(keys, key):
			s.values[key] = e.value
		case slices.Contains(later, key):
			p.mistakes.Add(e.key.Pos, "not supported yet: %s", key)
		default:
			p.mistakes.Add(e.key.Pos, "unknown key %q%s", key, suggest(key, keys, name+" has "))
		}
	}
	return s
}

// need returns the value of a key that must be there, or reports it and returns nil.
func (p *parser) need(s section, key string) *yaml.Node {
	n := s.values[key]
	if n == nil && s.values != nil {
		p.mistakes.Add(s.pos, "%s has no %q", s.name, key)
	}
	return n
}

// suggest is the candidate that got resembles, or after intro all of them.
func suggest(got string, candidates []string, intro string) string {
	if near := diag.DidYouMean(got, candidates); near != "" {
		return near
	}
	return "; " + intro + enumerate(candidates)
}

// enumerate is "a", "a and b", "a, b and c".
func enumerate(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " and " + words[last]
}
