// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/redsift/ingraind/runtime"
)

// setup is a request that this agent can serve.
type setup struct {
	request
	grains []*runtime.Grain
	params map[string]int64
	on     map[string][]string
	calls  map[string]runtime.Calls
	paths  map[string][]string
	sinks  []chosenSink
	routes runtime.Routes
	listen runtime.Settings // of the observer; nil: nobody looks
}

// chosenSink is a sink to open.
type chosenSink struct {
	part     *runtime.Part
	settings runtime.Settings
	delivery runtime.Settings // of deliverySettings
	asked    map[string]bool  // those that a user set
	at       place            // where it was asked for; none for the default
}

// setup lays the flags over the file, and compares with what the agent holds.
// It returns all mistakes.
func (s *session) setup() (setup, []error) {
	asked := s.flags.ask
	var mistakes []mistake
	if s.flags.config != "" {
		text, err := os.ReadFile(s.flags.config)
		if err != nil {
			return setup{}, []error{fmt.Errorf("-config: %w", err)}
		}
		below, errs := readConfig(s.flags.config, text)
		asked, mistakes = asked.over(below), errs
	}
	p := chooser{agent: s.agent, setup: setup{request: asked}, mistakes: mistakes}
	if s.verb.name == runVerb().name { // what is replayed goes only where it is told to
		p.variable = s.env.Variable
	}
	p.pickGrains()
	p.setParams()
	p.placeProbes()
	p.pickSinks()
	p.turnOn()
	p.route()
	p.observe()
	return p.setup, inOrder(p.mistakes)
}

// watching is a setup for verbs that send rows: each event must reach a sink.
func (s *session) watching() (setup, []error) {
	setup, mistakes := s.setup()
	if len(mistakes) > 0 {
		return setup, mistakes
	}
	if len(setup.sinks) == 0 {
		return setup, []error{fmt.Errorf("no sink is configured, and this agent has no console: add -sink with one of %s", strings.Join(s.agent.sinkNames(), ", "))}
	}
	if err := setup.setFormat(s.flags.format); err != nil {
		return setup, []error{fmt.Errorf("-o: %w", err)}
	}
	return setup, setup.unreached()
}

// chooser fills in a setup.
type chooser struct {
	agent    Agent
	setup    setup
	mistakes []mistake
	variable func(name string) string // of the environment; nil: none counts
}

func (p *chooser) mistake(at place, err error) {
	p.mistakes = append(p.mistakes, mistake{at, err})
}

func (p *chooser) pickGrains() {
	if p.setup.request.grains == nil {
		for _, g := range p.agent.Grains {
			if !slices.Contains(p.agent.Optional, g.Name) {
				p.setup.grains = append(p.setup.grains, g)
			}
		}
		return
	}
	for _, name := range p.setup.request.grains {
		g := p.agent.grain(name.text)
		switch {
		case g == nil:
			p.mistake(name.at, unknown("grain", name.text, p.agent.grainNames()))
		case slices.Contains(p.setup.grains, g):
			p.mistake(name.at, fmt.Errorf("grain %s is named twice", g.Name))
		default:
			p.setup.grains = append(p.setup.grains, g)
		}
	}
}

func (p *chooser) setParams() {
	p.setup.params, p.setup.calls, p.setup.paths = map[string]int64{}, map[string]runtime.Calls{}, map[string][]string{}
	for _, s := range p.setup.request.params {
		g, param := p.agent.param(s.key.text)
		if param == nil {
			p.mistake(s.key.at, unknown("param", s.key.text, p.agent.paramNames()))
			continue
		}
		keep, err := p.paramValue(param, s.key.text, s.value.text)
		switch {
		case err != nil:
			p.mistake(s.value.at, err)
		case s.key.at.line == 0 && len(p.setup.grains) > 0 && !slices.Contains(p.setup.grains, g):
			p.mistake(s.key.at, fmt.Errorf("%s: grain %s is not among those to run", s.key.text, g.Name))
		default:
			keep()
		}
	}
}

