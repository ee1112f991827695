// SPDX-License-Identifier: Apache-2.0

package runtime_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redsift/ingraind/runtime"
)

// numbers is an event whose rows are the number in their body.
func numbers(sinks ...string) *runtime.Event {
	return &runtime.Event{Name: "number", Stream: true, Sinks: sinks, AppendJSON: func(dst []byte, r runtime.Record) []byte {
		return runtime.AppendUint(dst, binary.LittleEndian.Uint64(r.Body))
	}}
}

func numbered(e *runtime.Event, n int) *runtime.Row {
	return &runtime.Row{Event: e, Record: runtime.Record{Time: int64(n), Weight: 1, Body: binary.LittleEndian.AppendUint64(nil, uint64(n))}}
}

// fakeSink keeps what it is given. ship, when set, decides each Ship.
type fakeSink struct {
	ship   func(ctx context.Context, b *runtime.Batch) error
	closed atomic.Bool

	mu      sync.Mutex
	bytes   []byte
	batches int
	rows    int
	at      []time.Time
}

func (s *fakeSink) Encoding() runtime.Encoding { return runtime.NDJSON{} }

func (s *fakeSink) Ship(ctx context.Context, b *runtime.Batch) error {
	if s.ship != nil {
		if err := s.ship(ctx, b); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bytes = append(s.bytes, b.Bytes...)
	s.batches++
	s.rows += b.Rows
	s.at = append(s.at, time.Now())
	return nil
}

func (s *fakeSink) Close() error { s.closed.Store(true); return nil }

func (s *fakeSink) lines() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.ReplaceAll(string(s.bytes), "\n", " ")
}

type promptSink struct{ fakeSink }

func (*promptSink) Age() time.Duration { return 100 * time.Millisecond }

func laneOf(name string, sink runtime.Sink) *runtime.Lane {
	return runtime.NewLane(runtime.LaneOptions{Name: name, Sink: sink})
}

func mustClose(t *testing.T, lanes *runtime.Lanes) {
	t.Helper()
	if err := lanes.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func mustBalance(t *testing.T, b runtime.LaneBooks) {
	t.Helper()
	if b.In != b.Shipped+b.Pending+b.Spooled+b.Dropped {
		t.Fatalf("the books do not balance: %+v", b)
	}
}

func TestBatchClosesWhenItsFirstRowIsASecondOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink, e := &fakeSink{}, numbers()
		lanes := runtime.NewLanes(laneOf("a", sink))
		lanes.Add(numbered(e, 1))
		time.Sleep(999 * time.Millisecond)
		lanes.Add(numbered(e, 2))
		lanes.Idle() // nothing to a sink that is not prompt
		lanes.Tick(time.Now())
		synctest.Wait()
		if got := sink.lines(); got != "" {
			t.Errorf("after 999 ms: got %q, want nothing", got)
		}
		if b := lanes.Books()[0]; b.In != 2 || b.Pending != 2 {
			t.Errorf("got %+v, want 2 rows in and pending", b)
		}
		time.Sleep(time.Millisecond)
		lanes.Tick(time.Now())
		synctest.Wait()
		if got, want := sink.lines(), "1 2 "; got != want {
			t.Errorf("after 1 s: got %q, want %q", got, want)
		}
		mustClose(t, lanes)
	})
}

func TestPromptSinkGetsRowsWhenTheReaderIsIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		prompt, slow, e := &promptSink{}, &fakeSink{}, numbers()
		lanes := runtime.NewLanes(laneOf("prompt", prompt), laneOf("slow", slow))
		lanes.Add(numbered(e, 1))
		lanes.Idle()
		synctest.Wait()
		if got, want := prompt.lines(), "1 "; got != want {
			t.Errorf("idle: got %q, want %q", got, want)
		}
		lanes.Add(numbered(e, 2))
		time.Sleep(100 * time.Millisecond)
		lanes.Tick(time.Now())
		synctest.Wait()
		if got, want := prompt.lines(), "1 2 "; got != want {
			t.Errorf("after its age: got %q, want %q", got, want)
		}
		if got := slow.lines(); got != "" {
			t.Errorf("the other sink: got %q, want nothing yet", got)
		}
		mustClose(t, lanes)
		if got, want := slow.lines(), "1 2 "; got != want {
			t.Errorf("the other sink, closed: got %q, want %q", got, want)
		}
	})
}

