// SPDX-License-Identifier: Apache-2.0

package runtime_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"github.com/redsift/ingraind/runtime"
)

// shipment is a batch as a sink got it.
type shipment struct {
	name, grain, event string
	rows               int
	text               string
	first, last        time.Time
}

// server is a sink that keeps each batch that it takes. fail, when set, decides.
type server struct {
	fail func(ctx context.Context, b *runtime.Batch) error

	mu    sync.Mutex
	took  []shipment
	tried []string // names, of each attempt
	at    []time.Time
}

func (s *server) Encoding() runtime.Encoding { return runtime.NDJSON{} }
func (s *server) Close() error               { return nil }

func (s *server) Ship(ctx context.Context, b *runtime.Batch) error {
	s.mu.Lock()
	s.tried, s.at = append(s.tried, b.Name), append(s.at, time.Now())
	s.mu.Unlock()
	if s.fail != nil {
		if err := s.fail(ctx, b); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.took = append(s.took, shipment{b.Name, b.Grain, b.Event, b.Rows, string(b.Bytes), b.First, b.Last})
	return nil
}

// numbers is what the sink has, in order, each batch once.
func (s *server) numbers(t *testing.T) (all []int) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range s.took {
		lines := strings.Fields(b.text)
		if len(lines) != b.rows {
			t.Errorf("a batch of %d rows has %d lines", b.rows, len(lines))
		}
		for _, line := range lines {
			var n int
			if _, err := fmt.Sscan(line, &n); err != nil {
				t.Fatal(err)
			}
			all = append(all, n)
		}
	}
	return all
}

