// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"bytes"
	"context"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/redsift/ingraind/generated/conn"
	"github.com/redsift/ingraind/generated/dns"
	"github.com/redsift/ingraind/generated/exec"
	"github.com/redsift/ingraind/generated/priv"
	"github.com/redsift/ingraind/runtime"
)

var update = flag.Bool("update", false, "record the goldens anew, as root")

// stock are the grains that have goldens: NAME.rec, what the kernel wrote, and
// NAME.ndjson, the rows that it is replayed to.
func stock() []*runtime.Grain { return []*runtime.Grain{exec.New(), conn.New(), dns.New(), priv.New()} }

func goldenFile(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatalf("%v (go test -run Golden -update, as root, records it)", err)
	}
	return text
}

// gathered is a sink that keeps the bytes it was shipped.
type gathered struct{ bytes.Buffer }

func (*gathered) Encoding() runtime.Encoding { return runtime.NDJSON{} }
func (*gathered) Close() error               { return nil }
func (g *gathered) Ship(_ context.Context, b *runtime.Batch) error {
	g.Write(b.Bytes)
	return nil
}

// replayed are the rows of a recording.
func replayed(t testing.TB, recording []byte) []byte {
	t.Helper()
	sink := &gathered{}
	ledger, err := runtime.Replay(context.Background(), bytes.NewReader(recording), runtime.Options{
		Grains: stock(),
		Lanes:  []runtime.LaneOptions{{Name: "memory", Sink: sink}},
	})
	must(t, err)
	if lost := ledger.Losses(); lost != 0 {
		t.Errorf("%d records were lost, want 0", lost)
	}
	return sink.Bytes()
}

func TestReplayOfGoldenGivesItsRows(t *testing.T) {
	for _, g := range stock() {
		t.Run(g.Name, func(t *testing.T) {
			if *update {
				record(t, g)
			}
			got := replayed(t, goldenFile(t, g.Name+".rec"))
			parse(t, got)
			if *update {
				must(t, os.WriteFile(filepath.Join("testdata", g.Name+".ndjson"), got, 0o644))
			}
			if diff := cmp.Diff(string(goldenFile(t, g.Name+".ndjson")), string(got)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// goldenRecord is a record of a golden, as the kernel wrote it, and the event it
// is of.
type goldenRecord struct {
	event  int
	record runtime.Record
}

// goldenRecords are the records of a grain's golden, in memory of their own.
func goldenRecords(t testing.TB, g *runtime.Grain) (records []goldenRecord) {
	t.Helper()
	in, err := runtime.NewRecordingReader(bytes.NewReader(goldenFile(t, g.Name+".rec")))
	must(t, err)
	for {
		raw, offset, err := in.Next()
		if err == io.EOF {
			return records
		}
		must(t, err)
		head, ok := runtime.ParseHead(raw)
		if !ok || int(head.Event) >= len(g.Events) {
			t.Fatalf("a record of %s is none of its events: % x", g.Name, raw)
		}
		records = append(records, goldenRecord{int(head.Event), runtime.Record{
			Time: int64(head.Time) + offset, Offset: offset, Weight: head.Weight, Body: bytes.Clone(raw[runtime.HeadSize:]),
		}})
	}
}

func TestGoldenHasEveryEvent(t *testing.T) {
	for _, g := range stock() {
		count := make([]int, len(g.Events))
		for _, r := range goldenRecords(t, g) {
			count[r.event]++
		}
		for i, n := range count {
			if n == 0 && g.Events[i].Stream { // what only tables count is never sent
				t.Errorf("%s: no record of %s", g.Name, g.Events[i].Name)
			}
		}
	}
}

func TestFromRecordToJSONNothingIsAllocated(t *testing.T) {
	for _, g := range stock() {
		records := goldenRecords(t, g)
		line := make([]byte, 0, 1<<20)
		values := make([]runtime.Value, 0, 64)
		var memory []byte
		n := testing.AllocsPerRun(100, func() {
			for _, r := range records {
				e := &g.Events[r.event]
				if !e.Check(r.record.Body) {
					t.Fatalf("a record of %s.%s is not whole", g.Name, e.Name)
				}
				whole := r.record
				whole.Body, _ = e.Whole(&memory, r.record.Body)
				line = e.AppendJSON(line[:0], whole)
				values = e.AppendValues(values[:0], whole)
			}
		})
		if n != 0 {
			t.Errorf("%s: got %v allocations for %d records, want 0", g.Name, n, len(records))
		}
	}
}