// paramValue reads the value of a param. keep puts it into the setup.
func (p *chooser) paramValue(param *runtime.Param, name, text string) (keep func(), err error) {
	switch param.Type {
	case runtime.Syscalls:
		calls, err := runtime.ParseCalls(text)
		return func() { p.setup.calls[name] = calls }, within(name, err)
	case runtime.Paths:
		paths, err := runtime.ParsePaths(text)
		return func() { p.setup.paths[name] = paths }, within(name, err)
	}
	named := *param
	named.Name = name
	v, err := named.Parse(text)
	return func() { p.setup.params[name] = v }, err
}

// within says which param an error is about.
func within(param string, err error) error {
	if err != nil {
		err = fmt.Errorf("param %s: %w", param, err)
	}
	return err
}

// placeProbes notes what probes are at.
func (p *chooser) placeProbes() {
	known := p.agent.placedProbes()
	p.setup.on = map[string][]string{}
	for _, asked := range p.setup.request.on {
		name := asked.probe.text
		if !slices.Contains(known, name) {
			err := unknown("probe", name, known)
			if len(known) == 0 {
				err = fmt.Errorf("no probe of this agent is at an interface, a cgroup or a network namespace")
			}
			p.mistake(asked.probe.at, err)
			continue
		}
		var names []string
		for _, n := range asked.names {
			names = append(names, n.text)
		}
		p.setup.on[name] = names
	}
}

func (p *chooser) pickSinks() {
	if part := p.agent.sink(consoleSink); part != nil && p.setup.request.sinks == nil {
		p.setup.sinks = []chosenSink{{part: part, settings: defaults(part), delivery: p.agent.deliveryDefaults(part)}}
	}
	for _, asked := range p.setup.request.sinks {
		part := p.agent.sink(asked.name.text)
		if part == nil {
			p.mistake(asked.name.at, unknown("sink", asked.name.text, p.agent.sinkNames()))
			continue
		}
		if p.setup.sink(part.Name) != nil {
			p.mistake(asked.name.at, fmt.Errorf("sink %s is named twice", part.Name))
			continue
		}
		sink := chosenSink{part: part, settings: defaults(part), delivery: p.agent.deliveryDefaults(part), asked: map[string]bool{}, at: asked.name.at}
		environ, _ := p.environ(part)
		maps.Copy(sink.settings, environ)
		for _, s := range asked.settings {
			p.set(&sink, s)
		}
		p.setup.sinks = append(p.setup.sinks, sink)
	}
}

// turnOn adds the sinks that the environment asks for to those of the file and
// the flags.
func (p *chooser) turnOn() {
	for i := range p.agent.Sinks {
		part := &p.agent.Sinks[i]
		environ, on := p.environ(part)
		if !on || p.setup.sink(part.Name) != nil {
			continue
		}
		sink := chosenSink{part: part, settings: defaults(part), delivery: p.agent.deliveryDefaults(part), at: place{name: "environment"}}
		maps.Copy(sink.settings, environ)
		p.setup.sinks = append(p.setup.sinks, sink)
	}
}

// environ is what the environment asks of a sink.
func (p *chooser) environ(part *runtime.Part) (s runtime.Settings, on bool) {
	if part.Environ == nil || p.variable == nil {
		return nil, false
	}
	return part.Environ(p.variable)
}

// set sets a key of a sink.
func (p *chooser) set(sink *chosenSink, s setting) {
	key := s.key.text
	if _, ok := sink.settings[key]; ok {
		sink.settings[key] = s.value.text
		return
	}
	before, ok := sink.delivery[key]
	if !ok {
		names := append(settingNames(sink.part), namesOf(deliverySettings())...)
		p.mistake(s.key.at, fmt.Errorf("sink %s: %w", sink.part.Name, unknown("key", key, names)))
		return
	}
	sink.delivery[key], sink.asked[key] = s.value.text, true
	if _, _, err := sink.lane(); err != nil {
		p.mistake(s.value.at, fmt.Errorf("sink %s: %w", sink.part.Name, err))
		sink.delivery[key] = before // one mistake is said once
	}
}

// btfPath is where the types of a kernel without are; "" for nowhere.
func (s *setup) btfPath() string {
	if s.btf == "none" {
		return ""
	}
	return s.btf
}
