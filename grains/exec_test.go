// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"strconv"
	"strings"
	"testing"

	"github.com/redsift/ingraind/generated/exec"
	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/runtimetest"
)

func TestEachOfTenThousandProcessesIsSeen(t *testing.T) {
	n := scale(10_000)
	agent := runtimetest.Start(t, runtime.Options{}, exec.New())
	const mark = "ingrain-load"
	pids := spawned(t, n, exits(t, "program", 0), mark)
	numberOf := map[int64]int{}
	for i, pid := range pids {
		numberOf[pid] = i
	}
	rows, ledger := agent.Stop()
	execs, exits := 0, 0
	for _, r := range rows {
		i, ours := numberOf[r.Int("who.pid")]
		if !ours {
			continue
		}
		switch r.Text("event") {
		case "exec":
			args, _ := r.Get("args").([]any)
			if len(args) != 3 || args[1] != mark {
				continue // another process that had the pid before
			}
			execs++
			if args[2] != strconv.Itoa(i) {
				t.Fatalf("process %d was started with number %d, its event says %v", pids[i], i, args)
			}
		case "exit":
			exits++
			if r.Int("code") != 0 || r.Get("signal") != nil || r.Get("execed") != true {
				t.Errorf("exit of %d: got %v, want code 0 of a process that execed", pids[i], r)
			}
		}
	}
	if execs != n || exits != n {
		t.Errorf("got %d exec and %d exit events, want %d of each", execs, exits, n)
	}
	if n := lost(ledger); n != 0 {
		t.Errorf("%d events were lost, want 0", n)
	}
}

// spawned starts a program n times, waits for each, and returns the pids.
func spawned(t *testing.T, n int, program, prefix string) []int64 {
	t.Helper()
	out, err := role(t, "spawn", strconv.Itoa(n), program, prefix).Output()
	if err != nil {
		t.Fatal(err)
	}
	var pids []int64
	for text := range strings.FieldsSeq(string(out)) {
		pid, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	if len(pids) != n {
		t.Fatalf("the load says %d pids, want %d", len(pids), n)
	}
	return pids
}