func upTo(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

func openSpool(t *testing.T, o runtime.SpoolOptions) *runtime.Spool {
	t.Helper()
	s, err := runtime.OpenSpool(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// spooledLane is a lane with a spool in dir, that never waits for the disk.
func spooledLane(t *testing.T, sink runtime.Sink, dir string, change func(*runtime.SpoolOptions, *runtime.LaneOptions)) *runtime.Lanes {
	t.Helper()
	so := runtime.SpoolOptions{Dir: dir, Sync: runtime.Sync{When: runtime.SyncNever}}
	lo := runtime.LaneOptions{Name: "server", Sink: sink}
	if change != nil {
		change(&so, &lo)
	}
	lo.Spool = openSpool(t, so)
	return runtime.NewLanes(runtime.NewLane(lo))
}

// addUpTo adds the numbers from..to-1, and says what time it is after each hundred.
func addUpTo(lanes *runtime.Lanes, e *runtime.Event, from, to int) {
	for n := from; n < to; n++ {
		lanes.Add(numbered(e, n))
		if n%100 == 0 {
			lanes.Tick(time.Now())
		}
	}
}

func mustAccount(t *testing.T, b runtime.LaneBooks) {
	t.Helper()
	if b.In+b.Inherited != b.Shipped+b.Pending+b.Spooled+b.Dropped {
		t.Fatalf("the books do not balance: %+v", b)
	}
}

// hurry is a context that is done soon, in the time of a test.
func hurry(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func TestAnOutageIsSpooledAndReplayedInOrder(t *testing.T) {
	for _, always := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s, e := &server{}, numbers()
			var down atomic.Bool
			down.Store(true)
			s.fail = func(context.Context, *runtime.Batch) error {
				if down.Load() {
					return errors.New("away")
				}
				return nil
			}
			lanes := spooledLane(t, s, t.TempDir(), func(so *runtime.SpoolOptions, lo *runtime.LaneOptions) { so.Always, lo.Limit = always, 256<<10 })
			for i := range 60 { // a minute, and far more than fits in memory
				addUpTo(lanes, e, i*5000, (i+1)*5000)
				time.Sleep(time.Second)
				lanes.Tick(time.Now())
				synctest.Wait()
				b := lanes.Books()[0]
				mustAccount(t, b)
				if b.Dropped > 0 || b.Pending > 20_000 {
					t.Fatalf("after %d s: got %+v", i, b)
				}
			}
			if b := lanes.Books()[0]; b.Spooled < 290_000 || b.Retries == 0 {
				t.Errorf("got %+v, want almost all of 300,000 rows spooled", b)
			}
			down.Store(false)
			time.Sleep(time.Minute)
			addUpTo(lanes, e, 300_000, 300_010)
			mustClose(t, lanes)
			if got := s.numbers(t); !slices.Equal(got, upTo(300_010)) {
				t.Errorf("got %d rows, want 300,010 in order", len(got))
			}
			b := lanes.Books()[0]
			if mustAccount(t, b); b.Shipped != 300_010 {
				t.Errorf("got %+v", b)
			}
			names := map[string]bool{}
			last := ""
			for _, took := range s.took {
				if names[took.name] || len(took.name) != 32 || took.name <= last {
					t.Errorf("got name %s behind %s", took.name, last)
				}
				names[took.name], last = true, took.name
			}
			for _, name := range s.tried { // under whatever name it was tried it was taken
				if !names[name] {
					t.Errorf("%s was tried, and never taken", name)
				}
			}
		})
	}
}

func TestWhatASinkDidNotTakeIsTheNextAgents(t *testing.T) {
	for _, stuck := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			dir, e := t.TempDir(), numbers()
			free := make(chan struct{})
			away := &server{fail: func(context.Context, *runtime.Batch) error {
				if stuck {
					<-free // does not even look at its context
				}
				return errors.New("away")
			}}
			lanes := spooledLane(t, away, dir, nil)
			addUpTo(lanes, e, 0, 100_000)
			synctest.Wait()
			started := time.Now()
			err := lanes.Close(hurry(t, 3*time.Second))
			if took := time.Since(started); !stuck && took > 100*time.Millisecond || took > 4*time.Second {
				t.Errorf("Close took %v of an outage", took)
			}
			if (err != nil) != stuck {
				t.Errorf("got %v", err)
			}
			b := lanes.Books()[0]
			if mustAccount(t, b); b.Spooled != 100_000 || b.Pending != 0 {
				t.Errorf("got %+v, want all rows spooled", b)
			}
			close(free)
			synctest.Wait()
			back := &server{}
			lanes = spooledLane(t, back, dir, nil)
			if b := lanes.Books()[0]; b.Inherited != 100_000 || b.Spooled+b.Shipped != 100_000 || b.Crashed != 0 {
				t.Errorf("got %+v, want all rows inherited", b)
			}
			addUpTo(lanes, e, 100_000, 100_100)
			mustClose(t, lanes)
			if got := back.numbers(t); !slices.Equal(got, upTo(100_100)) {
				t.Errorf("got %d rows, want 100,100 in order", len(got))
			}
			if back.took[0].name != away.tried[0] {
				t.Errorf("the first batch was tried as %s and taken as %s", away.tried[0], back.took[0].name)
			}
			if b := lanes.Books()[0]; b.In != 100 || b.Shipped != 100_100 {
				t.Errorf("got %+v", b)
			}
		})
	}
}

func TestABatchIsOnDiskBeforeItIsShippedWhenAlwaysSpooled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, e := t.TempDir(), numbers()
		s := &server{}
		s.fail = func(_ context.Context, b *runtime.Batch) error {
			for _, path := range segments(t, dir) {
				if text, err := os.ReadFile(path); err == nil && bytes.Contains(text, []byte(b.Name)) && bytes.Contains(text, b.Bytes) {
					return nil
				}
			}
			t.Errorf("batch %s is not on disk", b.Name)
			return nil
		}
		lanes := spooledLane(t, s, dir, func(so *runtime.SpoolOptions, _ *runtime.LaneOptions) {
			so.Always, so.Sync = true, runtime.Sync{When: runtime.SyncAlways}
		})
		addUpTo(lanes, e, 0, 50_000)
		mustClose(t, lanes)
		if got := s.numbers(t); !slices.Equal(got, upTo(50_000)) {
			t.Errorf("got %d rows", len(got))
		}
		if left := segments(t, dir); len(left) > 0 {
			t.Errorf("%q is left", left)
		}
	})
}

