// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"fmt"
	"slices"
	"strings"

	"github.com/redsift/ingraind/runtime"
)

// allRows is the route of what has no other.
const allRows = "*"

// route resolves routes: that of an event or a table holds before that of its
// grain, and that before the one of all rows. A list without a sink is nowhere.
func (p *chooser) route() {
	p.setup.routes = runtime.Routes{}
	asked := map[string][]string{}
	for _, r := range p.setup.request.routes {
		name := r.name.text
		if known := append(p.agent.routeNames(), allRows); !slices.Contains(known, name) {
			p.mistake(r.name.at, unknown("grain, event or table", name, known))
			continue
		}
		sinks := []string{}
		for _, s := range r.sinks {
			switch {
			case p.agent.sink(s.text) == nil:
				p.mistake(s.at, unknown("sink", s.text, p.agent.sinkNames()))
			case p.setup.sink(s.text) == nil:
				p.mistake(s.at, fmt.Errorf("sink %s is not among those of this configuration: add it to sinks", s.text))
			default:
				sinks = append(sinks, s.text)
			}
		}
		asked[name] = sinks
	}
	for _, g := range p.agent.Grains {
		for _, name := range rowNames(g) {
			for _, key := range []string{g.Name + "." + name, g.Name, allRows} {
				if sinks, ok := asked[key]; ok {
					p.setup.routes[g.Name+"."+name] = sinks
					break
				}
			}
		}
	}
}

// rowNames are what rows of a grain are called: its events, then its tables.
func rowNames(g *runtime.Grain) []string {
	var names []string
	for _, e := range g.Events {
		names = append(names, e.Name)
	}
	for _, t := range g.Tables {
		names = append(names, t.Name)
	}
	return names
}

// routeNames are the names that routes may have, but for "*".
func (a Agent) routeNames() []string {
	var names []string
	for _, g := range a.Grains {
		names = append(names, g.Name)
		for _, name := range rowNames(g) {
			names = append(names, g.Name+"."+name)
		}
	}
	return names
}

// unreached reports events and tables whose rows would reach no sink, though
// nobody said that they shall reach none.
func (s *setup) unreached() []error {
	var mistakes []error
	check := func(what, grain, name string, sinks []string) {
		if _, routed := s.routes[grain+"."+name]; routed || len(sinks) == 0 || slices.ContainsFunc(sinks, func(n string) bool { return s.sink(n) != nil }) {
			return
		}
		mistakes = append(mistakes, fmt.Errorf("%s %s.%s goes to %s and reaches no sink: add -sink %s", what, grain, name, strings.Join(sinks, ", "), sinks[0]))
	}
	for _, g := range s.grains {
		for _, e := range g.Events {
			if e.Stream {
				check("event", g.Name, e.Name, e.Sinks)
			}
		}
		for _, t := range g.Tables {
			check("table", g.Name, t.Name, t.Sinks)
		}
	}
	return mistakes
}
