// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// key is a key of a configuration file. A scalar has set, any other read.
type key struct {
	name, help string
	set        func(r *request, text string) error
	read       func(c *config, value *yaml.Node)
	only       func(Agent) bool                           // nil: any agent has it
	standard   func(Agent) (value string, lines []string) // its default, as a file says it, with lines below it
	schema     func(Agent) schema
}

// keys are all of them, in the order of the printed configuration.
func keys() []key {
	return []key{
		{name: "grains", read: (*config).grains, schema: grainsSchema,
			help: "Which grains run (default: all but those that say otherwise in \"list\").",
			standard: func(a Agent) (string, []string) {
				return "[" + strings.Join(a.usualGrains(), ", ") + "]", nil
			}},
		{name: "sinks", read: (*config).sinks, schema: sinksSchema,
			help:     "Where rows go (default: console, and those that the environment turns on). Each sink also takes the keys spool to memory, which are explained at the first.",
			standard: sinkLines},
		{name: "routes", read: (*config).routes, schema: routesSchema,
			help:     "Which sinks get the rows of an event or a table, of a grain, or of all (*), instead of those that its grain names; the narrowest route holds. An empty list is nowhere.",
			standard: nothingSaid},
		{name: "params", read: (*config).params, schema: paramsSchema,
			help:     "The params of grains.",
			standard: paramLines},
		{name: "on", read: (*config).on, schema: onSchema,
			help:     "What probes of packets or sockets are at, instead of what their grains say: interfaces such as eth*, cgroups such as /system.slice, or a network namespace.",
			standard: nothingSaid},
		{name: "listen", read: (*config).listen, schema: listenSchema, only: func(a Agent) bool { return a.Observer != nil },
			help:     "Where others can look at the agent itself, by HTTP.",
			standard: listenLines},
		{name: "latency", set: (*request).setLatency, schema: textSchema,
			help:     "How long an event may wait while many arrive, up to 100ms: polling less often costs less.",
			standard: just("1ms")},
		{name: "rings", set: (*request).setRings, schema: textSchema,
			help:     "Memory for the ring buffers of all CPUs together.",
			standard: just("8MiB")},
		{name: "btf", set: (*request).setBTF, schema: textSchema,
			help:     "For kernels without types (BTF) of their own: the file of them, or a folder with a RELEASE.btf, also below folders as BTFHub has them.",
			standard: just("none")},
		{name: "transport", set: (*request).setTransport, schema: enumSchema(transports),
			help:     "How events leave the kernel: ring, perf, or auto, which is ring where the kernel has it.",
			standard: just("auto")},
	}
}

// keys are those of this agent.
func (a Agent) keys() []key {
	return slices.DeleteFunc(keys(), func(k key) bool { return k.only != nil && !k.only(a) })
}

func namesOfKeys(keys []key) []string {
	var names []string
	for _, k := range keys {
		names = append(names, k.name)
	}
	return names
}

func just(value string) func(Agent) (string, []string) {
	return func(Agent) (string, []string) { return value, nil }
}

func nothingSaid(Agent) (string, []string) { return "{}", nil }

// usualGrains are those that run when nobody says which.
func (a Agent) usualGrains() []string {
	return slices.DeleteFunc(a.grainNames(), func(name string) bool { return slices.Contains(a.Optional, name) })
}

// sinkLines are all sinks with all their keys.
func sinkLines(a Agent) (string, []string) {
	var lines []string
	for i := range a.Sinks {
		part := &a.Sinks[i]
		lines = append(lines, comment("  ", part.Help)...)
		lines = append(lines, "  "+part.Name+":")
		for _, s := range part.Settings {
			lines = append(lines, comment("    ", s.Help)...)
			lines = append(lines, "    "+pair(s.Name, s.Default))
		}
		delivery := a.deliveryDefaults(part)
		for _, s := range deliverySettings() {
			if i == 0 {
				lines = append(lines, comment("    ", s.Help)...)
			}
			lines = append(lines, "    "+pair(s.Name, delivery[s.Name]))
		}
	}
	return "", lines
}

func paramLines(a Agent) (string, []string) {
	var lines []string
	for _, g := range a.Grains {
		for i := range g.Params {
			p := &g.Params[i]
			help := p.Help
			if p.Min != 0 || p.Max != 0 {
				help += " From " + p.Format(p.Min) + " to " + p.Format(p.Max) + "."
			}
			lines = append(lines, comment("  ", help)...)
			lines = append(lines, "  "+pair(g.Name+"."+p.Name, p.Format(p.Default)))
		}
	}
	if len(lines) == 0 {
		return nothingSaid(a)
	}
	return "", lines
}

func listenLines(a Agent) (string, []string) {
	var lines []string
	for _, s := range a.Observer.Settings {
		lines = append(lines, comment("  ", s.Help)...)
		lines = append(lines, "  "+pair(s.Name, s.Default))
	}
	return "", lines
}

// pair is a key and its value. YAML reads the same from it.
func pair(name, value string) string {
	if value == "" {
		return name + `: ""`
	}
	var read string
	if err := yaml.Unmarshal([]byte(value), &read); err != nil || read != value || strings.ContainsAny(value, "#:{}[],&*!|>'\"%@`") {
		value = "'" + strings.ReplaceAll(value, "'", "''") + "'"
	}
	return name + ": " + value
}

// comment is text behind "# ", in lines of at most 100.
func comment(indent, text string) []string {
	lines := wrap(text, 100-len(indent)-2)
	for i := range lines {
		lines[i] = indent + "# " + lines[i]
	}
	return lines
}