func segments(t *testing.T, dir string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.seg"))
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

func TestAHealthySinkLeavesTheDiskAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, e := t.TempDir(), numbers()
		s := &server{fail: func(context.Context, *runtime.Batch) error {
			if left := segments(t, dir); len(left) > 0 {
				t.Errorf("%q was written", left)
			}
			return nil
		}}
		lanes := spooledLane(t, s, dir, nil)
		for i := range 10 {
			addUpTo(lanes, e, i*1000, (i+1)*1000)
			synctest.Wait()
		}
		mustClose(t, lanes)
		if got := s.numbers(t); !slices.Equal(got, upTo(10_000)) {
			t.Errorf("got %d rows", len(got))
		}
	})
}

func TestASlowSinkIsSpooledFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, e := &server{}, numbers()
		s.fail = func(context.Context, *runtime.Batch) error { time.Sleep(500 * time.Millisecond); return nil }
		lanes := spooledLane(t, s, t.TempDir(), func(_ *runtime.SpoolOptions, lo *runtime.LaneOptions) { lo.Limit = 256 << 10 })
		for i := range 20 { // 340 KB a second, of which 128 KB go
			for n := i * 50_000; n < (i+1)*50_000; n += 5000 {
				addUpTo(lanes, e, n, n+5000)
				time.Sleep(100 * time.Millisecond)
			}
		}
		if b := lanes.Books()[0]; b.Spooled == 0 || b.Retries != 0 {
			t.Errorf("got %+v, want rows in the spool, and no retry", b)
		}
		mustClose(t, lanes)
		if got := s.numbers(t); !slices.Equal(got, upTo(1_000_000)) {
			t.Errorf("got %d rows, want a million in order", len(got))
		}
	})
}

func TestAFullSpoolDropsTheOldestAndCountsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, e, dir := &server{}, numbers(), t.TempDir()
		var down atomic.Bool
		down.Store(true)
		s.fail = func(context.Context, *runtime.Batch) error {
			if down.Load() {
				return errors.New("away")
			}
			return nil
		}
		lanes := spooledLane(t, s, dir, func(so *runtime.SpoolOptions, lo *runtime.LaneOptions) { so.Max, lo.Limit = 1<<20, 256<<10 })
		for i := range 100 {
			addUpTo(lanes, e, i*5000, (i+1)*5000)
			synctest.Wait()
		}
		b := lanes.Books()[0]
		if mustAccount(t, b); b.Dropped == 0 || b.Spooled == 0 {
			t.Errorf("got %+v", b)
		}
		down.Store(false)
		time.Sleep(time.Minute)
		mustClose(t, lanes)
		b = lanes.Books()[0]
		got := s.numbers(t)
		if mustAccount(t, b); b.Shipped != uint64(len(got)) || b.Shipped+b.Dropped != 500_000 || !slices.Equal(got[len(got)-100_000:], upTo(500_000)[400_000:]) {
			t.Errorf("got %+v and %d rows, want the newest", b, len(got))
		}
	})
}

func TestOnFullSaysWhichRowsAreDropped(t *testing.T) {
	for _, c := range []struct {
		onFull runtime.OnFull
		first  int
	}{{runtime.FullDefault, 0}, {runtime.DropNewest, 0}, {runtime.DropOldest, 500_000}} {
		synctest.Test(t, func(t *testing.T) {
			s, e := &server{}, numbers()
			free := make(chan struct{})
			s.fail = func(context.Context, *runtime.Batch) error { <-free; return nil }
			lanes := runtime.NewLanes(runtime.NewLane(runtime.LaneOptions{Name: "a", Sink: s, Limit: 256 << 10, OnFull: c.onFull}))
			for n := range 500_000 {
				lanes.Add(numbered(e, n))
				if n%5000 == 0 {
					synctest.Wait()
				}
			}
			lanes.Tick(time.Now().Add(time.Second))
			b := lanes.Books()[0]
			mustAccount(t, b)
			close(free)
			mustClose(t, lanes)
			got := s.numbers(t)
			b = lanes.Books()[0]
			if mustAccount(t, b); b.Dropped == 0 || len(got) != int(b.Shipped) {
				t.Errorf("%v: got %d rows, %+v", c.onFull, len(got), b)
			}
			if c.first > 0 && got[len(got)-1] != 499_999 || c.first == 0 && got[len(got)-1] == 499_999 {
				t.Errorf("%v: the last row is %d", c.onFull, got[len(got)-1])
			}
		})
	}
}

