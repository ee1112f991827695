// SPDX-License-Identifier: Apache-2.0

package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redsift/ingraind/runtime"
)

// exclusive is a sink that only one at a time can be: what it holds is a port.
type exclusive struct {
	server
	port    *atomic.Bool
	busy    int // so many Starts fail first
	started bool
	closed  atomic.Bool
}

func (s *exclusive) Start() error {
	if s.busy > 0 {
		s.busy--
		return errors.New("port in use")
	}
	if !s.port.CompareAndSwap(false, true) {
		return errors.New("two at a time")
	}
	s.started = true
	return nil
}

func (s *exclusive) Close() error {
	if s.started {
		s.port.Store(false)
	}
	s.closed.Store(true)
	return nil
}

func (s *server) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	for _, took := range s.took {
		b.WriteString(strings.ReplaceAll(took.text, "\n", " "))
	}
	return b.String()
}

// feeder adds numbered rows and lets time pass.
type feeder struct {
	lanes *runtime.Lanes
	event *runtime.Event
	next  int
}

func (f *feeder) add(n int) {
	for range n {
		f.lanes.Add(numbered(f.event, f.next))
		f.next++
	}
	f.lanes.Tick(time.Now().Add(time.Hour))
}

func (f *feeder) until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited 20 s for: %s", what)
		}
		f.lanes.Tick(time.Now().Add(time.Hour))
	}
}

func numbersFrom(from, to int) string {
	var b strings.Builder
	for n := from; n < to; n++ {
		fmt.Fprintf(&b, "%d ", n)
	}
	return b.String()
}

