// SPDX-License-Identifier: Apache-2.0

package sinktest

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redsift/ingraind/runtime"
)

// Outage ships numbered rows through a lane with a spool, while its sink meets
// one fault after the other and is well between them.
type Outage struct {
	Name   string // of the sink
	Sink   runtime.Sink
	Rows   int
	Spool  runtime.SpoolOptions // Dir is set when it is empty
	Faults []Fault
}

// Fault is something that happens to a server, or on the way to it.
type Fault struct {
	Name  string
	Begin func()
	// Said is what the lane must have said meanwhile; "": anything. The fault
	// ends when it was said and two attempts have failed.
	Said string
	// Mild faults fail no attempt: they end when rows have been shipped through them.
	Mild bool
	Met  func() bool   // when not nil, must be true as well
	For  time.Duration // it lasts no shorter
	End  func()
}

// Pause is the fault of a sink that is begun and ended by signals, say, and that
// the sink only waits for.
func Pause(begin, end func(), d time.Duration) Fault {
	return Fault{Name: "pause", Begin: begin, End: end, For: d, Met: func() bool { return true }}
}

// Run does it, waits until all rows are shipped, and returns the books. No row
// may be dropped.
func (o *Outage) Run(t testing.TB) runtime.LaneBooks {
	t.Helper()
	books := o.Try(t)
	if n := uint64(o.Rows); books.In != n || books.Shipped != n || books.Dropped != 0 {
		t.Errorf("got %+v, want all of %d rows shipped", books, n)
	}
	return books
}

// Try is Run for a sink that may refuse rows for good: all rows are shipped or
// dropped.
func (o *Outage) Try(t testing.TB) runtime.LaneBooks {
	t.Helper()
	if o.Spool.Dir == "" {
		o.Spool.Dir = t.TempDir()
	}
	spool, err := runtime.OpenSpool(o.Spool)
	if err != nil {
		t.Fatal(err)
	}
	r := outage{Outage: o, t: t, numbers: NewNumbers()}
	r.lanes = runtime.NewLanes(runtime.NewLane(runtime.LaneOptions{Name: o.Name, Sink: o.Sink, Spool: spool, Log: r.hear}))
	for i, f := range o.Faults {
		r.meet(i, f)
	}
	r.due = o.Rows
	r.until("all rows", func(b runtime.LaneBooks) bool {
		if r.added == o.Rows {
			r.lanes.Tick(time.Now().Add(time.Minute)) // what is being filled is old
		}
		return b.Shipped+b.Dropped == uint64(o.Rows)
	})
	if err := r.lanes.Close(t.Context()); err != nil {
		t.Error(err)
	}
	books := r.books()
	if books.Dropped > 0 {
		t.Logf("the lane said: %s", r.heard())
	}
	t.Logf("%d rows through %d faults: %d retries, %d dropped", o.Rows, len(o.Faults), books.Retries, books.Dropped)
	return books
}

// outage is one at work.
type outage struct {
	*Outage
	t       testing.TB
	lanes   *runtime.Lanes
	numbers Numbers
	added   int
	due     int // so many rows may have been added

	mu   sync.Mutex
	said strings.Builder // since the fault began
}

func (r *outage) hear(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.said.WriteString(err.Error() + "\n")
}

func (r *outage) heard() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.said.String()
}

func (r *outage) books() runtime.LaneBooks { return r.lanes.Books()[0] }

// meet begins a fault when its share of the rows has come to its middle, and
// ends it when the lane has met it and the share is in.
func (r *outage) meet(i int, f Fault) {
	r.t.Helper()
	share := r.Rows / (len(r.Faults) + 1)
	r.due = i*share + share/2
	r.until("rows before "+f.Name, func(runtime.LaneBooks) bool { return r.added == r.due })
	r.mu.Lock()
	r.said.Reset()
	r.mu.Unlock()
	before, began := r.books(), time.Now()
	f.Begin()
	r.due = (i + 1) * share
	r.until(f.Name, func(now runtime.LaneBooks) bool {
		met := now.Retries >= before.Retries+2
		switch {
		case f.Mild:
			met = now.Shipped > before.Shipped+uint64(share/10)
		case f.Met != nil:
			met = f.Met()
		}
		return met && strings.Contains(r.heard(), f.Said) && time.Since(began) >= f.For && r.added == r.due
	})
	f.End()
	before = r.books()
	r.until("rows after "+f.Name, func(now runtime.LaneBooks) bool {
		return now.Shipped > before.Shipped || now.Shipped+now.Dropped == uint64(r.added)
	})
}

// until adds rows that are due, some at a time, until done is true. It is no
// faster than the disk: memory is bounded, and what goes beyond is dropped.
func (r *outage) until(what string, done func(runtime.LaneBooks) bool) {
	r.t.Helper()
	const most = 3 * time.Minute
	for end := time.Now().Add(most); !done(r.books()); time.Sleep(time.Millisecond) {
		pending := r.books().Pending
		for n := min(r.added+500, r.due); r.added < n && pending < 20_000; r.added++ {
			r.lanes.Add(r.numbers.Row(r.added))
		}
		r.lanes.Tick(time.Now())
		if time.Now().After(end) {
			r.t.Fatalf("waited %v for %s: %+v; the lane said: %s", most, what, r.books(), r.heard())
		}
	}
}