func TestABlockedStreamLosesNothingAndCanBeUnblocked(t *testing.T) {
	for _, spooled := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s, e := &server{}, numbers()
			stuck := make(chan struct{})
			var isStuck atomic.Bool
			s.fail = func(context.Context, *runtime.Batch) error {
				if isStuck.Load() {
					<-stuck
				}
				time.Sleep(10 * time.Millisecond)
				return nil
			}
			lo := runtime.LaneOptions{Name: "a", Sink: s, Limit: 200 << 10, OnFull: runtime.BlockStream}
			if spooled {
				lo.Spool = openSpool(t, runtime.SpoolOptions{Dir: t.TempDir(), Max: 512 << 10, Sync: runtime.Sync{When: runtime.SyncNever}})
			}
			lanes := runtime.NewLanes(runtime.NewLane(lo))
			addUpTo(lanes, e, 0, 500_000)
			lanes.Tick(time.Now().Add(time.Second)) // what is being filled is old: no later row is in one batch with these
			for end := time.Now().Add(time.Minute); lanes.Books()[0].Shipped < 500_000 && time.Now().Before(end); {
				time.Sleep(10 * time.Millisecond)
			}
			b := lanes.Books()[0]
			if mustAccount(t, b); b.Dropped > 0 || b.Shipped != 500_000 {
				t.Errorf("got %+v, want all shipped and nothing dropped", b)
			}
			isStuck.Store(true)
			timer := time.AfterFunc(5*time.Second, lanes.Unblock)
			started := time.Now()
			addUpTo(lanes, e, 500_000, 1_000_000)
			if took := time.Since(started); took < 5*time.Second || took > 6*time.Second {
				t.Errorf("the stream was blocked for %v, want 5 s", took)
			}
			timer.Stop()
			close(stuck)
			mustClose(t, lanes)
			b = lanes.Books()[0]
			got := s.numbers(t)
			if mustAccount(t, b); b.In != 1_000_000 || int(b.Shipped) != len(got) || !slices.Equal(got[:500_000], upTo(500_000)) {
				t.Errorf("got %+v, %d rows", b, len(got))
			}
		})
	}
}

func TestAServerSaysWhenToComeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, e := &server{}, numbers()
		asked := []time.Duration{7 * time.Second, -time.Second, 1000 * time.Hour}
		s.fail = func(context.Context, *runtime.Batch) error {
			if len(asked) == 0 {
				return nil
			}
			d := asked[0]
			asked = asked[1:]
			return fmt.Errorf("post: %w", runtime.RetryAfter(errors.New("busy"), d))
		}
		lanes := runtime.NewLanes(laneOf("a", s))
		lanes.Add(numbered(e, 0))
		mustClose(t, lanes)
		for i, want := range []time.Duration{7 * time.Second, 0, time.Hour} {
			if got := s.at[i+1].Sub(s.at[i]); got < want || got > want+time.Second {
				t.Errorf("retry %d came after %v, want %v and a little", i, got, want)
			}
		}
	})
}

