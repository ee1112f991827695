// SPDX-License-Identifier: Apache-2.0

package gen

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/redsift/ingraind/gen/internal/diag"
	"github.com/redsift/ingraind/gen/internal/emit"
	"github.com/redsift/ingraind/gen/internal/spec"
)

// stockSinks are the sinks that an agent may name without an import path; those
// with a slash are the one before it, with more to it.
var stockSinks = []string{"console", "file", "http", "journald", "kafka", "otlp", "prometheus", "s3", "s3/parquet", "statsd", "syslog"}

// checkAgent sees that what agent.yaml lists exists, and that no two of it
// have one name. grains are the names of the site's own.
func (s *site) checkAgent(grains []string) {
	if s.agent == nil {
		return
	}
	for _, g := range s.agentGrains() {
		if !strings.Contains(g.Text, "/") && !slices.Contains(grains, g.Text) {
			s.mistakes.Add(g.Pos, "there is no grains/%s.yaml%s", g.Text, diag.DidYouMean(g.Text, grains))
		}
	}
	for _, k := range s.agent.Sinks {
		if !isImportPath(k.Text) && !slices.Contains(stockSinks, k.Text) {
			near := diag.DidYouMean(k.Text, stockSinks)
			if near == "" {
				near = fmt.Sprintf("; there are %s, and those of other modules by their import paths", strings.Join(stockSinks[:len(stockSinks)-1], ", ")+" and "+stockSinks[len(stockSinks)-1])
			}
			s.mistakes.Add(k.Pos, "there is no sink %s%s", k.Text, near)
		}
	}
	s.distinct("grain", s.agentGrains())
	s.distinct("sink", s.agent.Sinks)
	s.once()
	if name := s.agent.Name; slices.Contains(grains, name.Text) {
		s.mistakes.Add(name.Pos, "the agent %s is called as a grain is; both would be generated/%s", name.Text, name.Text)
	}
}

var packageName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// distinct sees that parts of an agent can be told apart by their names, which
// are the last elements of their import paths.
func (s *site) distinct(noun string, parts []spec.Value) {
	first := map[string]spec.Value{}
	for _, p := range parts {
		name := path.Base(p.Text)
		if !packageName.MatchString(name) {
			s.mistakes.Add(p.Pos, "%s %s: an import path ends in the %s's name, in lower-case letters, digits and _", noun, p.Text, noun)
			continue
		}
		if other, taken := first[name]; taken {
			s.mistakes.Add(p.Pos, "a second %s called %s; the first is at line %d", noun, name, other.Pos.Line)
			continue
		}
		first[name] = p
	}
}

// once sees that no stock sink is there twice: by itself, and with more to it.
func (s *site) once() {
	paths := s.sinkPaths()
	for i, k := range s.agent.Sinks {
		less := path.Dir(paths[i])
		if j := slices.Index(paths, less); j >= 0 && path.Dir(less) == emit.Runtime+"/sink" {
			s.mistakes.Add(k.Pos, "%s is the sink %s, which is listed at line %d, with more to it: list one of the two", k.Text, s.agent.Sinks[j].Text, s.agent.Sinks[j].Pos.Line)
		}
	}
}

// isImportPath reports whether what names a sink is a path of Go, not one of
// the stock sinks.
func isImportPath(name string) bool {
	first, _, slash := strings.Cut(name, "/")
	return slash && !slices.Contains(stockSinks, first)
}

// agentGrains are all grains of the agent, the optional ones last.
func (s *site) agentGrains() []spec.Value { return slices.Concat(s.agent.Grains, s.agent.Optional) }

// optionalNames are the grains that run only when they are asked for.
func (s *site) optionalNames() []string {
	var names []string
	for _, g := range s.agent.Optional {
		names = append(names, path.Base(g.Text))
	}
	return names
}

func (s *site) grainPaths() []string {
	var paths []string
	for _, g := range s.agentGrains() {
		if strings.Contains(g.Text, "/") {
			paths = append(paths, g.Text)
			continue
		}
		paths = append(paths, path.Join(s.module, "generated", g.Text))
	}
	return paths
}

func (s *site) sinkPaths() []string {
	var paths []string
	for _, k := range s.agent.Sinks {
		if isImportPath(k.Text) {
			paths = append(paths, k.Text)
			continue
		}
		paths = append(paths, emit.Runtime+"/sink/"+k.Text)
	}
	return paths
}
