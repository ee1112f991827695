// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/redsift/ingraind/generated/exec"
	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/runtimetest"
)

// TestBothTransportsDeliverTheSame runs two agents over one load.
func TestBothTransportsDeliverTheSame(t *testing.T) {
	program := exits(t, "program", 0)
	n := scale(5000)
	agents := []*runtimetest.Agent{
		runtimetest.Start(t, runtime.Options{Transport: "ring", Rings: 32 << 20}, exec.New()),
		runtimetest.Start(t, runtime.Options{Transport: "perf", Rings: 32 << 20}, exec.New()),
	}
	pids := spawned(t, n, program, "load")
	var got [2][]runtimetest.Row
	for i, agent := range agents {
		rows, ledger := agent.Stop()
		if n := lost(ledger); n != 0 {
			t.Errorf("transport %d lost %d events, want 0", i, n)
		}
		got[i] = ofLoad(rows, pids)
	}
	if len(got[0]) != 2*n || len(got[1]) != 2*n {
		t.Fatalf("got %d rows through the ring and %d through perf, want %d", len(got[0]), len(got[1]), 2*n)
	}
	for i := range got[0] {
		if diff := cmp.Diff(got[0][i], got[1][i]); diff != "" {
			t.Fatalf("row %d, -ring +perf:\n%s", i, diff)
		}
	}
}

// ofLoad are the rows of processes without the times at which they happened,
// in the order of pid and event.
func ofLoad(rows []runtimetest.Row, pids []int64) []runtimetest.Row {
	ours := map[int64]bool{}
	for _, pid := range pids {
		ours[pid] = true
	}
	var found []runtimetest.Row
	for _, r := range rows {
		if ours[r.Int("who.pid")] {
			delete(r, "time")
			delete(r, "duration")
			found = append(found, r)
		}
	}
	slices.SortFunc(found, func(a, b runtimetest.Row) int {
		if d := a.Int("who.pid") - b.Int("who.pid"); d != 0 {
			return int(d)
		}
		return slices.Compare([]string{a.Text("event")}, []string{b.Text("event")})
	})
	return found
}