func TestPromptSinkGetsAFirstRowWhileMoreArrive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		prompt, e := &promptSink{}, numbers()
		lanes := runtime.NewLanes(laneOf("prompt", prompt))
		lanes.Tick(time.Now())
		lanes.Add(numbered(e, 1))
		lanes.Drained()
		synctest.Wait()
		if got, want := prompt.lines(), "1 "; got != want {
			t.Errorf("after a pause: got %q, want %q", got, want)
		}
		lanes.Add(numbered(e, 2))
		lanes.Drained()
		synctest.Wait()
		if got, want := prompt.lines(), "1 "; got != want {
			t.Errorf("at once after another batch: got %q, want %q", got, want)
		}
		time.Sleep(100 * time.Millisecond)
		lanes.Tick(time.Now())
		synctest.Wait()
		if got, want := prompt.lines(), "1 2 "; got != want {
			t.Errorf("after its age: got %q, want %q", got, want)
		}
		mustClose(t, lanes)
	})
}

func TestBatchClosesAt64KiB(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink, e := &fakeSink{}, numbers()
		largest := 0
		sink.ship = func(_ context.Context, b *runtime.Batch) error {
			largest = max(largest, len(b.Bytes))
			if bytes.Count(b.Bytes, []byte("\n")) != b.Rows || b.Bytes[len(b.Bytes)-1] != '\n' {
				t.Errorf("a batch of %d rows holds %d lines", b.Rows, bytes.Count(b.Bytes, []byte("\n")))
			}
			return nil
		}
		lanes := runtime.NewLanes(laneOf("a", sink))
		for n := range 100_000 {
			lanes.Add(numbered(e, n))
		}
		mustClose(t, lanes)
		if largest > 64<<10 || largest < 64<<10-8 {
			t.Errorf("the largest batch has %d bytes, want 64 KiB or a row less", largest)
		}
		if sink.rows != 100_000 || sink.batches != (len(sink.bytes)+largest-1)/largest {
			t.Errorf("got %d rows in %d batches of %d bytes", sink.rows, sink.batches, len(sink.bytes))
		}
	})
}

func TestARowLargerThanABatchIsABatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &runtime.Event{AppendJSON: func(dst []byte, r runtime.Record) []byte { return append(dst, r.Body...) }}
		sink := &fakeSink{}
		lanes := runtime.NewLanes(runtime.NewLane(runtime.LaneOptions{Name: "a", Sink: sink, Limit: 64 << 20})) // nothing is shipped between a batch and the row that closes it
		var want []byte
		for _, size := range []int{10, 100 << 10, 10, 64<<10 - 1, 64 << 10, 1, 20 << 20} {
			body := bytes.Repeat([]byte{'x'}, size)
			lanes.Add(&runtime.Row{Event: e, Record: runtime.Record{Body: body}})
			want = append(append(want, body...), '\n')
			synctest.Wait()
		}
		mustClose(t, lanes)
		if !bytes.Equal(sink.bytes, want) {
			t.Errorf("got %d bytes, want %d, or other ones", len(sink.bytes), len(want))
		}
	})
}

// counting counts how often it is asked to encode.
type counting struct {
	runtime.NDJSON
	n *int
}

func (c counting) AppendRow(dst []byte, row *runtime.Row) []byte {
	*c.n++
	return c.NDJSON.AppendRow(dst, row)
}

type countingSink struct {
	fakeSink
	counting
}

func (s *countingSink) Encoding() runtime.Encoding { return s.counting }

func TestRowIsEncodedOnceForAllLanesOfAnEncoding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		a, b, e := &countingSink{counting: counting{n: &n}}, &countingSink{counting: counting{n: &n}}, numbers()
		prompt := &promptSink{}
		lanes := runtime.NewLanes(laneOf("a", a), laneOf("b", b), laneOf("c", prompt))
		lanes.Add(numbered(e, 7))
		mustClose(t, lanes)
		if n != 1 {
			t.Errorf("encoded %d times, want once", n)
		}
		for _, got := range []string{a.lines(), b.lines(), prompt.lines()} {
			if got != "7 " {
				t.Errorf("got %q, want \"7 \"", got)
			}
		}
	})
}

func TestAnEventsSinksNarrowItsLanes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := &fakeSink{}, &fakeSink{}
		lanes := runtime.NewLanes(laneOf("a", a), laneOf("b", b))
		all, onlyB, none := numbers(), numbers("b"), numbers("c")
		for n := range 3 {
			lanes.Add(numbered(all, n))
			lanes.Add(numbered(onlyB, 10+n))
			lanes.Add(numbered(none, 20+n))
		}
		mustClose(t, lanes)
		if got, want := a.lines(), "0 1 2 "; got != want {
			t.Errorf("a: got %q, want %q", got, want)
		}
		if got := b.lines(); len(got) != len("0 1 2 10 11 12 ") || !strings.Contains(got, "0 1 2 ") || !strings.Contains(got, "10 11 12 ") {
			t.Errorf("b: got %q, want both kinds, each in order", got)
		}
		if books := lanes.Books(); books[0].In != 3 || books[1].In != 6 {
			t.Errorf("got %+v", books)
		}
	})
}

func TestFailedBatchIsShippedAgainInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var logged []string
		sink, e := &fakeSink{}, numbers()
		failures := 12
		sink.ship = func(context.Context, *runtime.Batch) error {
			if failures--; failures >= 0 {
				return errors.New("away")
			}
			return nil
		}
		lanes := runtime.NewLanes(runtime.NewLane(runtime.LaneOptions{Name: "a", Sink: sink, Log: func(err error) { logged = append(logged, err.Error()) }}))
		started := time.Now()
		for n := range 3 {
			lanes.Add(numbered(e, n))
			time.Sleep(time.Second)
			lanes.Tick(time.Now())
		}
		mustClose(t, lanes)
		if got, want := sink.lines(), "0 1 2 "; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if b := lanes.Books()[0]; b.Shipped != 3 || b.Retries != 12 || b.Dropped != 0 {
			t.Errorf("got %+v, want 3 rows shipped after 12 retries", b)
		}
		// 0.1, 0.2 ... 25.6, 30, 30, 30 seconds at most, and each a random part of it
		if took := sink.at[0].Sub(started); took > 142*time.Second || took < time.Second {
			t.Errorf("12 retries took %v", took)
		}
		if len(logged) != 1 || logged[0] != "ship to a: away" {
			t.Errorf("logged %q, want the outage once", logged)
		}
	})
}

func TestPermanentErrorDropsTheBatchOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refused := errors.New("too strange")
		var logged error
		sink, e := &fakeSink{}, numbers()
		sink.ship = func(_ context.Context, b *runtime.Batch) error {
			if string(b.Bytes) == "1\n" {
				return fmt.Errorf("post: %w", runtime.Permanent(refused))
			}
			return nil
		}
		lanes := runtime.NewLanes(runtime.NewLane(runtime.LaneOptions{Name: "a", Sink: sink, Log: func(err error) { logged = err }}))
		for n := range 3 {
			lanes.Add(numbered(e, n))
			time.Sleep(time.Second)
			lanes.Tick(time.Now())
		}
		mustClose(t, lanes)
		if got, want := sink.lines(), "0 2 "; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if b := lanes.Books()[0]; b.Shipped != 2 || b.Dropped != 1 || b.Retries != 0 {
			t.Errorf("got %+v, want 2 shipped, 1 dropped, no retry", b)
		}
		if !errors.Is(logged, refused) {
			t.Errorf("logged %v, want the refusal", logged)
		}
	})
}

func TestStuckSinkDelaysNobodyAndDropsTheNewest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck, fine, e := &fakeSink{}, &fakeSink{}, numbers()
		free := make(chan struct{})
		stuck.ship = func(context.Context, *runtime.Batch) error { <-free; return nil } // does not even look at its context
		lanes := runtime.NewLanes(
			runtime.NewLane(runtime.LaneOptions{Name: "stuck", Sink: stuck, Limit: 200 << 10}),
			laneOf("fine", fine))
		const rows = 500_000
		started := time.Now()
		for n := range rows {
			lanes.Add(numbered(e, n))
			if n%1000 == 0 {
				synctest.Wait() // lets lanes run, not time
			}
		}
		if time.Since(started) != 0 {
			t.Error("the reader waited")
		}
		lanes.Tick(time.Now().Add(time.Second))
		synctest.Wait()
		if fine.rows != rows {
			t.Errorf("the other sink has %d rows, want %d", fine.rows, rows)
		}
		b := lanes.Books()[0]
		mustBalance(t, b)
		if b.In != rows || b.Shipped != 0 || b.Dropped == 0 || b.Pending == 0 {
			t.Errorf("got %+v", b)
		}
		pending := int(b.Pending)
		close(free)
		synctest.Wait()
		if stuck.rows != pending || !bytes.Equal(stuck.bytes, fine.bytes[:len(stuck.bytes)]) {
			t.Errorf("set free: got %d rows, want the %d oldest", stuck.rows, pending)
		}
		mustClose(t, lanes)
	})
}

