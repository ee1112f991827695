// SPDX-License-Identifier: Apache-2.0

package spec

import (
	"fmt"
	"strings"

	"github.com/redsift/ingraind/gen/internal/diag"
	"gopkg.in/yaml.v3"
)

// Probe is a C function and the points where it runs.
type Probe struct {
	Name   Value
	Points []Point // at least one, all different
	Unless Value   // this probe runs only where that one cannot
	On     []Value // which interfaces, cgroups or network namespace its points are at; none: all, or the agent's own
	Every  int64   // nanoseconds between two visits of an iterator, or two samples; 0: the runtime's choice
	Help   Value
}

var probeKeys = []string{"at", "on", "every", "unless", "help"}

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
	if unless := s.values["unless"]; unless != nil {
		probe.Unless, _ = p.scalar(unless, "unless")
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
	unless := map[string]string{}
	var names []string
	for _, probe := range probes {
		unless[probe.Name.Text] = probe.Unless.Text
		names = append(names, probe.Name.Text)
	}
	reported := map[string]bool{}
	for _, probe := range probes {
		name, other := probe.Name.Text, probe.Unless.Text
		if !probe.Unless.Given() || reported[name] {
			continue
		}
		if _, ok := unless[other]; !ok {
			p.mistakes.Add(probe.Unless.Pos, "unless names no probe of this grain: %q%s", other, diag.DidYouMean(other, names))
			continue
		}
		if other == name {
			p.mistakes.Add(probe.Unless.Pos, "probe %q cannot be unless itself", name)
			continue
		}
		circle := []string{name}
		for next := other; next != name && next != "" && len(circle) <= len(probes); next = unless[next] {
			circle = append(circle, next)
		}
		if unless[circle[len(circle)-1]] != name {
			continue
		}
		for _, member := range circle {
			reported[member] = true
		}
		p.mistakes.Add(probe.Unless.Pos, "unless goes in a circle: %s unless %s", strings.Join(circle, " unless "), name)
	}
}
