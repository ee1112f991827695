// SPDX-License-Identifier: Apache-2.0

package agent

// The names of verbs that others speak of.
const (
	nameRun  = "run"
	nameHelp = "help"
)

// verbs are all of them, in the order of the help.
func verbs() []*verb {
	return []*verb{runVerb(), checkVerb(), listVerb(), configVerb(), replayVerb(), versionVerb(), helpVerb(), completionVerb()}
}

func runVerb() *verb {
	return &verb{
		name:    nameRun,
		summary: "Watch, and send rows to sinks. The default.",
		about: []string{
			"Without flags AGENT watches with all its grains, and prints events to the console until it is interrupted. It needs root, or the capabilities CAP_BPF and CAP_PERFMON. A grain that this kernel cannot run is reported before anything of it is attached, and the others run; \"AGENT check\" tells beforehand.",
			"At the end, if anything was lost, the ledger accounts for every event: what the kernel saw, what was read, what each sink was given.",
		},
		groups: []group{
			{"What to watch", []option{grainsFlag, paramFlag, onFlag, forFlag}},
			{"Where rows go", []option{sinkFlag, formatFlag, recordFlag}},
			{"How to read the kernel", []option{latencyFlag, ringsFlag, btfFlag, transportFlag}},
			{"The rest", []option{listenFlag, configFlag, verboseFlag}},
		},
		page: []func(Agent) section{grainsSection, sinksSection, deliverySection, configSection, signalsSection, environmentSection, runExits, runExamples},
		do:   run,
	}
}

func checkVerb() *verb {
	return &verb{
		name:    "check",
		summary: "Say what would run on this kernel, and how, or why not.",
		about: []string{
			"For each point of each probe: the mechanism that would serve it here, why better ones do not, or what is missing and would help. Nothing stays attached. Root sees everything; others see what the kernel lets them try.",
		},
		groups: []group{{"Flags", []option{grainsFlag, onFlag, btfFlag, configFlag, printFlag()}}},
		page: []func(Agent) section{
			exits("At least one grain can run here.", "No grain can run here."),
			func(a Agent) section { return examples("sudo "+a.Name+" check", a.Name+" check -o json") },
		},
		do: check,
	}
}

func listVerb() *verb {
	return &verb{
		name:      "list",
		arguments: "[NAME ...]",
		most:      -1,
		summary:   "Show grains, params, probes, events, fields and sinks.",
		about:     []string{"All that this agent holds, or only the grains and sinks that are named. Names are those of rows, of flags and of the configuration file."},
		groups:    []group{{"Flags", []option{printFlag()}}},
		page: []func(Agent) section{
			exits("It was shown.", "It could not be written."),
			func(a Agent) section {
				return examples(a.Name+" list", a.Name+" list "+a.someGrain(), a.Name+" list -o json")
			},
		},
		complete: grainOrSink,
		do:       list,
	}
}

func configVerb() *verb {
	return &verb{
		name:    "config",
		summary: "Print a configuration file with every key, or its schema.",
		about: []string{
			"Every key that a file for -config may have, what it means and its default, commented out: as it is, the file changes nothing.",
		},
		groups: []group{{"Flags", []option{schemaFlag}}},
		page: []func(Agent) section{
			exits("It was printed.", "It could not be written."),
			func(a Agent) section {
				return examples(a.Name+" config > "+a.Name+".yaml", a.Name+" config -schema > "+a.Name+".schema.json")
			},
		},
		do: printConfig,
	}
}

func replayVerb() *verb {
	return &verb{
		name:      "replay",
		arguments: "FILE",
		most:      1,
		summary:   "Send a recording to sinks.",
		about: []string{
			"What \"AGENT run -record FILE\" recorded goes through the same decoding and to the same sinks as it did, with the times of the recording. It needs neither root nor a kernel. - is standard input.",
			"Events are found by name. One whose struct has changed since is refused, and so is a grain that this agent does not hold. A record at the end that is torn, as after a crash, is reported and counted as undecodable.",
		},
		groups: []group{{"Flags", []option{sinkFlag, formatFlag, configFlag, verboseFlag}}},
		page: []func(Agent) section{
			exits("All of it was replayed.", "It could not be read, or not be decoded by this agent."),
			func(a Agent) section {
				return examples("sudo "+a.Name+" -for 10s -record events.rec", a.Name+" replay events.rec", a.Name+" replay -o json events.rec | head")
			},
		},
		complete: files,
		do:       replay,
	}
}

func versionVerb() *verb {
	return &verb{
		name:    "version",
		summary: "Print the version, or the licences.",
		groups:  []group{{"Flags", []option{licencesFlag}}},
		page:    []func(Agent) section{exits("It was printed.", "It could not be written.")},
		do:      version,
	}
}

func helpVerb() *verb {
	return &verb{
		name:      nameHelp,
		arguments: "[VERB]",
		most:      1,
		summary:   "Print the page of a verb.",
		page:      []func(Agent) section{exits("It was printed.", "It could not be written.")},
		complete:  verbList,
		do:        help,
	}
}

func completionVerb() *verb {
	return &verb{
		name:      "completion",
		arguments: "bash|zsh|fish",
		most:      1,
		summary:   "Print a completion script for a shell.",
		about:     []string{"It completes verbs, flags, and the names of grains, params and sinks."},
		page: []func(Agent) section{
			exits("It was printed.", "It could not be written."),
			func(a Agent) section {
				return examples(
					"source <("+a.Name+" completion bash)",
					"source <("+a.Name+" completion zsh)",
					a.Name+" completion fish | source")
			},
		},
		complete: shellNames,
		do:       completion,
	}
}
