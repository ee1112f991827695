// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"os"
	"strings"
	"testing"

	"github.com/redsift/ingraind/examples/grains/generated/functions"
	"github.com/redsift/ingraind/examples/grains/generated/marks"
	"github.com/redsift/ingraind/examples/grains/generated/open"
	"github.com/redsift/ingraind/examples/grains/generated/points"
	"github.com/redsift/ingraind/examples/grains/generated/resolve"
	"github.com/redsift/ingraind/examples/grains/generated/shop"
	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/agent"
	"github.com/redsift/ingraind/runtime/sink/console"
)

// misnamed are grains that ask for what no kernel and no machine has, and what
// is said of each. Those of functions can only be tried where the kernel has a
// mechanism for functions.
func misnamed(t *testing.T) map[string]*runtime.Grain {
	t.Helper()
	parameter := func(name string, g *runtime.Grain) *runtime.Grain {
		g.Probes[0].Args = []string{name}
		return g
	}
	all := map[string]*runtime.Grain{
		`points: forked cannot run at tracepoint/sched/sched_process_fork: tp_btf, raw_tp: tracepoint sched_process_fork has no argument "kid" in this kernel; it has parent, child`: parameter("kid", alone(points.New(), "forked")),
		`points: forked cannot run at tracepoint/sched/sched_process_fork: tp_btf, raw_tp: this kernel has no tracepoint sched_process_knife`:                                        at("sched_process_knife", alone(points.New(), "forked")),
		`resolve: asked cannot run at uprobe/libc.so.6:getaddrinfo: uprobe: no library libingrain.so on this machine`:                                                                at("libingrain.so:ask", alone(resolve.New(), "asked")),
		`resolve: asked cannot run at uprobe/libc.so.6:getaddrinfo: uprobe: stat /nowhere/ingrain: no such file or directory`:                                                        at("/nowhere/ingrain:ask", alone(resolve.New(), "asked")),
		`resolve: asked cannot run at uprobe/libc.so.6:getaddrinfo: uprobe: ` + program(t) + ` has no function ingrain`:                                                              at(program(t)+":ingrain", alone(resolve.New(), "asked")),
	}
	marked := marker("-4@" + constant(1)).write(t)
	all[`shop: served cannot run at usdt//usr/local/bin/shop:shop:served: uprobe: `+marked+` has no probe tiny:market; did you mean tiny:marked?`] = at(marked+":tiny:market", by(runtime.Uprobe, shop.New()))
	all[`shop: served cannot run at usdt//usr/local/bin/shop:shop:served: uprobe: `+marked+` has no probe shop:served; it has tiny:marked`] = at(marked+":shop:served", by(runtime.Uprobe, shop.New()))
	all[`shop: served cannot run at usdt//usr/local/bin/shop:shop:served: uprobe: `+marked+`: tiny:marked has no arg2; it has 1`] = at(marked+":tiny:marked", by(runtime.Uprobe, shop.New()))
	if _, lacks := here(t).lacks[runtime.Kprobe]; !lacks {
		all[`functions: entered cannot run at entry/vfs_open: kprobe: vfs_open has no argument "filename" in this kernel; it has path, file`] = parameter("filename", by(runtime.Kprobe, alone(functions.New(), "entered")))
	}
	// Names are looked up before the mechanism is tried.
	all[`functions: entered cannot run at entry/vfs_open: fentry: vfs_open has no argument "filename" in this kernel; it has path, file`] = parameter("filename", by(runtime.Fentry, alone(functions.New(), "entered")))
	all[`functions: left cannot run at return/vfs_open: fexit: this kernel has no function vfs_ingrain`] = at("vfs_ingrain", by(runtime.Fexit, alone(functions.New(), "left")))
	return all
}

// program is this test's own.
func program(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return self
}

