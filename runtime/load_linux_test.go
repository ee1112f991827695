// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	goruntime "runtime"
	"strings"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/google/go-cmp/cmp"
)

func TestEventsArriveThroughEachTracepointMechanism(t *testing.T) {
	k := kernel(t)
	g := points(t, started())
	for way, m := range map[uint32]Mechanism{1: TPBTF, 2: RawTP} {
		t.Run(string(m), func(t *testing.T) {
			s := share(t, k, SharedOptions{})
			l := start(t, k, g, s, PlanOptions{Only: map[Mechanism]bool{m: true}})
			pid := child(t)
			got := await(t, s.Rings[0], func(r seen) bool { return r.PID == pid })
			want := seen{Time: got.Time, Weight: 1, Grain: 3, Event: 0, Tag: 42, Arg: uint64(pid), Ret: 1, PID: pid, Way: way}
			if got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
			if err := l.Detach(); err != nil {
				t.Fatal(err)
			}
			books, err := l.EventBooks(nil)
			if err != nil {
				t.Fatal(err)
			}
			if b := books[0]; len(books) != 2 || b.Seen == 0 || b.Seen != b.Emitted || b.Lost+b.Errors != 0 || b.Event != "started" {
				t.Errorf("books are %+v", books)
			}
			if got := l.Plan().Placements[0].Mechanism; got != m {
				t.Errorf("mechanism is %s, want %s", got, m)
			}
		})
	}
}

