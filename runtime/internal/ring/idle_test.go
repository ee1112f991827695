// SPDX-License-Identifier: Apache-2.0

package ring

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// processorTime is what this process has used.
func processorTime(t testing.TB) time.Duration {
	t.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func TestAnIdleReaderCostsNothing(t *testing.T) {
	p := load(t, 2, 1<<20)
	r := p.openReader(t, Options{})
	none := func([]byte) { t.Error("got a record, want none") }
	until := func(d time.Duration) (waits int) {
		for end := time.Now().Add(d); time.Now().Before(end); waits++ {
			r.Drain(none)
			r.Wait(func() { t.Error("beforeSleep was called though nothing was drained") })
		}
		return waits
	}
	until(2 * time.Second) // falls asleep
	const d = 8 * time.Second
	began := processorTime(t)
	waits := until(d)
	used := processorTime(t) - began
	t.Logf("%v of processor time in %v: %.4f %%; %d waits", used, d, 100*used.Seconds()/d.Seconds(), waits)
	if used > d/1000 {
		t.Errorf("used %v of processor time in %v, want less than 0.1 %%", used, d)
	}
}

func TestTheFirstRecordWakesASleepingReader(t *testing.T) {
	p := load(t, 2, 1<<20)
	r := p.openReader(t, Options{})
	none := func([]byte) {}
	flushed := 0
	quiet := func() {
		for range quietTicks + 2 {
			r.Drain(none)
			r.Wait(func() { flushed++ })
		}
	}
	quiet()
	for i, program := range []struct {
		name string
		send func()
	}{
		{"in place", func() { run(t, p.InPlace, order{}, 1) }},
		{"copied", func() { run(t, p.Copied, order{Producer: 1}, 1) }},
	} {
		sent := make(chan struct{})
		time.AfterFunc(20*time.Millisecond, func() { program.send(); close(sent) })
		began, got := time.Now(), 0
		for got == 0 && time.Since(began) < 5*time.Second {
			r.Wait(func() { flushed++ })
			got = r.Drain(none)
		}
		took := time.Since(began)
		<-sent
		if took > 90*time.Millisecond || got != 1 {
			t.Errorf("%s: got %d records after %v, want one after about 20 ms", program.name, got, took)
		}
		quiet()
		if flushed != i+1 {
			t.Errorf("%s: beforeSleep was called %d times, want %d: once for each record", program.name, flushed, i+1)
		}
	}
}

func TestWakeEndsAWait(t *testing.T) {
	for _, test := range []struct {
		name string
		open func(t *testing.T) Source
	}{
		{"Reader", func(t *testing.T) Source { return load(t, 1, 1<<16).openReader(t, Options{}) }},
		{"Perf", func(t *testing.T) Source { return load(t, 0, 4096).openPerf(t, 1<<16) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := test.open(t)
			for began := time.Now(); time.Since(began) < 1500*time.Millisecond; { // sleeps long by then
				s.Drain(func([]byte) {})
				s.Wait(func() {})
			}
			// On a machine that does other things as well a turn may take long;
			// without Wake every one does.
			shortest := func(wake func()) time.Duration {
				least := time.Hour
				for turn := 0; turn < 50 && least > 80*time.Millisecond; turn++ {
					wake()
					began := time.Now()
					s.Drain(func([]byte) {})
					s.Wait(func() {})
					least = min(least, time.Since(began))
				}
				return least
			}
			if took := shortest(s.Wake); took > 80*time.Millisecond {
				t.Errorf("a Wait after Wake took %v", took)
			}
			if took := shortest(func() { time.AfterFunc(10*time.Millisecond, s.Wake) }); took > 80*time.Millisecond {
				t.Errorf("Wake after 10 ms ended Wait after %v", took)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			s.Wake()
			if n := s.Lost(); n != 0 {
				t.Errorf("lost %d, want 0", n)
			}
		})
	}
}
