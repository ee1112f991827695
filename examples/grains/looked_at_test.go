// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"fmt"
	"os"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"testing"
	"time"

	"github.com/redsift/ingraind/examples/grains/generated/census"
	"github.com/redsift/ingraind/examples/grains/generated/oncpu"
	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/runtimetest"
)

func TestAProgramThatRunsIsSampled(t *testing.T) {
	for _, probe := range []string{"by_clock", "by_cycles"} {
		for _, transport := range transports {
			t.Run(probe+" "+transport, func(t *testing.T) {
				g := alone(oncpu.New(), probe)
				g.Probes[0].Unless = nil
				if probe == "by_cycles" && noCycles(t, g) {
					return
				}
				agent := start(t, runtime.Options{Transport: transport}, g)
				stopped := make(chan bool)
				go func() {
					for n := 0; ; n++ {
						select {
						case <-stopped:
							return
						default:
						}
					}
				}()
				rows := agent.WaitFor(5, func(r runtimetest.Row) bool { return r.Int("who.pid") == int64(os.Getpid()) && r.Int("address") != 0 })
				close(stopped)
				if comm := rows[0].Text("who.comm"); !strings.HasPrefix(filepath.Base(program(t)), comm) {
					t.Errorf("got samples of a program called %q, want %s", comm, program(t))
				}
				stop(t, agent)
			})
		}
	}
}

// noCycles asserts what is said where a machine has no counter of cycles.
func noCycles(t *testing.T, g *runtime.Grain) bool {
	t.Helper()
	p := plan(t, g)
	emulated := underEmulation() && goruntime.GOARCH == "amd64" // QEMU's own has none
	if p.Err == nil {
		if emulated {
			t.Error("got a counter of cycles, want none here")
		}
		return false
	}
	const want = "oncpu: by_cycles cannot run at perf_event/cycles: perf_event: this machine has no counter of cycles, as most virtual ones; perf_event/cpu-clock needs none"
	if p.Err.Error() != want {
		t.Errorf("got  %v\nwant %s", p.Err, want)
	}
	return true
}

func TestAnIteratorVisitsAllThereIsAgainAndAgain(t *testing.T) {
	said := stream(t, "127.0.0.1")
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) {
			g := each(census.New(), func(_ *runtime.Probe, p *runtime.Point) { p.Every = 300 * time.Millisecond })
			agent := start(t, runtime.Options{Transport: transport}, g)
			want := map[string]string{"pid": fmt.Sprint(os.Getpid()), "tid": fmt.Sprint(os.Getpid())}
			agent.WaitFor(3, func(r runtimetest.Row) bool { return r.Text("event") == "task" && has(r, want) })
			ends := map[string]string{
				"local": "127.0.0.1", "peer": "127.0.0.1", "state": "1", "owner": fmt.Sprint(os.Getuid()),
				"local_port": fmt.Sprint(said.client), "peer_port": fmt.Sprint(said.server),
			}
			agent.WaitFor(3, func(r runtimetest.Row) bool { return r.Text("event") == "connection" && has(r, ends) })
			rows, _ := stop(t, agent)
			if n := count(rows, "task", map[string]string{"pid": "0"}); n > 0 {
				t.Errorf("got %d events of no task, want none: the end is no object", n)
			}
		})
	}
}
