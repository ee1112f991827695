// SPDX-License-Identifier: Apache-2.0

package ktable

import (
	goruntime "runtime"
	"testing"
	"time"
)

// beside runs f on a thread of its own, on a CPU, and flushes a table again
// and again until it has returned, and once more.
func beside(t *testing.T, table *Table, cpu int, row func(key []byte, cells []uint64, past bool), f func()) (flushes int) {
	t.Helper()
	procs := goruntime.GOMAXPROCS(8)
	defer goruntime.GOMAXPROCS(procs)
	done := make(chan struct{})
	go func() {
		defer close(done)
		pin(t, cpu)
		f()
	}()
	flush := func() {
		flushes++
		if err := table.Flush(row); err != nil {
			t.Error(err)
		}
	}
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		flush()
	}
	flush()
	return flushes
}

// TestAFlushWaitsForProgramsThatRun has a program that most of the time has
// found its cells and not counted in them yet.
func TestAFlushWaitsForProgramsThatRun(t *testing.T) {
	const runs = 3000
	p := load(t, 1000, haveAtomics(), "linger")
	sum := uint64(0)
	flushes := beside(t, p.many, online(t)[0], func(_ []byte, cells []uint64, _ bool) { sum += cells[0] }, func() {
		for range runs / 100 {
			run(t, p.Programs["linger"], 0, 0, 100)
		}
	})
	t.Logf("%d flushes", flushes)
	if sum != runs {
		t.Errorf("got %d events, want %d", sum, runs)
	}
	if flushes < 5 {
		t.Errorf("got %d flushes, want more", flushes)
	}
}

// TestAnInterruptsValueIsNotForgotten has a task that counts once for each of
// ever new keys, and timers that meet it there: between its looking for the
// key and inserting it, and between its looking at a cell and raising it.
func TestAnInterruptsValueIsNotForgotten(t *testing.T) {
	const runs, peak = 400_000, 1 << 60
	atomics := haveAtomics()
	p := load(t, 1000, atomics, "peak_of_task", "peak_of_timer")
	cpu := online(t)[0]
	l := newLoads(t, p, runs)
	l.timer(p.Programs["peak_of_timer"], cpu, 20*time.Microsecond)
	events, met, lost := uint64(0), 0, 0
	flushes := beside(t, p.peaks, cpu, func(_ []byte, cells []uint64, past bool) {
		events += cells[0]
		if cells[0] > 1 && !past {
			met++
			if cells[1] != peak {
				lost++
			}
		}
	}, func() {
		for range runs / 1000 {
			run(t, p.Programs["peak_of_task"], 0, 0, 1000)
		}
		l.stops[0]()
	})
	var turn struct{ Key, Timers uint64 }
	if err := p.Maps[".data.turn"].Lookup(uint32(0), &turn); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d timers, %d flushes; they met %d keys; refused %d", turn.Timers, flushes, met, p.peaks.Refused())
	if want := runs + turn.Timers; events != want {
		t.Errorf("got %d events, want %d", events, want)
	}
	if met == 0 {
		t.Error("no timer met the task")
	}
	if lost > 0 && atomics {
		t.Errorf("%d values of timers were forgotten", lost)
	}
}
