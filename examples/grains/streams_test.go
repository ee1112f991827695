// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"testing"
	"time"

	"github.com/redsift/ingraind/examples/grains/generated/part"
	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/runtimetest"
)

// askers are the rows of an event that a thread called asker caused.
func askers(rows []runtimetest.Row, event string) (all []runtimetest.Row) {
	for _, r := range rows {
		if r.Text("event") == event && r.Text("who.comm") == "asker" {
			all = append(all, r)
		}
	}
	return all
}

// weights is how many events rows stand for.
func weights(rows []runtimetest.Row) (sum int64) {
	for _, r := range rows {
		sum += max(r.Int("weight"), 1)
	}
	return sum
}

func TestPartsOfStreamsStandForTheWhole(t *testing.T) {
	agent := start(t, runtime.Options{}, part.New())
	const asked = 20_000
	began := time.Now()
	runtimetest.Named(t, "asker", func() {
		for i := range asked {
			question(0, i)
		}
		time.Sleep(1100 * time.Millisecond) // into a second in which there is room again
		question(0, asked)
	})
	seconds := int64(time.Since(began)/time.Second) + 2
	rows, ledger := stop(t, agent)
	books := map[string]runtime.EventBooks{}
	for _, e := range ledger.Events {
		books[e.Event] = e
	}

	some := askers(rows, "some")
	for _, r := range some {
		if r.Int("weight") != 10 {
			t.Fatalf("sampled: got the weight %v, want 10", r.Get("weight"))
		}
	}
	// Of 20,000 by chance 2,000: 6 standard deviations are 255.
	if n := len(some); n < asked/10-255 || n > asked/10+255 {
		t.Errorf("sampled: got %d rows, want about %d", n, asked/10)
	}
	if b := books["some"]; b.SampledOut+b.Emitted != b.Seen || int(b.Seen) < asked+1 {
		t.Errorf("sampled: got %+v, want %d seen", b, asked+1)
	}

	few := askers(rows, "few")
	if n := int64(len(few)); n < 100 || n > 100*seconds {
		t.Errorf("limited: got %d rows in at most %d seconds, want at most 100 in each", n, seconds)
	}
	if sum := weights(few); sum != asked+1 {
		t.Errorf("limited: the rows stand for %d events, want %d", sum, asked+1)
	}
	if b := books["few"]; b.Limited+b.Emitted != b.Seen {
		t.Errorf("limited: got %+v", b)
	}
}

func TestConditionsRejectWhereTheyCan(t *testing.T) {
	agent := start(t, runtime.Options{}, part.New())
	ask := func() {
		for i := range 2000 {
			question(0, i)
		}
	}
	runtimetest.Named(t, "asker", ask)
	runtimetest.Named(t, "other", ask)
	rows, ledger := stop(t, agent)
	odd := askers(rows, "odd")
	if len(odd) != 500 {
		t.Errorf("got %d odd numbers above 1000, want 500", len(odd))
	}
	for _, r := range odd {
		if n := r.Int("number"); n%2 != 1 || n <= 1000 {
			t.Fatalf("got %d, want odd numbers above 1000", n)
		}
	}
	if told := askers(rows, "told"); len(told) != 1989 {
		t.Errorf("got %d of asker's numbers above 10, want 1989", len(told))
	}
	for _, r := range rows {
		if e := r.Text("event"); (e == "odd" || e == "told") && r.Text("who.comm") == "other" {
			t.Fatalf("got %v, want nothing of other", r)
		}
	}
	for _, e := range ledger.Events {
		switch e.Event {
		case "odd":
			if e.Rejected < 3500 || e.Filtered != 0 || e.Read != e.Emitted {
				t.Errorf("odd: got %+v, want 3500 rejected by programs", e)
			}
		case "told":
			if e.Rejected < 22 || e.Filtered < 1989 {
				t.Errorf("told: got %+v, want 22 rejected by programs, 1989 filtered by the agent", e)
			}
		}
	}
}
