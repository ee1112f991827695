// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// list is the verb that shows what the agent holds.
func list(_ context.Context, s *session) int {
	if code, more := s.parse(); !more {
		return code
	}
	names := append(s.agent.grainNames(), s.agent.sinkNames()...)
	for _, name := range s.args {
		if !slices.Contains(names, name) {
			return usageError(s.agent, s.env, s.verb, unknown("grain or sink", name, names))
		}
	}
	l := listAgent(s.agent, func(name string) bool { return len(s.args) == 0 || slices.Contains(s.args, name) })
	if s.flags.format != "json" {
		return s.print(appendList(nil, l))
	}
	text, err := json.MarshalIndent(l, "", "  ")
	if err != nil {
		return s.fail(err)
	}
	return s.print(append(text, '\n'))
}

// appendList appends a paragraph for each grain and each sink.
func appendList(dst []byte, l listed) []byte {
	blank := func() {
		if len(dst) > 0 {
			dst = append(dst, '\n')
		}
	}
	for _, g := range l.Grains {
		blank()
		dst = table{{"grain " + g.Name, g.Help}}.appendText(dst, "")
		var rows table
		for _, p := range g.Params {
			rows = append(rows, []string{p.Name, string(p.Type), p.limits(), p.Help})
		}
		dst = appendPart(dst, "params", rows)
		rows = nil
		for _, p := range g.Probes {
			at := strings.Join(p.Points, ", ")
			if len(p.Unless) > 0 {
				at += ", unless " + strings.Join(p.Unless, ", ") + " runs"
			}
			if p.Optional {
				at += ", where it can"
			}
			if p.Decides {
				at += "; decides what becomes of what it sees"
			}
			rows = append(rows, []string{p.Name, at})
		}
		dst = appendPart(dst, "probes", rows)
		for _, e := range g.Events {
			dst = append(dst, '\n')
			help := e.Help + e.unlessAll() + goesTo(e.Sinks)
			dst = table{{"event " + g.Name + "." + e.Name, help}}.appendText(dst, "  ")
			rows = nil
			for _, f := range e.Fields {
				rows = append(rows, []string{f.Name, f.Type, f.Help})
			}
			dst = rows.appendText(dst, "    ")
		}
		for _, t := range g.Tables {
			dst = append(dst, '\n')
			help := fmt.Sprintf("%s Of %s, every %s, in the %s, at most %d keys.", t.Help, t.Of, t.Every, t.In, t.Max)
			dst = table{{"table " + g.Name + "." + t.Name, help + goesTo(t.Sinks)}}.appendText(dst, "  ")
			rows = nil
			for _, f := range slices.Concat(t.Key, t.Cells) {
				rows = append(rows, []string{f.Name, f.Type, f.Help})
			}
			dst = rows.appendText(dst, "    ")
		}
	}
	for _, s := range l.Sinks {
		blank()
		dst = table{{"sink " + s.Name, s.Help}}.appendText(dst, "")
		var rows table
		for _, setting := range s.Settings {
			rows = append(rows, []string{setting.Name, setting.shown(), setting.Help})
		}
		dst = rows.appendText(dst, "    ")
	}
	return dst
}

func goesTo(sinks []string) string {
	if len(sinks) == 0 {
		return ""
	}
	return " Goes to " + strings.Join(sinks, ", ") + "."
}

// unlessAll says which events are left out.
func (e listedEvent) unlessAll() string {
	var text string
	if e.Where != "" {
		text += " Only where " + e.Where + "."
	}
	if !e.Stream {
		text += " Counted in tables alone."
	}
	if e.Sample > 0 {
		text += fmt.Sprintf(" One of %d, by chance.", e.Sample)
	}
	if e.Limit > 0 {
		text += fmt.Sprintf(" At most %d a second.", e.Limit)
	}
	return text
}

func appendPart(dst []byte, title string, rows table) []byte {
	if len(rows) == 0 {
		return dst
	}
	dst = append(dst, "\n  "+title+"\n"...)
	return rows.appendText(dst, "    ")
}

// limits is the default and what else may be set.
func (p listedParam) limits() string {
	if p.Max == "" {
		return p.Default
	}
	return p.Default + " (" + p.Min + " to " + p.Max + ")"
}

func (s listedSetting) shown() string {
	if s.Default == "" {
		return `""`
	}
	return s.Default
}
