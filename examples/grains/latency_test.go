// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/redsift/ingraind/examples/grains/generated/points"
	"github.com/redsift/ingraind/runtime"
	"golang.org/x/sys/unix"
)

// prompt is a sink that says when a row with a mark reached it.
type prompt struct {
	mark    []byte
	arrived chan time.Time
}

func (*prompt) Encoding() runtime.Encoding { return runtime.NDJSON{} }

func (p *prompt) Ship(_ context.Context, b *runtime.Batch) error {
	if bytes.Contains(b.Bytes, p.mark) {
		p.arrived <- time.Now()
	}
	return nil
}

func (*prompt) Close() error { return nil }

// Age makes prompt one of the sinks that somebody looks at.
func (*prompt) Age() time.Duration { return 100 * time.Millisecond }

// TestAnEventReachesASinkAtOnceAtRest: with the settings that an agent has
// without any, what happens while nothing else does is in a sink within 100 ms.
// The reader of a perf buffer is not woken; it looks every 100 ms.
func TestAnEventReachesASinkAtOnceAtRest(t *testing.T) {
	for transport, most := range map[string]time.Duration{"": 100 * time.Millisecond, "perf": 200 * time.Millisecond} {
		t.Run("transport "+transport, func(t *testing.T) {
			sink := &prompt{mark: []byte(`"target":2147483632,`), arrived: make(chan time.Time, 100)}
			start(t, runtime.Options{
				Transport: transport,
				Lanes:     []runtime.LaneOptions{{Name: "prompt", Sink: sink, Limit: 1 << 20}},
			}, alone(points.New(), "kill_called"))
			var waits []time.Duration
			for range 7 {
				time.Sleep(200 * time.Millisecond) // the reader has gone to sleep
				from := time.Now()
				if err := unix.Kill(2147483632, unix.SIGWINCH); !errors.Is(err, unix.ESRCH) {
					t.Fatal(err)
				}
				select {
				case at := <-sink.arrived:
					waits = append(waits, at.Sub(from))
				case <-time.After(10 * time.Second):
					t.Fatal("an event did not arrive within 10 s")
				}
			}
			slices.Sort(waits)
			t.Logf("waited %v", waits)
			// The machine may be busy with something else, once or twice.
			if typical := waits[len(waits)/2]; typical > most {
				t.Errorf("typically %v until an event is in a sink, want at most %v: %v", typical, most, waits)
			}
		})
	}
}
