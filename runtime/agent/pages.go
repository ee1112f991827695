// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"slices"
	"strings"
)

func verbsSection(Agent) section {
	s := section{title: "Verbs"}
	for _, v := range verbs() {
		s.rows = append(s.rows, []string{v.name, v.summary})
	}
	return s
}

func grainsSection(a Agent) section {
	s := section{title: "Grains"}
	for _, g := range a.Grains {
		s.rows = append(s.rows, []string{g.Name, g.Help + a.whenAsked(g.Name)})
	}
	return s
}

// whenAsked says that a grain does not run by itself.
func (a Agent) whenAsked(grain string) string {
	if !slices.Contains(a.Optional, grain) {
		return ""
	}
	return " Runs only when it is asked for: -grains " + grain + "."
}

func sinksSection(a Agent) section {
	s := section{title: "Sinks"}
	for _, part := range a.Sinks {
		help := part.Help
		if names := settingNames(&part); len(names) > 0 {
			help += " Keys: " + strings.Join(names, ", ") + "."
		}
		s.rows = append(s.rows, []string{part.Name, help})
	}
	return s
}

// deliverySection shows the keys that any sink takes.
func deliverySection(a Agent) section {
	s := section{title: "Keys of any sink"}
	if len(a.Sinks) == 0 {
		return s
	}
	for _, setting := range deliverySettings() {
		help := setting.Help
		if setting.Default != "" {
			help += " Default: " + setting.Default + "."
		}
		s.rows = append(s.rows, []string{setting.Name, help})
	}
	return s
}

// configSection shows all keys, with names that this agent knows.
func configSection(a Agent) section {
	lines := []string{"grains: [" + a.someGrain() + "]"}
	for _, part := range a.Sinks {
		keys := ""
		if slices.Contains(settingNames(&part), "path") {
			keys = "path: /var/log/" + a.Name + ".json"
		}
		lines = append(lines, "  "+part.Name+": {"+keys+"}")
	}
	if len(a.Sinks) > 0 {
		lines = slices.Insert(lines, 1, "sinks:")
		lines = append(lines, "routes: {"+a.someGrain()+": ["+a.Sinks[0].Name+"]}")
	}
	if name, value := a.someParam(); name != "" {
		lines = append(lines, "params: {"+name+": "+value+"}")
	}
	if placed := a.placedProbes(); len(placed) > 0 {
		lines = append(lines, "on: {"+placed[0]+": [NAME]}")
	}
	if a.Observer != nil {
		lines = append(lines, "listen: 127.0.0.1:9464")
	}
	return section{title: "Configuration file, with all its keys", lines: append(lines, "latency: 10ms", "rings: 4MiB", "btf: none", "transport: auto")}
}

func signalsSection(Agent) section {
	return section{title: "Signals", rows: table{
		{"SIGINT, SIGTERM", "Detach, send what was read, flush, and exit within 5 seconds. A second one ends at once."},
		{"SIGUSR1", "Print the ledger to standard error."},
		{"SIGHUP", "Read the configuration file again: sinks and routes follow it, probes stay. One with a mistake changes nothing. Without -config it is as SIGTERM."},
	}}
}

func environmentSection(a Agent) section {
	rows := table{
		{"GOMAXPROCS", "How many threads may run at once (default: the number of CPUs)."},
		{"GOMEMLIMIT", "How much memory to keep below, such as 32MiB (default: no limit)."},
	}
	for _, part := range a.Sinks {
		for _, v := range part.Variables {
			rows = append(rows, []string{v.Name, v.Help})
		}
	}
	return section{title: "Environment", rows: rows}
}

// exits are the exit codes of a verb.
func exits(fine, failed string) func(Agent) section {
	return func(Agent) section {
		return section{title: "Exit codes", rows: table{
			{"0", fine},
			{"1", failed},
			{"2", "The command line or the configuration file is wrong."},
		}}
	}
}

func runExits(a Agent) section {
	s := exits("It did as asked: also after SIGINT, SIGTERM and -for.", "It could not run.")(a)
	s.rows = append(s.rows, []string{"130, 143", "A second SIGINT or SIGTERM ended it at once."})
	return s
}

func runExamples(a Agent) section {
	lines := []string{
		"sudo " + a.Name,
		"sudo " + a.Name + " -grains " + a.someGrain() + " -o json | jq .",
		"sudo " + a.Name + " -for 1m -latency 10ms -v",
	}
	if name, value := a.someParam(); name != "" {
		lines = append(lines, "sudo "+a.Name+" -param "+name+"="+value)
	}
	for _, part := range a.Sinks {
		if slices.Contains(settingNames(&part), "path") {
			lines = append(lines, "sudo "+a.Name+" -sink "+part.Name+":path=/var/log/"+a.Name+".json")
		}
	}
	return examples(lines...)
}

func examples(lines ...string) section { return section{title: "Examples", lines: lines} }

// someGrain and someParam are names for examples.
func (a Agent) someGrain() string {
	if len(a.Grains) == 0 {
		return ""
	}
	return a.Grains[0].Name
}

func (a Agent) someParam() (name, value string) {
	for _, g := range a.Grains {
		for i := range g.Params {
			return g.Name + "." + g.Params[i].Name, g.Params[i].Format(g.Params[i].Default)
		}
	}
	return "", ""
}
