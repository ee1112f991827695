// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/redsift/ingraind/generated/exec"
	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/runtimetest"
)

// slow is a sink that holds up the reader: its encoding waits at the first
// row until it is let go.
type slow struct {
	once  sync.Once
	held  chan struct{} // closed when the reader stands still
	letGo chan struct{}
}

func newSlow() *slow { return &slow{held: make(chan struct{}), letGo: make(chan struct{})} }

func (s *slow) Encoding() runtime.Encoding                 { return s }
func (s *slow) Name() string                               { return "slow" }
func (s *slow) Ship(context.Context, *runtime.Batch) error { return nil }
func (s *slow) Close() error                               { return nil }
func (s *slow) AppendRow(dst []byte, _ *runtime.Row) []byte {
	s.once.Do(func() {
		close(s.held)
		<-s.letGo
	})
	return append(dst, '\n')
}

// others counts the events of a kind between two moments that are not a
// load's, as another agent saw them.
func others(t *testing.T, rows []runtimetest.Row, name string, load map[int64]bool, from, to time.Time) (n uint64) {
	t.Helper()
	for _, r := range rows {
		at, err := time.Parse(time.RFC3339Nano, r.Text("time"))
		if err != nil {
			t.Fatal(err)
		}
		if r.Text("event") == name && !load[r.Int("who.pid")] && !at.Before(from) && !at.After(to) {
			n++
		}
	}
	return n
}

// TestWhatDoesNotFitIsCountedToTheEvent compares the ledger with the load's
// own count. Whatever else happens on this machine meanwhile a second agent
// counts, whose buffers are large.
func TestWhatDoesNotFitIsCountedToTheEvent(t *testing.T) {
	program := exits(t, "program", 0)
	n := max(scale(2000), 100) // more than a page holds
	for _, transport := range []string{"ring", "perf"} {
		t.Run(transport, func(t *testing.T) {
			witness := runtimetest.Start(t, runtime.Options{}, exec.New())
			before := time.Now()
			brake := newSlow()
			agent := runtimetest.Start(t, runtime.Options{
				Transport: transport, Rings: 4 << 10,
				Lanes: []runtime.LaneOptions{{Name: "slow", Sink: brake}},
			}, exec.New())
			begun := time.Now()
			load := map[int64]bool{}
			pids := spawned(t, n, program, "load")
			for _, pid := range pids {
				load[pid] = true
			}
			<-brake.held
			close(brake.letGo)
			end := time.Now()
			rows, ledger := agent.Stop()
			after := time.Now()
			seen, witnessed := witness.Stop()

			arrived := map[string]uint64{}
			for _, r := range rows {
				arrived[r.Text("event")]++
			}
			for _, e := range ledger.Events {
				// Either agent may have been passed by where the kernel skipped a probe.
				least := uint64(n) + others(t, seen, e.Event, load, begun, end) - uint64(missed(ledger))
				most := uint64(n) + others(t, seen, e.Event, load, before, after) + uint64(missed(witnessed))
				if e.Seen < least || e.Seen > most {
					t.Errorf("%s: seen %d, and there were between %d and %d", e.Event, e.Seen, least, most)
				}
				if e.Emitted != e.Seen || e.Lost == 0 || e.Emitted != e.Lost+arrived[e.Event] {
					t.Errorf("%s: got %+v and %d rows, want that some are lost and emitted = lost + rows", e.Event, e, arrived[e.Event])
				}
			}
			if lost(ledger) == 0 {
				t.Error("the ledger says that nothing was lost")
			}
		})
	}
}
