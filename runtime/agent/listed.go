// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"fmt"

	"github.com/redsift/ingraind/runtime"
)

// The listed types are what list says, in JSON as in text.
type (
	listed struct {
		Agent  string        `json:"agent"`
		Help   string        `json:"help"`
		Grains []listedGrain `json:"grains"`
		Sinks  []listedSink  `json:"sinks"`
	}
	listedGrain struct {
		Name   string        `json:"name"`
		Help   string        `json:"help"`
		Params []listedParam `json:"params"`
		Probes []listedProbe `json:"probes"`
		Events []listedEvent `json:"events"`
		Tables []listedTable `json:"tables"`
	}
	listedParam struct {
		Name    string            `json:"name"` // as -param takes it
		Type    runtime.ParamType `json:"type"`
		Default string            `json:"default"`
		Min     string            `json:"min,omitempty"`
		Max     string            `json:"max,omitempty"`
		Help    string            `json:"help"`
	}
	listedProbe struct {
		Name     string   `json:"name"`
		Unless   []string `json:"unless,omitempty"`
		Optional bool     `json:"optional,omitempty"`
		Decides  bool     `json:"decides,omitempty"`
		Points   []string `json:"points"`
	}
	listedEvent struct {
		Name   string        `json:"name"`
		Help   string        `json:"help"`
		Where  string        `json:"where,omitempty"`
		Stream bool          `json:"stream"`
		Sample int64         `json:"sample,omitempty"` // one of so many
		Limit  int64         `json:"limit,omitempty"`  // so many a second
		Sinks  []string      `json:"sinks,omitempty"`
		Fields []listedField `json:"fields"`
	}
	listedTable struct {
		Name  string        `json:"name"`
		Help  string        `json:"help"`
		Of    string        `json:"of"`
		In    string        `json:"in"`
		Every string        `json:"every"`
		Idle  string        `json:"idle,omitempty"`
		Max   int           `json:"max"`
		Sinks []string      `json:"sinks,omitempty"`
		Key   []listedField `json:"key"`
		Cells []listedField `json:"cells"`
	}
	listedField struct {
		Name string `json:"name"`
		Type string `json:"type"`
		Help string `json:"help"`
	}
	listedSink struct {
		Name     string          `json:"name"`
		Help     string          `json:"help"`
		Settings []listedSetting `json:"settings"`
	}
	listedSetting struct {
		Name    string `json:"name"`
		Default string `json:"default"`
		Help    string `json:"help"`
	}
)

// listAgent lists the grains and sinks that are named, or all.
func listAgent(a Agent, wanted func(name string) bool) listed {
	l := listed{Agent: a.Name, Help: a.Help, Grains: []listedGrain{}, Sinks: []listedSink{}}
	for _, g := range a.Grains {
		if wanted(g.Name) {
			listed := listGrain(g)
			listed.Help += a.whenAsked(g.Name)
			l.Grains = append(l.Grains, listed)
		}
	}
	for _, s := range a.Sinks {
		if !wanted(s.Name) {
			continue
		}
		sink := listedSink{s.Name, s.Help, []listedSetting{}}
		for _, setting := range s.Settings {
			sink.Settings = append(sink.Settings, listedSetting(setting))
		}
		l.Sinks = append(l.Sinks, sink)
	}
	return l
}

func listGrain(g *runtime.Grain) listedGrain {
	l := listedGrain{g.Name, g.Help, []listedParam{}, []listedProbe{}, []listedEvent{}, []listedTable{}}
	for _, p := range g.Params {
		param := listedParam{Name: g.Name + "." + p.Name, Type: p.Type, Default: p.Format(p.Default), Help: p.Help}
		if p.Min != 0 || p.Max != 0 {
			param.Min, param.Max = p.Format(p.Min), p.Format(p.Max)
		}
		l.Params = append(l.Params, param)
	}
	for _, p := range g.Probes {
		probe := listedProbe{p.Name, p.Unless, p.Optional, p.Decides, []string{}}
		for _, point := range p.Points {
			probe.Points = append(probe.Points, point.At)
		}
		l.Probes = append(l.Probes, probe)
	}
	for _, e := range g.Events {
		event := listedEvent{e.Name, e.Help, e.Condition, e.Stream, e.Sample, e.Limit, e.Sinks, []listedField{}}
		for _, f := range e.Fields {
			event.Fields = append(event.Fields, listedField{f.Name, typeName(f.Type), f.Help})
		}
		l.Events = append(l.Events, event)
	}
	for i := range g.Tables {
		l.Tables = append(l.Tables, listTable(g, &g.Tables[i]))
	}
	return l
}

func listTable(g *runtime.Grain, t *runtime.Table) listedTable {
	l := listedTable{
		Name: t.Name, Help: t.Help, Of: g.Events[t.Event].Name, In: "agent", Every: t.Every.String(),
		Max: t.Max, Sinks: t.Sinks, Key: []listedField{}, Cells: []listedField{},
	}
	if t.InKernel() {
		l.In = "kernel"
	}
	if t.Idle > 0 {
		l.Idle = t.Idle.String()
	}
	for _, c := range t.Key {
		l.Key = append(l.Key, listedField{c.Name, typeName(c.Type), c.Help})
	}
	for _, c := range t.Cells {
		l.Cells = append(l.Cells, listedField{c.Name, typeName(c.Type), c.Help})
	}
	return l
}

// typeName is a type of values in a word.
func typeName(t runtime.Type) string {
	names := map[runtime.Type]string{
		runtime.TypeUint:      "unsigned",
		runtime.TypeInt:       "integer",
		runtime.TypeBool:      "bool",
		runtime.TypeString:    "string",
		runtime.TypeText:      "text",
		runtime.TypeWords:     "words",
		runtime.TypeHex:       "hex",
		runtime.TypeEnum:      "enum",
		runtime.TypeIP:        "address",
		runtime.TypeIP4:       "address",
		runtime.TypePort:      "port",
		runtime.TypeBytes:     "bytes",
		runtime.TypeDuration:  "duration",
		runtime.TypeMoment:    "moment",
		runtime.TypeErrno:     "errno",
		runtime.TypeSignal:    "signal",
		runtime.TypeSyscall:   "syscall",
		runtime.TypeCgroup:    "cgroup",
		runtime.TypeInterface: "interface",
		runtime.TypeMAC:       "mac",
		runtime.TypeUser:      "user",
		runtime.TypeGroup:     "group",
		runtime.TypePID:       "pid",
		runtime.TypeNet:       "network",
		runtime.TypeFloat:     "number",
		runtime.TypeHistogram: "histogram",
		runtime.TypeQuantiles: "quantiles",
		runtime.TypeTop:       "top",
	}
	if name, ok := names[t]; ok {
		return name
	}
	return fmt.Sprintf("type %d", t)
}
