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
	if len(p.setup.request.routes) == 0 {
		return
	}
	asked, known := map[string][]string{}, append(p.agent.routeNames(), allRows)
	for _, r := range p.setup.request.routes {
		if !slices.Contains(known, r.name.text) {
			p.mistake(r.name.at, unknown("grain, event or table", r.name.text, known))
			continue
		}
		asked[r.name.text] = p.routedTo(r.sinks)
	}
	for _, name := range known {
		grain, _, row := strings.Cut(name, ".")
		for _, key := range []string{name, grain, allRows} {
			if sinks, ok := asked[key]; ok && row {
				p.setup.routes[name] = sinks
				break
			}
		}
	}
}

// routedTo are those of the sinks asked for that there are.
func (p *chooser) routedTo(asked []word) []string {
	sinks := []string{}
	for _, s := range asked {
		switch {
		case p.agent.sink(s.text) == nil:
			p.mistake(s.at, unknown("sink", s.text, p.agent.sinkNames()))
		case p.setup.sink(s.text) == nil:
			p.mistake(s.at, fmt.Errorf("sink %s is not among those of this configuration: add it to sinks", s.text))
		default:
			sinks = append(sinks, s.text)
		}
	}
	return sinks
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
	for _, g := range s.grains {
		for i := range g.Events {
			if e := &g.Events[i]; e.Stream && !s.reaches(g.Name+"."+e.Name, e.Sinks) {
				mistakes = append(mistakes, reachesNone("event", g.Name, e.Name, e.Sinks))
			}
		}
		for i := range g.Tables {
			if t := &g.Tables[i]; !s.reaches(g.Name+"."+t.Name, t.Sinks) {
				mistakes = append(mistakes, reachesNone("table", g.Name, t.Name, t.Sinks))
			}
		}
	}
	return mistakes
}

// reaches reports whether rows of that name, which their grain sends to sinks,
// go where somebody wants them.
func (s *setup) reaches(name string, sinks []string) bool {
	_, routed := s.routes[name]
	return routed || len(sinks) == 0 || slices.ContainsFunc(sinks, func(n string) bool { return s.sink(n) != nil })
}

func reachesNone(what, grain, name string, sinks []string) error {
	return fmt.Errorf("%s %s.%s goes to %s and reaches no sink: add -sink %s", what, grain, name, strings.Join(sinks, ", "), sinks[0])
}
