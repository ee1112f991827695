// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/redsift/ingraind/runtime"
)

func TestHelpIsAPagePerVerbOnStandardOutput(t *testing.T) {
	for _, name := range verbNames() {
		for _, args := range [][]string{{name, "--help"}, {name, "-h"}, {name, "x", "-help"}, {"help", name}} {
			c := newCall()
			c.env.EUID = 1000
			if code := c.run(args...); code != 0 || c.errs.Len() > 0 {
				t.Errorf("%q: got exit code %d and %q", args, code, &c.errs)
			}
			golden(t, "help/"+name+".txt", c.out.String())
		}
	}
	for _, args := range [][]string{{"--help"}, {"-h"}, {"help"}} {
		c := newCall()
		c.run(args...)
		golden(t, "help/run.txt", c.out.String())
	}
}

func TestHelpFitsATerminal(t *testing.T) {
	for _, v := range verbs() {
		c := newCall()
		c.run("help", v.name)
		for line := range strings.Lines(c.out.String()) {
			if line = strings.TrimRight(line, "\n"); utf8.RuneCountInString(line) > 80 || strings.TrimRight(line, " ") != line {
				t.Errorf("help %s: %q has %d columns or blanks at its end, want at most 80 and none", v.name, line, len(line))
			}
		}
	}
}

// What the help shows as a configuration file is one.
func TestTheConfigurationInTheHelpWorks(t *testing.T) {
	c := newCall()
	c.run("help")
	_, rest, _ := strings.Cut(c.out.String(), "\nConfiguration file, with all its keys:\n")
	text, _, _ := strings.Cut(rest, "\n\n")
	for _, key := range namesOfKeys(c.agent.keys()) {
		if !strings.Contains(text, key+":") {
			t.Errorf("the key %s is missing in\n%s", key, text)
		}
	}
	if code := c.run("-config", file(t, "agent.yaml", text)); code != 0 {
		t.Errorf("got exit code %d: %s", code, &c.errs)
	}
}

func TestUsageErrorsGoToStandardError(t *testing.T) {
	c := newCall()
	c.run("-sniks")
	golden(t, "usage_error.txt", c.errs.String())
}

func TestHelpOfAnEmptyAgentIsStillAPage(t *testing.T) {
	c := newCall()
	c.agent = Agent{Name: "empty", Help: "Watches nothing."}
	if code := c.run("help"); code != 0 || !strings.HasPrefix(c.out.String(), "Usage: empty [run] [flags]\n") {
		t.Errorf("got exit code %d and\n%s", code, &c.out)
	}
	if code := c.run(); code != 2 {
		t.Errorf("run: got exit code %d, want 2: it has no sink", code)
	}
}

func TestListShowsAllThatTheAgentHolds(t *testing.T) {
	c := newCall()
	c.env.EUID = 1000
	if code := c.run("list"); code != 0 {
		t.Fatalf("got exit code %d: %s", code, &c.errs)
	}
	golden(t, "list.txt", c.out.String())
	c.out.Reset()
	if code := c.run("list", "-o", "json"); code != 0 {
		t.Fatalf("got exit code %d: %s", code, &c.errs)
	}
	golden(t, "list.json", c.out.String())
	c.out.Reset()
	c.run("list", "exec", "file", "-o=json")
	var l listed
	if err := json.Unmarshal(c.out.Bytes(), &l); err != nil || len(l.Grains) != 1 || l.Grains[0].Name != "exec" || len(l.Sinks) != 1 || l.Sinks[0].Name != "file" {
		t.Errorf("list exec file: got error %v and %+v", err, l)
	}
}

func TestEachTypeHasAName(t *testing.T) {
	for typ := runtime.TypeUint; typ <= runtime.TypePID; typ++ {
		if name := typeName(typ); name == "" || strings.Contains(name, " ") {
			t.Errorf("type %d: got name %q", typ, name)
		}
	}
}

func TestCheckHasARowPerPointAndSaysWhyNot(t *testing.T) {
	c := newCall()
	exec := &runtime.Plan{Grain: c.agent.Grains[1], Placements: []runtime.Placement{
		{Grain: "exec", Probe: "started", Point: "tracepoint/sched/sched_process_exec", Mechanism: runtime.RawTP, Target: "sched_process_exec", OK: true,
			Reasons: []string{"tp_btf: operation not permitted (by lockdown, a security module, or for want of a capability)"}},
		{Grain: "exec", Probe: "started_old", Point: "entry/begin_new_exec", OK: true, Reasons: []string{"not needed: started runs"}},
	}}
	conn := &runtime.Plan{Grain: c.agent.Grains[0], Err: errors.New("conn: changed cannot run at entry/f: no"), Placements: []runtime.Placement{
		{Grain: "conn", Probe: "changed", Point: "entry/f", Reasons: []string{"fentry: the kernel has no function f", "kprobe: the kernel has no kprobes (CONFIG_KPROBE_EVENTS)"}},
	}}
	c.fake.plans = []*runtime.Plan{conn, exec}
	if code := c.run("check"); code != 0 {
		t.Errorf("got exit code %d, want 0: one can run", code)
	}
	golden(t, "check.txt", c.out.String())
	c.out.Reset()
	if code := c.run("check", "-o", "json"); code != 0 {
		t.Errorf("got exit code %d, want 0: one can run", code)
	}
	golden(t, "check.json", c.out.String())

	c.fake.plans = []*runtime.Plan{conn}
	if code := c.run("check", "-grains", "conn"); code != 1 {
		t.Errorf("got exit code %d, want 1: none can run", code)
	}
	c.env.EUID = 1000
	c.run("check")
	if got, want := c.errs.String(), "ingraind: without root some mechanisms cannot be tried, and count as missing\n"; got != want {
		t.Errorf("without root: got %q, want %q", got, want)
	}
	c.fake.err = errors.New("the kernel's types: not found")
	if code := c.run("check"); code != 1 {
		t.Errorf("without BTF: got exit code %d, want 1", code)
	}
}
