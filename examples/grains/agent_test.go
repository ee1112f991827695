// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/runtimetest"
)

// start runs grains until Stop or the end of the test, which fails when
// anything of them is left in the kernel then.
func start(t *testing.T, o runtime.Options, grains ...*runtime.Grain) *runtimetest.Agent {
	t.Helper()
	before, during := held(t), map[string]bool{}
	t.Cleanup(func() {
		for object := range during {
			if !before[object] {
				gone(t, object)
			}
		}
		for _, line := range traceEvents(t, os.Getpid()) {
			t.Errorf("still in tracefs: %s", line)
		}
	})
	agent := runtimetest.Start(t, o, grains...)
	if len(agent.Plans) != len(grains) {
		t.Fatalf("%d of %d grains run", len(agent.Plans), len(grains))
	}
	during = held(t)
	if len(during) < len(before)+3 {
		t.Fatalf("an agent holds %v", slices.Collect(maps.Keys(during)))
	}
	return agent
}

// stop ends an agent that should have lost nothing.
func stop(t *testing.T, agent *runtimetest.Agent) ([]runtimetest.Row, runtime.Ledger) {
	t.Helper()
	rows, ledger := agent.Stop()
	books := ledger
	books.Probes = nil // what the kernel did not run a probe for is told apart (ARCHITECTURE.md, The ledger)
	if lost := books.Losses(); lost != 0 {
		t.Errorf("%d events or rows were lost: %+v", lost, ledger)
	}
	return rows, ledger
}

// alone is g with only some of its probes.
func alone(g *runtime.Grain, probes ...string) *runtime.Grain {
	g.Probes = slices.DeleteFunc(slices.Clone(g.Probes), func(p runtime.Probe) bool { return !slices.Contains(probes, p.Name) })
	return g
}

// by is g with only one mechanism, for those of its probes that have it.
func by(m runtime.Mechanism, g *runtime.Grain) *runtime.Grain {
	return each(g, func(_ *runtime.Probe, p *runtime.Point) {
		p.Ways = slices.DeleteFunc(slices.Clone(p.Ways), func(w runtime.Way) bool { return w.Mechanism != m })
	})
}

// at is g at another function, of the kernel or of a program.
func at(target string, g *runtime.Grain) *runtime.Grain {
	return each(g, func(_ *runtime.Probe, p *runtime.Point) {
		p.Ways = slices.Clone(p.Ways)
		for i := range p.Ways {
			p.Ways[i].Target = target
		}
	})
}

// each is g, edited at each point.
func each(g *runtime.Grain, edit func(*runtime.Probe, *runtime.Point)) *runtime.Grain {
	g.Probes = slices.Clone(g.Probes)
	for i := range g.Probes {
		p := &g.Probes[i]
		p.Points = slices.Clone(p.Points)
		for n := range p.Points {
			edit(p, &p.Points[n])
		}
	}
	return g
}

// held are the eBPF objects that this process has files of: "map_id 17".
func held(t *testing.T) map[string]bool {
	t.Helper()
	files, err := os.ReadDir("/proc/self/fdinfo")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]bool{}
	for _, f := range files {
		text, err := os.ReadFile("/proc/self/fdinfo/" + f.Name())
		if err != nil {
			continue // it was the folder's own
		}
		for line := range strings.Lines(string(text)) {
			switch kind, id, _ := strings.Cut(line, ":"); kind {
			case "map_id", "prog_id", "link_id":
				all[kind+" "+strings.TrimSpace(id)] = true
			}
		}
	}
	return all
}

// gone fails the test when the kernel still has an object after 5 s.
func gone(t *testing.T, object string) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); inKernel(t, object); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Errorf("still in the kernel: %s", object)
			return
		}
	}
}

// inKernel reports whether the kernel has an object.
func inKernel(t *testing.T, object string) bool {
	t.Helper()
	kind, number, _ := strings.Cut(object, " ")
	id, err := strconv.ParseUint(number, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	switch kind {
	case "map_id":
		m, err := ebpf.NewMapFromID(ebpf.MapID(id))
		return err == nil && m.Close() == nil
	case "prog_id":
		p, err := ebpf.NewProgramFromID(ebpf.ProgramID(id))
		return err == nil && p.Close() == nil
	}
	l, err := link.NewFromID(link.ID(id))
	return err == nil && l.Close() == nil
}

// traceEvents are the events that a process has made in tracefs.
func traceEvents(t *testing.T, pid int) []string {
	t.Helper()
	var ours []string
	for _, file := range []string{"kprobe_events", "uprobe_events"} {
		text, err := os.ReadFile(filepath.Join("/sys/kernel/tracing", file))
		if err != nil {
			continue // the kernel has none, or keeps them elsewhere
		}
		for line := range strings.Lines(string(text)) {
			if strings.Contains(line, ":ingraind_"+strconv.Itoa(pid)+"_") {
				ours = append(ours, strings.TrimSpace(line))
			}
		}
	}
	return ours
}