func TestSmallBatchesForAStuckSinkStayWithinItsLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck, e := &promptSink{}, numbers()
		stuck.ship = func(ctx context.Context, _ *runtime.Batch) error { <-ctx.Done(); return ctx.Err() }
		lanes := runtime.NewLanes(runtime.NewLane(runtime.LaneOptions{Name: "stuck", Sink: stuck, Limit: 64 << 10}))
		for n := range 1000 {
			lanes.Add(numbered(e, n))
			lanes.Idle()
		}
		if b := lanes.Books()[0]; b.Pending != 64 || b.Dropped != 936 { // a batch takes 1 KiB at least
			t.Errorf("got %+v, want 64 rows pending", b)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := lanes.Close(ctx); err != nil {
			t.Error(err)
		}
	})
}

func TestBooksBalanceForWhoeverAsksMeanwhile(t *testing.T) {
	lanes := runtime.NewLanes(laneOf("a", discard{}), laneOf("b", discard{}))
	var wait sync.WaitGroup
	stop := make(chan struct{})
	for range 2 {
		wait.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				for _, b := range lanes.Books() {
					if b.In != b.Shipped+b.Pending+b.Spooled+b.Dropped {
						t.Errorf("the books do not balance: %+v", b)
						return
					}
				}
			}
		})
	}
	e := numbers()
	row := numbered(e, 1)
	for n := range 200_000 {
		lanes.Add(row)
		if n%100 == 0 {
			lanes.Tick(time.Now())
		}
	}
	mustClose(t, lanes)
	close(stop)
	wait.Wait()
	for _, b := range lanes.Books() {
		if b.In != 200_000 || b.Shipped != b.In {
			t.Errorf("got %+v, want all rows shipped", b)
		}
	}
}

func TestSourceThatWaitsLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow, fine, e := &fakeSink{}, &fakeSink{}, numbers()
		slow.ship = func(context.Context, *runtime.Batch) error { time.Sleep(time.Second); return nil }
		lanes := runtime.NewLanes(
			runtime.NewLane(runtime.LaneOptions{Name: "slow", Sink: slow, Limit: 300 << 10}),
			runtime.NewLane(runtime.LaneOptions{Name: "fine", Sink: fine, Limit: 300 << 10}))
		for n := range 300_000 {
			lanes.Add(numbered(e, n))
			if n%1000 == 0 {
				lanes.Wait(t.Context())
			}
		}
		mustClose(t, lanes)
		for _, b := range lanes.Books() {
			if b.Shipped != 300_000 {
				t.Errorf("got %+v, want all rows shipped", b)
			}
		}
	})
}

func TestWaitEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck, e := &fakeSink{}, numbers()
		stuck.ship = func(ctx context.Context, _ *runtime.Batch) error { <-ctx.Done(); return ctx.Err() }
		lanes := runtime.NewLanes(runtime.NewLane(runtime.LaneOptions{Name: "stuck", Sink: stuck, Limit: 100 << 10}))
		for n := range 100_000 {
			lanes.Add(numbered(e, n))
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		started := time.Now()
		lanes.Wait(ctx)
		if took := time.Since(started); took != 5*time.Second {
			t.Errorf("Wait took %v, want 5s", took)
		}
		if err := lanes.Close(ctx); err != nil {
			t.Error(err)
		}
	})
}

func TestCloseCountsWhatItCouldNotShip(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failing, stuck, fine, e := &fakeSink{}, &fakeSink{}, &fakeSink{}, numbers()
		failing.ship = func(context.Context, *runtime.Batch) error { return errors.New("away") }
		free := make(chan struct{})
		stuck.ship = func(context.Context, *runtime.Batch) error { <-free; return nil }
		lanes := runtime.NewLanes(laneOf("failing", failing), laneOf("stuck", stuck), laneOf("fine", fine))
		for n := range 10 {
			lanes.Add(numbered(e, n))
			lanes.Tick(time.Now().Add(time.Duration(n) * time.Second))
		}
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		started := time.Now()
		err := lanes.Close(ctx)
		if took := time.Since(started); took < 3*time.Second || took > 4*time.Second {
			t.Errorf("Close took %v, want the 3 s of its context", took)
		}
		if err == nil || !strings.Contains(err.Error(), "stuck") || strings.Contains(err.Error(), "failing") {
			t.Errorf("got error %v, want one about the stuck sink", err)
		}
		for i, b := range lanes.Books() {
			mustBalance(t, b)
			if dropped := []uint64{10, 10, 0}[i]; b.In != 10 || b.Pending != 0 || b.Dropped != dropped {
				t.Errorf("got %+v, want 10 rows, %d dropped", b, dropped)
			}
		}
		if !failing.closed.Load() || !fine.closed.Load() || stuck.closed.Load() {
			t.Error("want all sinks closed but the stuck one")
		}
		close(free)
		synctest.Wait()
		if b := lanes.Books()[1]; b.Dropped != 10 || b.Shipped != 0 {
			t.Errorf("what a sink does after Close changed the books: %+v", b)
		}
		if !stuck.closed.Load() {
			t.Error("the stuck sink came back and was not closed")
		}
	})
}

