// SPDX-License-Identifier: Apache-2.0

// Package runtimetest runs grains inside a test, on the kernel the test runs
// on, and gives the test their rows and the books.
package runtimetest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redsift/ingraind/runtime"
)

// Row is a row as JSON says it.
type Row map[string]any

// Get is the value at a dotted path: "who.pid". Numbers are json.Number.
func (r Row) Get(path string) any {
	var at any = map[string]any(r)
	for name := range strings.SplitSeq(path, ".") {
		object, ok := at.(map[string]any)
		if !ok {
			return nil
		}
		at = object[name]
	}
	return at
}

// Int is the number at a path; 0 when there is none.
func (r Row) Int(path string) int64 {
	n, ok := r.Get(path).(json.Number)
	if !ok {
		return 0
	}
	i, _ := n.Int64()
	return i
}

// Text is the string at a path; "" when there is none.
func (r Row) Text(path string) string {
	s, _ := r.Get(path).(string)
	return s
}

// Agent is grains at work.
type Agent struct {
	Plans []*runtime.Plan // of the grains that run

	t      testing.TB
	sink   *memory
	cancel context.CancelFunc
	done   chan struct{}
	ledger runtime.Ledger
	err    error
}

// Start runs grains until Stop, or the end of the test, with a sink that keeps
// every row. It fails the test when the grains do not start within 2 minutes,
// which is much for a machine and not for one that is emulated. Other
// options than Grains, Lanes, Started and Log are o's.
func Start(t testing.TB, o runtime.Options, grains ...*runtime.Grain) *Agent {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("this test loads eBPF programs: run it as root")
	}
	ctx, cancel := context.WithCancel(context.Background())
	a := &Agent{t: t, sink: &memory{}, cancel: cancel, done: make(chan struct{})}
	started := make(chan []*runtime.Plan, 1)
	log := &bytes.Buffer{}
	o.Grains = grains
	o.Lanes = append(o.Lanes, runtime.LaneOptions{Name: "memory", Sink: a.sink, Limit: 1 << 30})
	o.Started = func(p []*runtime.Plan) { started <- p }
	o.Log = slog.New(slog.NewTextHandler(log, nil))
	go func() {
		defer close(a.done)
		a.ledger, a.err = runtime.Run(ctx, o)
	}()
	select {
	case a.Plans = <-started:
	case <-a.done:
		t.Fatalf("the grains did not start: %v\n%s", a.err, log)
	case <-time.After(2 * time.Minute):
		t.Fatal("the grains did not start within 2 minutes")
	}
	t.Cleanup(func() { a.stop() })
	return a
}

// Replay is the rows that a recording is replayed to, and the books.
func Replay(t testing.TB, recording io.Reader, grains ...*runtime.Grain) ([]Row, runtime.Ledger) {
	t.Helper()
	sink := &memory{}
	ledger, err := runtime.Replay(t.Context(), recording, runtime.Options{
		Grains: grains, Lanes: []runtime.LaneOptions{{Name: "memory", Sink: sink, Limit: 1 << 30}},
	})
	if err != nil {
		t.Fatalf("replay: %v", err)
	}
	return sink.all(), ledger
}

// Wait returns once n rows of an event are there, or fails the test after 30 s.
func (a *Agent) Wait(event string, n int) []Row {
	a.t.Helper()
	return a.WaitFor(n, func(r Row) bool { return r.Text("event") == event })
}

// WaitFor returns once n rows are there that match, or fails the test after 30 s.
func (a *Agent) WaitFor(n int, match func(Row) bool) []Row {
	a.t.Helper()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		var found []Row
		for _, r := range a.sink.all() {
			if match(r) {
				found = append(found, r)
			}
		}
		if len(found) >= n {
			return found
		}
		if time.Now().After(end) {
			a.t.Fatalf("got %d matching rows after 30 s, want %d", len(found), n)
		}
	}
}

// Stop ends the agent and returns all rows and the books; it fails the test
// when the agent ended with an error or the books do not balance.
func (a *Agent) Stop() ([]Row, runtime.Ledger) {
	a.t.Helper()
	a.stop()
	if a.err != nil {
		a.t.Fatalf("agent: %v", a.err)
	}
	if err := a.ledger.Balance(); err != nil {
		a.t.Errorf("the books do not balance: %v", err)
	}
	return a.sink.all(), a.ledger
}

func (a *Agent) stop() {
	a.cancel()
	<-a.done
}

// memory is a sink that keeps every row.
type memory struct {
	mu    sync.Mutex
	lines [][]byte
	rows  []Row
}

func (*memory) Encoding() runtime.Encoding { return runtime.NDJSON{} }

// Age makes memory a prompt sink.
func (*memory) Age() time.Duration { return 100 * time.Millisecond }

func (m *memory) Ship(_ context.Context, b *runtime.Batch) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lines = append(m.lines, bytes.Clone(b.Bytes))
	return nil
}

func (*memory) Close() error { return nil }

// all parses what has come.
func (m *memory) all() []Row {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, lines := range m.lines {
		for line := range bytes.Lines(lines) {
			var r Row
			d := json.NewDecoder(bytes.NewReader(line))
			d.UseNumber()
			if err := d.Decode(&r); err != nil {
				panic(fmt.Sprintf("a row is no JSON: %v: %s", err, line))
			}
			m.rows = append(m.rows, r)
		}
	}
	m.lines = nil
	return m.rows
}
