// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// group is flags that belong together.
type group struct {
	title   string
	options []option
}

// option is a flag. One without a value is a switch.
type option struct {
	name   string
	value  string // as the help names it: "LIST"
	help   string // with the default
	values kind   // what completion offers
	set    func(f *flagValues, text string) error
}

// flagValues is what flags said.
type flagValues struct {
	ask      request
	format   string // -o
	config   string
	record   string
	duration time.Duration
	verbose  bool
	licences bool
	schema   bool
}

func (v *verb) options() []option {
	var all []option
	for _, g := range v.groups {
		all = append(all, g.options...)
	}
	return all
}

// offered are those that this agent has a use for.
func (v *verb) offered(a Agent) []option {
	return slices.DeleteFunc(v.options(), func(o option) bool { return !a.offers(o) })
}

// offers is whether there is something in the agent that a flag is for.
func (a Agent) offers(o option) bool { return o.name != listenFlag.name || a.Observer != nil }

// errHelp is asked for with -h, -help or --help.
var errHelp = flag.ErrHelp

// parseFlags reads flags with one dash or two, before and behind arguments,
// up to "--", and returns the arguments.
func parseFlags(v *verb, args []string, values *flagValues) ([]string, error) {
	set := flag.NewFlagSet(v.name, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.Usage = func() {}
	names := []string{"help"}
	for _, o := range v.options() {
		names = append(names, o.name)
		use := func(text string) error { return o.set(values, text) }
		if o.value == "" {
			set.BoolFunc(o.name, "", use)
		} else {
			set.Func(o.name, "", use)
		}
	}
	var arguments []string
	for {
		err := set.Parse(args)
		if name, ok := strings.CutPrefix(fmt.Sprint(err), "flag provided but not defined: -"); ok {
			return nil, unknown("flag", name, names)
		}
		if err != nil {
			return nil, err
		}
		rest := set.Args()
		if ended := len(args) - len(rest) - 1; ended >= 0 && args[ended] == "--" {
			return append(arguments, rest...), nil
		}
		if len(rest) == 0 {
			return arguments, nil
		}
		arguments = append(arguments, rest[0])
		args = rest[1:]
	}
}

var (
	grainsFlag = option{"grains", "LIST", "Only these grains, such as exec,conn (default: all).", grainList,
		func(f *flagValues, text string) error {
			f.ask.grains = nil
			for name := range strings.SplitSeq(text, ",") {
				f.ask.grains = append(f.ask.grains, word{text: strings.TrimSpace(name), at: place{name: "-grains"}})
			}
			return nil
		}}
	paramFlag = option{"param", "GRAIN.NAME=VALUE", "Set a param of a grain; may be given again for others. \"list\" shows them.", paramNames,
		func(f *flagValues, text string) error {
			name, value, ok := strings.Cut(text, "=")
			if !ok {
				return errors.New("a param is set as GRAIN.NAME=VALUE")
			}
			f.ask.params = append(f.ask.params, setting{word{name, place{name: "-param"}}, word{value, place{name: "-param"}}})
			return nil
		}}
	onFlag = option{"on", "GRAIN.PROBE=NAME,...", "What a probe of packets or sockets is at, instead of what its grain says: interfaces such as eth*, also those that come later, cgroups such as /system.slice, or a network namespace; may be given again for others.", placeNames,
		func(f *flagValues, text string) error {
			name, value, ok := strings.Cut(text, "=")
			if !ok || value == "" {
				return errors.New("want GRAIN.PROBE=NAME, or more names behind it, between commas")
			}
			at := place{name: "-on"}
			on := probeOn{probe: word{name, at}}
			for name := range strings.SplitSeq(value, ",") {
				on.names = append(on.names, word{strings.TrimSpace(name), at})
			}
			f.ask.on = append(f.ask.on, on)
			return nil
		}}
	forFlag = option{"for", "DURATION", "Stop by itself after this long, such as 5s or 1h (default: never).", nothing,
		func(f *flagValues, text string) error {
			d, err := time.ParseDuration(text)
			if err != nil || d <= 0 {
				return errors.New("want a duration such as 5s or 1h")
			}
			f.duration = d
			return nil
		}}
	sinkFlag = option{"sink", "NAME[:KEY=VALUE,...]", "Send rows there; may be given again for other sinks. A comma inside of a value is written \\, (default: console).", sinkNames,
		func(f *flagValues, text string) error {
			sink, err := parseSink(text)
			f.ask.sinks = append(f.ask.sinks, sink)
			return err
		}}
	formatFlag = option{"o", "FORMAT", "How the console writes: json, or text (default: text on a terminal, json elsewhere).", formatNames, setFormat}
	recordFlag = option{"record", "FILE", "Also write raw records to FILE, replacing it, for \"replay\".", files,
		func(f *flagValues, text string) error {
			if text == "" {
				return errors.New("want a file")
			}
			f.record = text
			return nil
		}}
	listenFlag = option{"listen", "HOST:PORT[,KEY=VALUE,...]", "Let others look at the agent itself, by HTTP: /metrics, /healthz, /readyz (default: nowhere).", nothing,
		func(f *flagValues, text string) (err error) { f.ask.listen, err = parseListen(text); return err }}
	latencyFlag = option{"latency", "DURATION", "How long an event may wait while many arrive, up to 100ms: polling less often costs less (default 1ms).", nothing,
		func(f *flagValues, text string) error { return f.ask.setLatency(text) }}
	ringsFlag = option{"rings", "BYTES", "Memory for the ring buffers of all CPUs together (default 8MiB).", nothing,
		func(f *flagValues, text string) error { return f.ask.setRings(text) }}
	btfFlag = option{"btf", "PATH", "Where the kernel has no types (BTF) of its own: the file of them, or a folder with a RELEASE.btf, also as BTFHub has them (default: none).", files,
		func(f *flagValues, text string) error { return f.ask.setBTF(text) }}
	transportFlag = option{"transport", "KIND", "How events leave the kernel: ring, perf, or auto, which is ring where the kernel has it (default auto).", transportNames,
		func(f *flagValues, text string) error { return f.ask.setTransport(text) }}
	configFlag = option{"config", "FILE", "Read FILE first; flags win over it (default: none).", files,
		func(f *flagValues, text string) error {
			if text == "" {
				return errors.New("want a file")
			}
			f.config = text
			return nil
		}}
	verboseFlag = option{"v", "", "Log more, and print the ledger at the end.", nothing,
		func(f *flagValues, text string) (err error) { f.verbose, err = switched(text); return err }}
	schemaFlag = option{"schema", "", "Print the JSON Schema of the file, for editors, instead.", nothing,
		func(f *flagValues, text string) (err error) { f.schema, err = switched(text); return err }}
	licencesFlag = option{"licences", "", "Print the licences of all that this binary contains.", nothing,
		func(f *flagValues, text string) (err error) { f.licences, err = switched(text); return err }}
)

func setFormat(f *flagValues, text string) error {
	if !slices.Contains(formats, text) {
		return fmt.Errorf("want %s", strings.Join(formats, " or "))
	}
	f.format = text
	return nil
}

// printFlag is -o of a verb that prints by itself.
func printFlag() option {
	return option{"o", "FORMAT", "json or text (default text).", formatNames, setFormat}
}

func switched(text string) (bool, error) {
	switch text {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, errors.New("want true or false")
}