func TestBooksBalanceWhateverHappens(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			var sinks []*fakeSink
			var parts []*runtime.Lane
			for i := range 1 + random.IntN(4) {
				s, moods := &fakeSink{}, rand.New(rand.NewPCG(seed, uint64(10+i)))
				s.ship = func(ctx context.Context, _ *runtime.Batch) error {
					switch moods.IntN(6) {
					case 0:
						return errors.New("retry")
					case 1:
						return runtime.Permanent(errors.New("no"))
					case 2:
						select {
						case <-ctx.Done():
							return ctx.Err()
						case <-time.After(time.Duration(moods.IntN(3000)) * time.Millisecond):
						}
					}
					return nil
				}
				sinks = append(sinks, s)
				var sink runtime.Sink = s
				if random.IntN(2) == 0 {
					p := &promptSink{}
					p.ship = s.ship
					sinks[i], sink = &p.fakeSink, p
				}
				parts = append(parts, runtime.NewLane(runtime.LaneOptions{Name: fmt.Sprint(i), Sink: sink, Limit: 1 + random.Int64N(300<<10)}))
			}
			lanes := runtime.NewLanes(parts...)
			events := []*runtime.Event{numbers(), numbers("0"), numbers("1", "2")}
			in := make([]uint64, len(sinks))
			for range 120 {
				for range random.IntN(2000) {
					e := random.IntN(3)
					lanes.Add(numbered(events[e], random.Int()))
					for i := range in {
						if e == 0 || e == 1 && i == 0 || e == 2 && (i == 1 || i == 2) {
							in[i]++
						}
					}
				}
				switch random.IntN(3) {
				case 0:
					lanes.Idle()
				case 1:
					time.Sleep(time.Duration(random.IntN(500)) * time.Millisecond)
				}
				for _, b := range lanes.Books() {
					mustBalance(t, b)
				}
				lanes.Tick(time.Now())
				for i, b := range lanes.Books() {
					mustBalance(t, b)
					if b.In != in[i] {
						t.Fatalf("seed %d, lane %d: %d rows came in, want %d", seed, i, b.In, in[i])
					}
				}
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(random.IntN(20))*time.Second)
			defer cancel()
			if err := lanes.Close(ctx); err != nil {
				t.Error(err)
			}
			for i, b := range lanes.Books() {
				mustBalance(t, b)
				if b.In != in[i] || b.Pending != 0 || b.Shipped != uint64(sinks[i].rows) || sinks[i].rows != bytes.Count(sinks[i].bytes, []byte("\n")) {
					t.Errorf("seed %d, lane %d: got %+v, the sink has %d rows of %d", seed, i, b, sinks[i].rows, in[i])
				}
			}
		})
	}
}

// discard is a sink without a memory.
type discard struct{}

func (discard) Encoding() runtime.Encoding                 { return runtime.NDJSON{} }
func (discard) Ship(context.Context, *runtime.Batch) error { return nil }
func (discard) Close() error                               { return nil }

func TestAddingARowAllocatesNothing(t *testing.T) {
	lanes := runtime.NewLanes(laneOf("a", discard{}), laneOf("b", discard{}))
	e := numbers()
	row, now := numbered(e, 123_456_789), time.Now()
	add := func() {
		for range 50_000 {
			lanes.Add(row)
		}
		lanes.Idle()
		now = now.Add(time.Second)
		lanes.Tick(now)
		for lanes.Books()[0].Pending+lanes.Books()[1].Pending > 0 {
			time.Sleep(time.Millisecond)
		}
	}
	add()
	if n := testing.AllocsPerRun(20, add); n > 40 {
		t.Errorf("got %v allocations for 50,000 rows, want none for a row", n)
	}
	mustClose(t, lanes)
}

func BenchmarkAdd(b *testing.B) {
	lanes := runtime.NewLanes(laneOf("a", discard{}))
	row := &runtime.Row{Event: &runtime.Event{AppendJSON: appendLine}, Record: runtime.Record{Time: lineTime, Body: lineBody()}}
	for b.Loop() {
		lanes.Add(row)
	}
	if err := lanes.Close(b.Context()); err != nil {
		b.Fatal(err)
	}
}