func TestWhatANameLacksIsSaidBeforeAnythingIsAttached(t *testing.T) {
	for want, g := range misnamed(t) {
		p := plan(t, g)
		if p.Err == nil || p.Err.Error() != want {
			t.Errorf("got  %v\nwant %s", p.Err, want)
		}
		_, reason, _ := strings.Cut(want, p.Placements[0].Point+": ")
		if row := p.Placements[0]; row.OK || row.Mechanism != "" || strings.Join(row.Reasons, "; ") != reason {
			t.Errorf("placed as %+v, want the reason %q", row, reason)
		}
	}
}

// agentRole is an agent of two grains, one of which asks for an argument that
// no kernel has.
func agentRole() {
	lacking := alone(points.New(), "forked")
	lacking.Probes[0].Args = []string{"kid"}
	agent.Main(agent.Agent{
		Name: "lacking", Help: "an agent half of which cannot run.",
		Grains: []*runtime.Grain{lacking, open.New()},
		Sinks:  []runtime.Part{console.Part()},
	})
}

func TestAGrainThatCannotRunIsReportedAndTheOthersRun(t *testing.T) {
	const why = `tracepoint sched_process_fork has no argument "kid" in this kernel; it has parent, child`
	out, err := role(t, "agent", "check").CombinedOutput()
	if err != nil {
		t.Fatalf("check: %v\n%s", err, out)
	}
	want := `PROBE          POINT                                MECHANISM
points.forked  tracepoint/sched/sched_process_fork  none
    - tp_btf, raw_tp: ` + why + `
open.opened    syscall/openat                       tp_btf

1 of 2 grains can run here; not points
`
	if got := string(out); unwrap(got) != unwrap(want) {
		t.Errorf("check: got\n%s\nwant\n%s", got, want)
	}
	cmd := role(t, "agent", "-for", "300ms", "-o", "json")
	var said strings.Builder
	cmd.Stderr = &said
	// It opens files itself, when it looks for those of the machine.
	rows, err := cmd.Output()
	if err != nil {
		t.Fatalf("run: %v\n%s", err, said.String())
	}
	if !strings.Contains(said.String(), "points: forked cannot run at tracepoint/sched/sched_process_fork: tp_btf, raw_tp: tracepoint sched_process_fork has no argument") {
		t.Errorf("the log says nothing of the grain that cannot run:\n%s", said.String())
	}
	if strings.Contains(string(rows), `"grain":"points"`) {
		t.Error("a grain that cannot run has events")
	}
}

// markRole is an agent that sets a probe on a program's own.
func markRole() {
	agent.Main(agent.Agent{
		Name: "mark", Help: "an agent that looks at one program.",
		Grains: []*runtime.Grain{at(os.Getenv("INGRAIN_MARKED"), alone(marks.New(), "two"))},
		Sinks:  []runtime.Part{console.Part()},
	})
}

func TestCheckSaysHowAProbeInAProgramIsServed(t *testing.T) {
	program := marker("-4@"+constant(1), "8@"+constant(2)).write(t)
	why, lacks := here(t).lacks[runtime.UprobeMulti]
	for target, want := range map[string]string{
		program + ":tiny:marked": "uprobe.multi\n\n1 of 1 grain can run here\n",
		program + ":tiny:market": "none\n    - uprobe.multi, uprobe: " + program + " has no probe tiny:market; did you mean tiny:marked?\n\n0 of 1 grain can run here; not marks\n",
	} {
		if lacks {
			want = strings.Replace(want, "uprobe.multi\n", "uprobe\n    - uprobe.multi: "+why+"\n", 1)
			want = strings.Replace(want, "- uprobe.multi, uprobe: ", "- uprobe.multi: "+why+"\n    - uprobe: ", 1)
		}
		cmd := role(t, "mark", "check")
		cmd.Env = append(cmd.Env, "INGRAIN_MARKED="+target)
		out, _ := cmd.CombinedOutput() // it fails when no grain can run
		want = "PROBE      POINT                               MECHANISM\nmarks.two  usdt//usr/local/bin/shop:shop:many  " + want
		if got := string(out); unwrap(got) != unwrap(want) {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
}

// unwrap is text without line breaks and runs of spaces.
func unwrap(text string) string { return strings.Join(strings.Fields(text), " ") }