// TestFunctionsAreProbedByWhatTheKernelHas: where it lacks a mechanism, the plan says so.
func TestFunctionsAreProbedByWhatTheKernelHas(t *testing.T) {
	k := kernel(t)
	for _, test := range []struct {
		probe     Probe
		mechanism Mechanism
		way       uint32
		returns   bool
	}{
		{opened(), Fexit, 3, true},
		{opened(), Pair, 4, true},
		{opening(), Fentry, 5, false},
		{opening(), Kprobe, 6, false},
	} {
		t.Run(string(test.mechanism), func(t *testing.T) {
			only := PlanOptions{Only: map[Mechanism]bool{test.mechanism: true}}
			p := k.Plan(points(t, test.probe), only)
			missing := k.Kprobes()
			if test.mechanism == Fexit || test.mechanism == Fentry {
				missing = k.Trampoline(test.mechanism, "do_sys_openat2")
			}
			if missing != nil {
				if !mayLack(t, test.mechanism) {
					t.Errorf("this kernel is known to have it, but: %v", missing)
				}
				if p.Err == nil || !strings.Contains(p.Err.Error(), missing.Error()) {
					t.Errorf("plan says %v, the kernel %v", p.Err, missing)
				}
				return
			}
			s := share(t, k, SharedOptions{Rings: 2})
			l := start(t, k, p.Grain, s, only)
			const dfd = -4242
			goruntime.LockOSThread() // so that the call and its CPU's ring go together
			defer goruntime.UnlockOSThread()
			for ring := range s.Rings {
				if !onCPU(t, ring) {
					continue
				}
				openBad(dfd)
				got := await(t, s.Rings[ring], func(r seen) bool { return int64(r.Arg) == dfd && r.PID == uint32(os.Getpid()) })
				if got.Way != test.way || got.Tag != 42 || got.Event != 1 || test.returns && got.Ret != -int64(badf) {
					t.Errorf("got %+v, want way %d and result %d", got, test.way, -int64(badf))
				}
			}
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestUprobesSeeOtherPrograms(t *testing.T) {
	k := kernel(t)
	for _, m := range []Mechanism{Uprobe, Uretprobe} {
		t.Run(string(m), func(t *testing.T) {
			s := share(t, k, SharedOptions{})
			start(t, k, points(t, asked(m)), s, PlanOptions{})
			ls := exec.Command("ls", "/")
			if err := ls.Run(); err != nil {
				t.Fatal(err)
			}
			await(t, s.Rings[0], func(r seen) bool { return r.Way == 7 && r.PID == uint32(ls.Process.Pid) })
		})
	}
}

func TestAnAttachThatFailsFallsBackAndKeepsTheBooks(t *testing.T) {
	k := kernel(t)
	other := started()
	// The first way loads, but it is for another mechanism than it says.
	other.Points[0].Ways = []Way{
		{RawTP, "sched_process_exec", []string{"started_tp_btf"}},
		{TPBTF, "sched_process_exec", []string{"started_raw_tp"}},
		{TPBTF, "sched_process_exec", []string{"started_tp_btf"}},
	}
	s := share(t, k, SharedOptions{})
	l, err := k.Plan(points(t, asked(Uprobe), other), PlanOptions{}).Load(s, LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ledger := l.books[ledgerMap]
	before := make([]counts, k.CPUs)
	before[0] = counts{Seen: 1000, Emitted: 998, Errors: 2}
	if err := ledger.Put(uint32(0), before); err != nil {
		t.Fatal(err)
	}
	if err := l.Attach(); err != nil {
		t.Fatal(err)
	}
	row := l.Plan().Placements[1]
	if row.Mechanism != TPBTF || len(row.Reasons) != 2 || !strings.HasPrefix(row.Reasons[0], "raw_tp: ") {
		t.Errorf("placed as %+v, want tp_btf after raw_tp has failed", row)
	}
	pid := child(t)
	await(t, s.Rings[0], func(r seen) bool { return r.PID == pid && r.Way == 1 })
	if err := l.Detach(); err != nil {
		t.Fatal(err)
	}
	books, err := l.EventBooks(nil)
	if err != nil {
		t.Fatal(err)
	}
	if b := books[0]; b.Seen <= 1000 || b.Seen != b.Emitted+b.Errors || b.Errors != 2 {
		t.Errorf("books are %+v, want those of before and the new", b)
	}
}

// counts is struct ingrain_counts.
type counts struct{ Seen, Rejected, SampledOut, Limited, TableOnly, Emitted, Lost, Errors uint64 }

func TestProbesCountWhatTheyMissed(t *testing.T) {
	k := kernel(t)
	s := share(t, k, SharedOptions{})
	l := start(t, k, points(t, started(), asked(Uprobe)), s, PlanOptions{})
	cpus := make([][2]uint64, k.CPUs)
	for i := range cpus {
		cpus[i] = [2]uint64{1, 10} // compat, unpaired
	}
	if err := l.books[missedMap].Put(uint32(1), cpus); err != nil {
		t.Fatal(err)
	}
	for _, state := range []func() error{func() error { return nil }, l.Detach} {
		if err := state(); err != nil {
			t.Fatal(err)
		}
		books, err := l.ProbeBooks(nil)
		if err != nil {
			t.Fatal(err)
		}
		want := []ProbeBooks{
			{Grain: "points", Probe: "started"},
			{Grain: "points", Probe: "asked", Compat: uint64(k.CPUs), Missed: uint64(10 * k.CPUs)},
		}
		if diff := cmp.Diff(want, books); diff != "" {
			t.Errorf("books differ (-want +got):\n%s", diff)
		}
	}
}

func TestAWrongParamIsRefusedBeforeAnythingIsLoaded(t *testing.T) {
	k := kernel(t)
	s := share(t, k, SharedOptions{})
	for set, want := range map[string]string{"tag": "points: load: param tag: 100 is not between 1 and 99", "gat": `points: load: no param "gat"`} {
		_, err := k.Plan(points(t, started()), PlanOptions{}).Load(s, LoadOptions{Params: map[string]int64{set: 100}})
		if err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestAProgramThatDoesNotLoadIsNamedWithTheVerifiersWords(t *testing.T) {
	k := kernel(t)
	s := share(t, k, SharedOptions{})
	var log bytes.Buffer
	debug := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	_, err := k.Plan(points(t, started(), wrong("")), PlanOptions{}).Load(s, LoadOptions{Log: debug})
	want := "points: wrong cannot run at tracepoint/sched/sched_process_exec: tp_btf: the verifier of Linux " + release() + " refuses it: "
	if err == nil || !strings.HasPrefix(err.Error(), want) || !strings.Contains(err.Error(), "/testdata/points.bpf.c:131: invalid bpf_context access off=8000") || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v, want %s...", err, want)
	}
	if n := strings.Count(log.String(), "verifier=wrong_tp_btf"); n < 3 {
		t.Errorf("the log has %d lines of the verifier, want all: %s", n, &log)
	}
}

func TestASubstituteRunsWhereAProgramDoesNotLoad(t *testing.T) {
	k := kernel(t)
	s := share(t, k, SharedOptions{})
	substitute := started()
	substitute.Unless = []string{"wrong"}
	g := points(t, wrong(""), substitute)
	if p := k.Plan(g, PlanOptions{}); p.Err != nil || len(p.chosen) != 1 || p.Grain.Probes[p.chosen[0].probe].Name != "wrong" {
		t.Fatalf("planned %+v, want the probe and not its substitute", p.Placements)
	}
	l := start(t, k, g, s, PlanOptions{})
	pid := child(t)
	await(t, s.Rings[0], func(r seen) bool { return r.PID == pid })
	rows := l.Plan().Placements
	if rows[0].OK || !rows[1].OK {
		t.Errorf("placed as %+v", rows)
	}
}

func TestThePerfBufferServesWhereRingBuffersAreMissing(t *testing.T) {
	k := kernel(t)
	k.RingBuffer = func() error { return errors.New("no ring buffers") }
	s := share(t, k, SharedOptions{})
	if len(s.Rings) != 0 {
		t.Fatalf("%d rings, want none", len(s.Rings))
	}
	l := start(t, k, points(t, started()), s, PlanOptions{})
	child(t)
	books, err := l.EventBooks(nil)
	if err != nil {
		t.Fatal(err)
	}
	if b := books[0]; b.Seen == 0 || b.Emitted != b.Seen || b.Lost != b.Seen {
		t.Errorf("books are %+v; without a reader all should be lost", b)
	}
}

func TestKernelsWithoutFetchingAtomicsAreServed(t *testing.T) {
	k := kernel(t)
	k.Atomics = func() error { return errors.New("no atomics that return the old value") }
	s := share(t, k, SharedOptions{})
	start(t, k, points(t, started()), s, PlanOptions{})
	pid := child(t)
	await(t, s.Rings[0], func(r seen) bool { return r.PID == pid })
}

// TestPoisonedAtomicsAreNeverReached: a program that would run them is refused.
func TestPoisonedAtomicsAreNeverReached(t *testing.T) {
	k := kernel(t)
	g := points(t, started())
	spec, err := g.Load()
	if err != nil {
		t.Fatal(err)
	}
	for name := range spec.Programs {
		if name != "started_tp_btf" {
			delete(spec.Programs, name)
		}
	}
	s := share(t, k, SharedOptions{})
	fitTransport(spec, s)
	if err := set(spec, agentVariable, []byte{1, 0, 0, 0, 0, 0, 1, 0}); err != nil {
		t.Fatal(err)
	}
	poisonAtomics(spec)
	c, err := ebpf.NewCollectionWithOptions(spec, ebpf.CollectionOptions{MapReplacements: s.replacements(spec)})
	if err == nil {
		c.Close()
		t.Error("a program that runs poisoned atomics was loaded")
	}
}