func TestRetryAfterIsSeenThroughWraps(t *testing.T) {
	busy := errors.New("busy")
	err := fmt.Errorf("post: %w", runtime.RetryAfter(busy, time.Minute))
	if d, ok := runtime.RetryIn(err); !ok || d != time.Minute || !errors.Is(err, busy) || err.Error() != "post: busy" || runtime.IsPermanent(err) {
		t.Errorf("got %v, %v of %v", d, ok, err)
	}
	if _, ok := runtime.RetryIn(busy); ok {
		t.Error("got a time of an error that has none")
	}
}

func TestARefusedBatchOfTheSpoolIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, e := &server{}, numbers()
		s.fail = func(_ context.Context, b *runtime.Batch) error {
			if string(b.Bytes) == "1\n" {
				return runtime.Permanent(errors.New("no"))
			}
			return nil
		}
		lanes := spooledLane(t, s, t.TempDir(), func(so *runtime.SpoolOptions, _ *runtime.LaneOptions) { so.Always = true })
		for n := range 3 {
			lanes.Add(numbered(e, n))
			lanes.Tick(time.Now().Add(time.Duration(n+1) * 2 * time.Second))
		}
		mustClose(t, lanes)
		b := lanes.Books()[0]
		if mustAccount(t, b); !slices.Equal(s.numbers(t), []int{0, 2}) || b.Dropped != 1 || b.Shipped != 2 {
			t.Errorf("got %v, %+v", s.numbers(t), b)
		}
	})
}

// otherEncoding is a server that wants rows in another way.
type otherEncoding struct{ server }

func (*otherEncoding) Encoding() runtime.Encoding { return counting{} }

func (counting) Name() string { return "counting" }

func TestRowsOfAnotherEncodingAreNotShipped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, e := t.TempDir(), numbers()
		lanes := spooledLane(t, &server{fail: func(context.Context, *runtime.Batch) error { return errors.New("away") }}, dir, nil)
		lanes.Add(numbered(e, 1))
		mustClose(t, lanes)
		other := &otherEncoding{}
		var logged []string
		lanes = spooledLane(t, other, dir, func(_ *runtime.SpoolOptions, lo *runtime.LaneOptions) {
			lo.Log = func(err error) { logged = append(logged, err.Error()) }
		})
		synctest.Wait()
		b := lanes.Books()[0]
		mustClose(t, lanes)
		if mustAccount(t, b); b.Dropped != 1 || len(other.tried) > 0 || len(logged) != 1 || !strings.Contains(logged[0], "ndjson") {
			t.Errorf("got %+v, %q", b, logged)
		}
	})
}

type partitioned struct{ server }

func (*partitioned) Partition() runtime.Partition { return runtime.ByGrain }

func TestABatchHoldsRowsOfOneGrainAndHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		apart, together := &partitioned{}, &server{}
		lanes := runtime.NewLanes(laneOf("apart", apart), laneOf("together", together))
		grains := []*runtime.Grain{{Name: "exec"}, {Name: "conn"}}
		events := []*runtime.Event{numbers(), numbers(), numbers()} // the first two are of one grain
		start := time.Date(2026, 11, 23, 12, 59, 59, 0, time.UTC)
		for n := range 60_000 {
			row := numbered(events[n%3], n)
			row.Grain = grains[n%3/2]
			row.Record.Time = start.Add(time.Duration(n) * 50 * time.Microsecond).UnixNano()
			lanes.Add(row)
		}
		mustClose(t, lanes)
		seen := map[string]int{}
		for _, b := range apart.took {
			if b.first.UTC().Hour() != b.last.UTC().Hour() {
				t.Errorf("a batch goes from %v to %v", b.first, b.last)
			}
			seen[fmt.Sprint(b.grain, b.first.UTC().Hour())] += b.rows
			last := -1
			for line := range strings.Lines(b.text) {
				var n int
				fmt.Sscan(line, &n)
				if grains[n%3/2].Name != b.grain || n <= last {
					t.Fatalf("row %d is in a batch of %s, behind %d", n, b.grain, last)
				}
				last = n
			}
		}
		if len(seen) != 4 || seen["exec12"]+seen["exec13"] != 40_000 || seen["conn12"]+seen["conn13"] != 20_000 {
			t.Errorf("got %v", seen)
		}
		if got := together.numbers(t); !slices.Equal(got, upTo(60_000)) || together.took[0].grain != "" {
			t.Errorf("the other sink got %d rows, as %q", len(got), together.took[0].grain)
		}
	})
}

