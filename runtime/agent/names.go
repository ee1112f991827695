// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"strings"

	"github.com/redsift/ingraind/runtime"
)

func (a Agent) grain(name string) *runtime.Grain {
	for _, g := range a.Grains {
		if g.Name == name {
			return g
		}
	}
	return nil
}

func (a Agent) grainNames() []string {
	var names []string
	for _, g := range a.Grains {
		names = append(names, g.Name)
	}
	return names
}

// param finds GRAIN.NAME.
func (a Agent) param(name string) (*runtime.Grain, *runtime.Param) {
	of, name, _ := strings.Cut(name, ".")
	g := a.grain(of)
	if g == nil {
		return nil, nil
	}
	for i := range g.Params {
		if g.Params[i].Name == name {
			return g, &g.Params[i]
		}
	}
	return nil, nil
}

func (a Agent) paramNames() []string {
	var names []string
	for _, g := range a.Grains {
		for _, p := range g.Params {
			names = append(names, g.Name+"."+p.Name)
		}
	}
	return names
}

// placedProbes are the probes of which -on can say what they are at, as GRAIN.PROBE.
func (a Agent) placedProbes() []string {
	var names []string
	for _, g := range a.Grains {
		for i := range g.Probes {
			if g.Probes[i].Placed() {
				names = append(names, g.Name+"."+g.Probes[i].Name)
			}
		}
	}
	return names
}

func (a Agent) sink(name string) *runtime.Part {
	for i := range a.Sinks {
		if a.Sinks[i].Name == name {
			return &a.Sinks[i]
		}
	}
	return nil
}

func (a Agent) sinkNames() []string {
	var names []string
	for _, s := range a.Sinks {
		names = append(names, s.Name)
	}
	return names
}

// defaults are the settings of a sink that nobody configured.
func defaults(part *runtime.Part) runtime.Settings {
	settings := runtime.Settings{}
	for _, s := range part.Settings {
		settings[s.Name] = s.Default
	}
	return settings
}

func settingNames(part *runtime.Part) []string { return namesOf(part.Settings) }

func namesOf(settings []runtime.Setting) []string {
	var names []string
	for _, s := range settings {
		names = append(names, s.Name)
	}
	return names
}
