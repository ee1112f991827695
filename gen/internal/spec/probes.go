// SPDX-License-Identifier: Apache-2.0

package spec

import (
	"fmt"
	"slices"
	"strings"

	"github.com/redsift/ingraind/gen/internal/diag"
	"gopkg.in/yaml.v3"
)

// Probe is a C function and the points where it runs.
type Probe struct {
	Name     Value
	Optional bool    // the grain does without it where it cannot run
	Points   []Point // at least one, all different
	Unless   []Value // probes that this one stands in for, all together: it runs only where one of them cannot
	On       []Value // which interfaces, cgroups or network namespace its points are at; none: all, or the agent's own
	Every    int64   // nanoseconds between two visits of an iterator, or two samples; 0: the runtime's choice
	Help     Value
}

var probeKeys = []string{"at", "on", "every", "unless", "optional", "help"}

// probes reads the mapping `probes`.
func (p *parser) probes(n *yaml.Node) []Probe {
	var probes []Probe
	for _, e := range p.entries(n, "probes", "a mapping of C function to probe point", "probe") {
		p.checkName(e.key, "probe")
		probes = append(probes, p.probe(e.key, e.value))
	}
	p.checkUnless(probes)
	return probes
}

// probe reads what the probe called name maps to: its points, or a mapping
// with more about it.
func (p *parser) probe(name Value, n *yaml.Node) Probe {
	what := fmt.Sprintf("probe %q", name.Text)
	if n.Kind != yaml.MappingNode {
		return Probe{Name: name, Points: p.points(n, what)}
	}
	s := p.section(n, what, name.Pos, probeKeys, nil)
	probe := Probe{Name: name, Help: p.help(s, false)}
	if at := p.need(s, "at"); at != nil {
		probe.Points = p.points(at, "at")
	}
	if on := s.values["on"]; on != nil {
		probe.On = p.on(on, probe.Points)
	}
	if every := s.values["every"]; every != nil {
		probe.Every = p.every(every, probe.Points)
	}
	switch unless := s.values["unless"]; {
	case unless == nil:
	case unless.Kind == yaml.SequenceNode:
		probe.Unless = p.list(unless, "unless", "probe")
	default:
		if v, ok := p.scalar(unless, "unless"); ok {
			probe.Unless = []Value{v}
		}
	}
	if optional := s.values["optional"]; optional != nil {
		probe.Optional = p.flag(optional, "optional", false)
	}
	return probe
}

// points reads one point, or a list of them; name is what n is called.
func (p *parser) points(n *yaml.Node, name string) []Point {
	items := []*yaml.Node{n}
	switch {
	case n.Kind == yaml.SequenceNode && len(n.Content) > 0:
		items = n.Content
	case n.Kind != yaml.ScalarNode || isNull(n):
		p.mistake(n, "%s must be a probe point or a list of them, not %s", name, describe(n))
		return nil
	}
	var points []Point
	first := map[string]diag.Pos{}
	for _, item := range items {
		point := p.point(follow(item))
		if point != nil && p.once(first, point.Value, "probe point") {
			points = append(points, *point)
		}
	}
	return points
}

// checkUnless finds every `unless` that names no probe, or leads back to its own.
func (p *parser) checkUnless(probes []Probe) {
	unless := map[string][]string{}
	var names []string
	for _, probe := range probes {
		for _, v := range probe.Unless {
			unless[probe.Name.Text] = append(unless[probe.Name.Text], v.Text)
		}
		names = append(names, probe.Name.Text)
	}
	reported := map[string]bool{}
	for _, probe := range probes {
		name := probe.Name.Text
		for _, v := range probe.Unless {
			switch {
			case reported[name]:
			case !slices.Contains(names, v.Text):
				p.mistakes.Add(v.Pos, "unless names no probe of this grain: %q%s", v.Text, diag.DidYouMean(v.Text, names))
			case v.Text == name:
				p.mistakes.Add(v.Pos, "probe %q cannot be unless itself", name)
			default:
				circle := circleTo(name, v.Text, unless, map[string]bool{})
				for _, member := range circle {
					reported[member] = true
				}
				if circle != nil {
					p.mistakes.Add(v.Pos, "unless goes in a circle: %s", strings.Join(append([]string{name}, circle...), " unless "))
				}
			}
		}
	}
}

// circleTo is the way along unless from a probe to another, nil when there is
// none. Probes that it has been at it has left no way at.
func circleTo(to, from string, unless map[string][]string, been map[string]bool) []string {
	if from == to {
		return []string{to}
	}
	if been[from] {
		return nil
	}
	been[from] = true
	for _, next := range unless[from] {
		if way := circleTo(to, next, unless, been); way != nil {
			return append([]string{from}, way...)
		}
	}
	return nil
}