// byEvent is a sink whose batches begin with a line that says whose rows follow.
type byEvent struct{ server }

func (*byEvent) Partition() runtime.Partition { return runtime.ByEvent }
func (*byEvent) Encoding() runtime.Encoding   { return headed{} }

type headed struct{ runtime.NDJSON }

func (headed) Name() string { return "headed" }

func (headed) AppendHead(dst []byte, row *runtime.Row) []byte {
	return append(dst, row.Grain.Name+"."+row.Event.Name+"\n"...)
}

func TestABatchOfOneEventBeginsWithItsHeadAlsoForTheNextAgent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const rows = 50_000
		dir, away := t.TempDir(), &byEvent{}
		away.fail = func(context.Context, *runtime.Batch) error { return errors.New("away") }
		lanes := spooledLane(t, away, dir, nil)
		grains := []*runtime.Grain{{Name: "exec"}, {Name: "conn"}}
		events := []*runtime.Event{numbers(), numbers(), numbers()}
		events[1].Name = "other" // of the first grain; the third is called as the first
		start := time.Date(2026, 11, 23, 12, 59, 59, 0, time.UTC)
		for n := range rows {
			row := numbered(events[n%3], n)
			row.Grain = grains[n%3/2]
			row.Record.Time = start.Add(time.Duration(n) * 50 * time.Microsecond).UnixNano()
			lanes.Add(row)
		}
		mustClose(t, lanes)
		there := &byEvent{}
		lanes = spooledLane(t, there, dir, nil)
		synctest.Wait()
		mustClose(t, lanes)
		seen := map[string]int{}
		for _, b := range there.took {
			name := b.grain + "." + b.event
			head, text, _ := strings.Cut(b.text, "\n")
			if head != name || strings.Count(text, "\n") != b.rows || b.first.UTC().Hour() != b.last.UTC().Hour() {
				t.Errorf("got a batch of %s with head %q, %d rows for %d, from %v to %v", name, head, strings.Count(text, "\n"), b.rows, b.first, b.last)
			}
			for line := range strings.Lines(text) {
				var n int
				fmt.Sscan(line, &n)
				if want := grains[n%3/2].Name + "." + events[n%3].Name; want != name {
					t.Fatalf("row %d of %s is in a batch of %s", n, want, name)
				}
			}
			seen[fmt.Sprint(name, b.first.UTC().Hour())] += b.rows
		}
		sum := 0
		for _, n := range seen {
			sum += n
		}
		if len(seen) != 6 || sum != rows {
			t.Errorf("got %v, want %d rows in two hours of three events", seen, rows)
		}
	})
}

