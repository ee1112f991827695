// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"errors"
	goruntime "runtime"
	"sync"
	"testing"
	"time"

	"github.com/redsift/ingraind/examples/grains/generated/points"
	"github.com/redsift/ingraind/runtime"
	"golang.org/x/sys/unix"
)

// TestRowsOfTwoCPUsComeInTheOrderOfTheirEvents: each CPU has a ring of its own,
// and two threads send at once. What came late is in the ledger.
func TestRowsOfTwoCPUsComeInTheOrderOfTheirEvents(t *testing.T) {
	const (
		calls  = 20_000
		nobody = 2147483600 // and those after it
	)
	agent := start(t, runtime.Options{}, alone(points.New(), "kill_called"))
	var threads sync.WaitGroup
	for cpu := range 2 {
		threads.Go(func() {
			goruntime.LockOSThread() // and ends the thread
			var set unix.CPUSet
			set.Set(cpu % goruntime.NumCPU()) // a virtual machine may have one
			if err := unix.SchedSetaffinity(0, &set); err != nil {
				t.Errorf("stay on CPU %d: %v", cpu, err)
			}
			for range calls {
				if err := unix.Kill(nobody+cpu, unix.SIGWINCH); !errors.Is(err, unix.ESRCH) {
					t.Errorf("kill of nobody: got %v, want ESRCH", err)
					return
				}
			}
		})
	}
	threads.Wait()
	rows, ledger := stop(t, agent)

	var latest time.Time
	var late uint64
	of, turns, last := map[int64]int{}, 0, int64(0)
	for _, r := range rows {
		at, err := time.Parse(time.RFC3339Nano, r.Text("time"))
		if err != nil {
			t.Fatal(err)
		}
		if at.Before(latest) {
			late++
		} else {
			latest = at
		}
		if target := r.Int("target"); target >= nobody && target < nobody+2 {
			of[target]++
			if target != last {
				turns++
			}
			last = target
		}
	}
	t.Logf("%d rows, %d of them late, %d times from one CPU to the other", len(rows), late, turns)
	if of[nobody] != calls || of[nobody+1] != calls {
		t.Errorf("got %v rows, want %d of each", of, calls)
	}
	if late != ledger.Reader.Late || late > uint64(len(rows)/100) {
		t.Errorf("%d of %d rows are late, and the ledger says %d", late, len(rows), ledger.Reader.Late)
	}
}
