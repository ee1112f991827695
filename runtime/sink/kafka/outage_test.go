// SPDX-License-Identifier: Apache-2.0

package kafka_test

import (
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redsift/ingraind/runtime"
)

// arrival is a row as kcat found it in the topic.
type arrival struct {
	n            int
	batch, index string
}

// arrivals are all rows of the topic "rows", in the order of each partition.
func arrivals(t *testing.T, brokers string) (all []arrival) {
	t.Helper()
	for line := range strings.Lines(kcat(t, "-b", brokers, "-C", "-t", "rows", "-o", "beginning", "-e", "-q", "-f", `%s %h\n`)) {
		value, headers, _ := strings.Cut(strings.TrimSpace(line), " ")
		n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(value, `{"n":`), "}"))
		if err != nil {
			t.Fatalf("got row %q", line)
		}
		a := arrival{n: n}
		for _, header := range strings.Split(headers, ",") {
			name, value, _ := strings.Cut(header, "=")
			switch name {
			case "ingraind.batch":
				a.batch = value
			case "ingraind.index":
				a.index = value
			}
		}
		all = append(all, a)
	}
	return all
}

// mustHold wants each number up to rows, and what came twice to say so.
func mustHold(t *testing.T, all []arrival, rows int) (duplicates int) {
	t.Helper()
	seen, times := map[string]int{}, make([]int, rows)
	for _, a := range all {
		place := a.batch + " " + a.index
		if n, again := seen[place]; again {
			if duplicates++; n != a.n {
				t.Fatalf("%s is %d and %d", place, n, a.n)
			}
			continue
		}
		seen[place] = a.n
		times[a.n]++
	}
	wrong := 0
	for n, times := range times {
		if times != 1 {
			if wrong++; wrong < 5 {
				t.Errorf("number %d is there %d times, of different batches", n, times)
			}
		}
	}
	if wrong > 0 {
		t.Errorf("%d of %d numbers are not there once", wrong, rows)
	}
	return duplicates
}

// heard is what a lane tells.
type heard struct {
	mu   sync.Mutex
	said []string
}

func (h *heard) log(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.said = append(h.said, err.Error())
}

// times is how often something was told.
func (h *heard) times(what string) (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, text := range h.said {
		if strings.Contains(text, what) {
			n++
		}
	}
	return n
}

func TestEveryNumberArrivesThroughAllFaults(t *testing.T) {
	rows := 100_000
	if os.Getenv("INGRAIN_FULL") != "" {
		rows = 1_000_000
	}
	b := newBroker(t)
	spool, err := runtime.OpenSpool(runtime.SpoolOptions{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	var lane heard
	defer func() {
		if t.Failed() {
			t.Logf("the lane said:\n%s", strings.Join(lane.said, "\n"))
		}
	}()
	lanes := runtime.NewLanes(runtime.NewLane(runtime.LaneOptions{
		Name: "kafka", Sink: open(t, "brokers="+b.addresses(), "topic=rows", "timeout=1s"), Spool: spool, Log: lane.log,
	}))
	shipped := func() int { return int(lanes.Books()[0].Shipped) }
	e, added := numbers(), 0
	add := func(part int) { // up to so many tenths
		for ; added < part*rows/10; added++ {
			lanes.Add(numbered(e, added, ""))
		}
		lanes.Tick(time.Now().Add(time.Minute))
	}
	goesOn := func() {
		t.Helper()
		before := shipped()
		until(t, "more rows", func() bool { return shipped() > before })
	}

	add(1) // nobody listens
	until(t, "a refusal", func() bool { return lane.times("connection refused") > 0 })
	b.start()
	goesOn()

	if err := b.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	add(2)
	until(t, "a timeout", func() bool { return lane.times("no answer within 1s") > 0 })
	if err := b.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	goesOn()

	for part, what := range []string{"NOT_LEADER_FOR_PARTITION 3", "NOT_ENOUGH_REPLICAS 20", "REQUEST_TIMED_OUT 2"} {
		b.tell(what)
		code, _, _ := strings.Cut(what, " ")
		add(3 + part)
		until(t, code, func() bool { return b.tell("hits "+code) != "0" })
		goesOn()
	}
	b.tell("move")
	add(6)
	goesOn()
	b.tell("slow 3")
	add(7)
	until(t, "slow requests", func() bool { return b.tell("slowed") == "3" })
	goesOn()
	b.tell("lose 2")
	add(8)
	until(t, "lost answers", func() bool { return b.tell("lost") == "2" })
	goesOn()

	b.tell("slow 1")
	add(9)
	until(t, "a request", func() bool { return b.tell("slowed") == "4" })
	before := lane.times("connection refused")
	b.kill() // before it is done
	add(10)
	until(t, "another refusal", func() bool { return lane.times("connection refused") > before })
	b.start()
	until(t, "all rows", func() bool { lanes.Tick(time.Now().Add(time.Minute)); return shipped() == rows })
	if err := lanes.Close(t.Context()); err != nil {
		t.Error(err)
	}
	books := lanes.Books()[0]
	if books.Dropped != 0 || books.Retries == 0 || books.Shipped != books.In {
		t.Errorf("got %+v, want all rows shipped, with retries", books)
	}
	if lane.times("topic rows: NOT_ENOUGH_REPLICAS: fewer replicas") == 0 {
		t.Errorf("the lane told %q, and nothing of NOT_ENOUGH_REPLICAS", lane.said)
	}
	all := arrivals(t, b.addresses())
	duplicates := mustHold(t, all, rows)
	t.Logf("%d numbers in %d records, %d of them again; %d retries", rows, len(all), duplicates, books.Retries)
}