func TestAChangeLosesNoRow(t *testing.T) {
	release := make(chan struct{})
	old := &server{fail: func(ctx context.Context, _ *runtime.Batch) error { <-release; return nil }}
	gone, kept, fresh := &server{}, &server{}, &server{}
	f := &feeder{lanes: runtime.NewLanes(laneOf("a", old), laneOf("gone", gone), laneOf("kept", kept)), event: numbers()}
	f.add(10)
	renewed := &server{}
	f.lanes.Change(runtime.Change{Lanes: []runtime.LaneChange{
		{LaneOptions: runtime.LaneOptions{Name: "kept"}},
		{LaneOptions: runtime.LaneOptions{Name: "a", Sink: renewed}},
		{LaneOptions: runtime.LaneOptions{Name: "fresh", Sink: fresh}},
	}})
	f.add(10)
	f.until(t, "rows of the sinks that do not wait", func() bool { return fresh.text() == numbersFrom(10, 20) && gone.text() == numbersFrom(0, 10) })
	if got := renewed.text(); got != "" {
		t.Errorf("the sink that replaces one got %q while that had not ended", got)
	}
	close(release)
	f.until(t, "rows of the sink that replaces one", func() bool { return renewed.text() == numbersFrom(10, 20) })
	f.add(10)
	mustClose(t, f.lanes)
	for _, c := range []struct {
		name string
		sink *server
		want string
	}{
		{"old", old, numbersFrom(0, 10)}, {"gone", gone, numbersFrom(0, 10)}, {"kept", kept, numbersFrom(0, 30)},
		{"renewed", renewed, numbersFrom(10, 30)}, {"fresh", fresh, numbersFrom(10, 30)},
	} {
		if got := c.sink.text(); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
	books := f.lanes.Books()
	var names []string
	for _, b := range books {
		mustBalance(t, b)
		names = append(names, fmt.Sprint(b.Sink, " ", b.Ended, " ", b.Shipped))
	}
	slices.Sort(names)
	if want := []string{"a false 20", "a true 10", "fresh false 20", "gone true 10", "kept false 30"}; !slices.Equal(names, want) {
		t.Errorf("got books %q, want %q", names, want)
	}
}

func TestASinkThatReplacesOneIsStartedWhenThatIsClosed(t *testing.T) {
	var port atomic.Bool
	first := &exclusive{port: &port}
	if err := runtime.Start(first); err != nil {
		t.Fatal(err)
	}
	var said []string
	var mu sync.Mutex
	f := &feeder{lanes: runtime.NewLanes(laneOf("a", first)), event: numbers()}
	f.add(5)
	second := &exclusive{port: &port, busy: 2}
	f.lanes.Change(runtime.Change{Lanes: []runtime.LaneChange{{LaneOptions: runtime.LaneOptions{Name: "a", Sink: second, Log: func(err error) {
		mu.Lock()
		defer mu.Unlock()
		said = append(said, err.Error())
	}}}}})
	f.add(5)
	f.until(t, "the second sink's rows", func() bool { return second.text() == numbersFrom(5, 10) })
	mustClose(t, f.lanes)
	if !first.closed.Load() || !second.closed.Load() || port.Load() {
		t.Error("a sink was not closed")
	}
	mu.Lock()
	defer mu.Unlock()
	if want := []string{"ship to a: port in use"}; !slices.Equal(said, want) {
		t.Errorf("got %q, want %q", said, want)
	}
}

func TestTheSpoolGoesToTheSinkThatReplacesOne(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a")
	open := func() *runtime.Spool {
		s, err := runtime.OpenSpool(runtime.SpoolOptions{Dir: dir})
		if err != nil {
			t.Error(err)
		}
		return s
	}
	away := &server{fail: func(context.Context, *runtime.Batch) error { return errors.New("away") }}
	f := &feeder{lanes: runtime.NewLanes(runtime.NewLane(runtime.LaneOptions{Name: "a", Sink: away, Spool: open()})), event: numbers()}
	f.add(10)
	f.until(t, "rows in the spool", func() bool { return f.lanes.Books()[0].Spooled == 10 })
	here := &server{}
	f.lanes.Change(runtime.Change{Lanes: []runtime.LaneChange{{LaneOptions: runtime.LaneOptions{Name: "a", Sink: here}, OpenSpool: open}}})
	f.add(10)
	f.until(t, "all rows", func() bool { return here.text() == numbersFrom(0, 20) })
	mustClose(t, f.lanes)
	books := f.lanes.Books()
	if len(books) != 2 || books[0].Spooled != 10 || books[1].Inherited != 10 || books[1].Shipped != 20 {
		t.Errorf("got books %+v", books)
	}
}

func TestRoutesSayWhereRowsGo(t *testing.T) {
	grain := &runtime.Grain{Name: "g"}
	row := func(event string, n int, sinks ...string) *runtime.Row {
		e := numbers(sinks...)
		e.Name = event
		r := numbered(e, n)
		r.Grain = grain
		return r
	}
	a, b := &server{}, &server{}
	lanes := runtime.NewLanes(laneOf("a", a), laneOf("b", b))
	lanes.Route(runtime.Routes{"g.one": {"a"}, "g.none": {}, "g.back": {"a", "b"}})
	rows := []*runtime.Row{row("one", 1), row("none", 2), row("back", 3, "b"), row("yaml", 4, "b"), row("all", 5)}
	for _, r := range rows {
		lanes.Add(r)
	}
	lanes.Change(runtime.Change{Lanes: []runtime.LaneChange{{LaneOptions: runtime.LaneOptions{Name: "a"}}, {LaneOptions: runtime.LaneOptions{Name: "b"}}}, Routes: runtime.Routes{"g.none": {"b"}}})
	for _, r := range rows {
		lanes.Add(r)
	}
	mustClose(t, lanes)
	sorted := func(s *server) string {
		words := strings.Fields(s.text())
		slices.Sort(words)
		return strings.Join(words, " ")
	}
	if got := sorted(a); got != "1 1 3 5 5" {
		t.Errorf("a got %s", got)
	}
	if got := sorted(b); got != "1 2 3 3 4 4 5 5" {
		t.Errorf("b got %s", got)
	}
}

// Rows come while sinks are added, replaced and removed at random: each sink
// has each row of its time once, in order, and the books account for all.
func TestChangesAtRandomLoseNoRow(t *testing.T) {
	names := []string{"a", "b", "c"}
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 1))
		type life struct {
			sink     *exclusive
			from, to int
		}
		var lives []*life
		running := map[string]*life{}
		ports := map[string]*atomic.Bool{}
		for _, name := range names {
			ports[name] = new(atomic.Bool)
		}
		f := &feeder{lanes: runtime.NewLanes(), event: numbers()}
		for range 30 {
			if random.IntN(3) > 0 {
				f.add(random.IntN(50))
				continue
			}
			var c runtime.Change
			next := map[string]*life{}
			for _, name := range names {
				switch choice := random.IntN(3); {
				case choice == 0: // there is none from now on
				case choice == 1 && running[name] != nil:
					c.Lanes = append(c.Lanes, runtime.LaneChange{LaneOptions: runtime.LaneOptions{Name: name}})
					next[name] = running[name]
				default:
					l := &life{sink: &exclusive{port: ports[name], busy: random.IntN(2)}, from: f.next, to: -1}
					c.Lanes = append(c.Lanes, runtime.LaneChange{LaneOptions: runtime.LaneOptions{Name: name, Sink: l.sink}})
					lives, next[name] = append(lives, l), l
				}
			}
			f.lanes.Change(c)
			for name, l := range running {
				if next[name] != l {
					l.to = f.next
				}
			}
			running = next
		}
		f.until(t, "all shipped", func() bool {
			pending := uint64(0)
			for _, b := range f.lanes.Books() {
				pending += b.Pending
			}
			return pending == 0
		})
		mustClose(t, f.lanes)
		var wanted, shipped uint64
		for i, l := range lives {
			if l.to < 0 {
				l.to = f.next
			}
			wanted += uint64(l.to - l.from)
			if got, want := l.sink.text(), numbersFrom(l.from, l.to); got != want {
				t.Fatalf("seed %d, life %d: got %q, want %q", seed, i, got, want)
			}
		}
		for _, b := range f.lanes.Books() {
			mustBalance(t, b)
			shipped += b.Shipped
		}
		if shipped != wanted {
			t.Fatalf("seed %d: the books say that %d rows were shipped, want %d", seed, shipped, wanted)
		}
	}
}