func TestAFullDiskIsReportedAndStreamingGoesOn(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Fatal("this test mounts a small disk: run it as root")
	}
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=200k"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	synctest.Test(t, func(t *testing.T) {
		s, e := &server{}, numbers()
		down := true
		var mu sync.Mutex
		s.fail = func(context.Context, *runtime.Batch) error {
			mu.Lock()
			defer mu.Unlock()
			if down {
				return errors.New("away")
			}
			return nil
		}
		var logged []string
		lanes := spooledLane(t, s, filepath.Join(dir, "spool"), func(so *runtime.SpoolOptions, lo *runtime.LaneOptions) {
			so.Always, lo.Limit, lo.OnFull = true, 128<<10, runtime.DropNewest
			lo.Log = func(err error) { mu.Lock(); logged = append(logged, err.Error()); mu.Unlock() }
		})
		for i := range 60 {
			addUpTo(lanes, e, i*2000, (i+1)*2000)
			time.Sleep(time.Second)
			mustAccount(t, lanes.Books()[0])
		}
		b := lanes.Books()[0]
		if b.In < 118_000 || b.Dropped == 0 || b.Spooled == 0 || b.Pending == 0 {
			t.Errorf("got %+v", b)
		}
		mu.Lock()
		down = false
		if n := len(slices.DeleteFunc(slices.Clone(logged), func(l string) bool { return !strings.Contains(l, "no space left") })); n == 0 || n > 3 {
			t.Errorf("logged %q, want the full disk said, once for an outage", logged)
		}
		mu.Unlock()
		time.Sleep(time.Minute)
		lanes.Tick(time.Now())
		time.Sleep(time.Minute)
		before := lanes.Books()[0]
		addUpTo(lanes, e, 120_000, 130_000)
		mustClose(t, lanes)
		b = lanes.Books()[0]
		got := s.numbers(t)
		if mustAccount(t, b); before.Pending+before.Spooled != 0 || b.Dropped != before.Dropped || int(b.Shipped) != len(got) || !slices.IsSorted(got) {
			t.Errorf("got %+v before and %+v at the end, %d rows", before, b, len(got))
		}
	})
}

// Whatever sinks, disks and times do, the books balance at any moment, and
// over restarts each row is shipped once, or dropped and counted.
func TestBooksBalanceOverRestartsWhateverHappens(t *testing.T) {
	for seed := range uint64(30) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 5))
			dir, e := t.TempDir(), numbers()
			var shipped, dropped, in, left uint64
			seen := map[int]bool{}
			lastNumber := -1
			lossless := random.IntN(2) == 0
			for range 4 {
				moods := rand.New(rand.NewPCG(seed, random.Uint64()))
				s := &server{fail: func(ctx context.Context, _ *runtime.Batch) error {
					switch moods.IntN(8) {
					case 0:
						return errors.New("retry")
					case 1:
						return runtime.RetryAfter(errors.New("busy"), time.Duration(moods.IntN(5000))*time.Millisecond)
					case 2, 3:
						select {
						case <-ctx.Done():
							return ctx.Err()
						case <-time.After(time.Duration(moods.IntN(3000)) * time.Millisecond):
						}
					}
					return nil
				}}
				lanes := spooledLane(t, s, dir, func(so *runtime.SpoolOptions, lo *runtime.LaneOptions) {
					so.Always = random.IntN(2) == 0
					lo.Limit = 100<<10 + random.Int64N(300<<10)
					so.Max = 300<<10 + random.Int64N(1<<20)
					lo.OnFull = []runtime.OnFull{runtime.DropNewest, runtime.DropOldest}[random.IntN(2)]
					if lossless {
						so.Max, lo.OnFull = 0, runtime.BlockStream
					}
				})
				if b := lanes.Books()[0]; b.Inherited != left || b.Crashed != 0 {
					t.Fatalf("seed %d: got %+v, want %d rows inherited", seed, b, left)
				}
				for range 30 {
					n := random.IntN(3000)
					for range n {
						lanes.Add(numbered(e, int(in)))
						in++
					}
					if random.IntN(2) == 0 {
						time.Sleep(time.Duration(random.IntN(1000)) * time.Millisecond)
					}
					lanes.Tick(time.Now())
					mustAccount(t, lanes.Books()[0])
				}
				if err := lanes.Close(hurry(t, time.Duration(random.IntN(5))*time.Second)); err != nil {
					t.Fatal(err)
				}
				b := lanes.Books()[0]
				if mustAccount(t, b); b.Pending != 0 {
					t.Fatalf("seed %d: got %+v", seed, b)
				}
				shipped, dropped, left = shipped+b.Shipped, dropped+b.Dropped, b.Spooled
				got := s.numbers(t)
				if len(got) != int(b.Shipped) {
					t.Fatalf("seed %d: %d rows came, want %d", seed, len(got), b.Shipped)
				}
				for _, n := range got {
					if seen[n] || n <= lastNumber {
						t.Fatalf("seed %d: row %d came behind %d", seed, n, lastNumber)
					}
					seen[n], lastNumber = true, n
				}
			}
			if in != shipped+dropped+left || lossless && dropped > 0 {
				t.Errorf("seed %d: %d rows, %d shipped, %d dropped, %d left", seed, in, shipped, dropped, left)
			}
		})
	}
}

func TestNamesOfBatchesAreUniqueAndSortByAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen, last := map[string]bool{}, ""
		for range 20 {
			s, e := &server{}, numbers()
			lanes := runtime.NewLanes(laneOf("a", s))
			for n := range 300 {
				lanes.Add(numbered(e, n))
				lanes.Tick(time.Now().Add(time.Duration(n) * time.Second))
			}
			mustClose(t, lanes)
			for _, b := range s.took {
				if seen[b.name] || b.name < last {
					t.Fatalf("got %s behind %s", b.name, last)
				}
				seen[b.name], last = true, b.name
			}
			time.Sleep(time.Millisecond)
		}
	})
}

func TestAddingARowAllocatesNothingWithASpool(t *testing.T) {
	lanes := spooledLane(t, discard{}, t.TempDir(), func(so *runtime.SpoolOptions, _ *runtime.LaneOptions) { so.Always = true })
	row, now := numbered(numbers(), 123_456_789), time.Now()
	add := func() {
		for range 50_000 {
			lanes.Add(row)
		}
		now = now.Add(time.Second)
		lanes.Tick(now)
		for b := lanes.Books()[0]; b.Pending+b.Spooled > 0; b = lanes.Books()[0] {
			time.Sleep(time.Millisecond)
		}
	}
	add()
	if n := testing.AllocsPerRun(10, add); n > 500 { // eight batches
		t.Errorf("got %v allocations for 50,000 rows, want none for a row", n)
	}
	mustClose(t, lanes)
}

// A sink that was away at 50,000 rows a second costs bounded memory and no row,
// and the backlog goes five times as fast as rows come, with the disk waited for.
func TestABacklogDrainsFiveTimesFasterThanRowsCome(t *testing.T) {
	const rate, away = 50_000, 2 * time.Second
	e := &runtime.Event{AppendJSON: func(dst []byte, r runtime.Record) []byte { return append(dst, r.Body...) }}
	row := &runtime.Row{Event: e, Record: runtime.Record{Weight: 1, Body: bytes.Repeat([]byte("x"), 150)}}
	var down atomic.Bool
	down.Store(true)
	s := &server{fail: func(context.Context, *runtime.Batch) error {
		if down.Load() {
			return runtime.RetryAfter(errors.New("away"), 0)
		}
		return nil
	}}
	lanes := spooledLane(t, s, t.TempDir(), func(so *runtime.SpoolOptions, lo *runtime.LaneOptions) {
		so.Sync, lo.Limit = runtime.Sync{}, 2<<20
	})
	started, added := time.Now(), 0
	feed := func() {
		for due := int(time.Since(started).Seconds() * rate); added < due; added++ {
			lanes.Add(row)
		}
		lanes.Tick(time.Now())
		time.Sleep(time.Millisecond)
	}
	for time.Since(started) < away {
		feed()
	}
	down.Store(false)
	for lanes.Books()[0].Shipped == 0 { // until the retry
		feed()
	}
	backlog, back := lanes.Books()[0], time.Now()
	for lanes.Books()[0].Spooled > 0 {
		feed()
	}
	took := time.Since(back)
	shipped := lanes.Books()[0].Shipped - backlog.Shipped
	mustClose(t, lanes)
	b := lanes.Books()[0]
	if mustAccount(t, b); b.Dropped > 0 || b.Shipped != b.In {
		t.Errorf("got %+v, want no row lost", b)
	}
	if speed := float64(shipped) / took.Seconds(); speed < 5*rate {
		t.Errorf("%d rows in %v, want at least %d a second", shipped, took, 5*rate)
	}
	t.Logf("%d rows in %v", shipped, took)
}
