// SPDX-License-Identifier: Apache-2.0

package prometheus_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/sinktest"
)

const recordings = "../../../grains/testdata"

func TestRowsOfTheStockGrainsAreCountedWithoutAllocations(t *testing.T) {
	s := open(t)
	var dst, all []byte
	rows, connections := 0, uint64(0)
	sinktest.Stock(t, recordings, func(row *runtime.Row) {
		rows++
		if row.Event.Name == "peers" {
			connections += row.Event.AppendValues(nil, row.Record)[len(row.Event.Table.Key)].Num
		}
		all = s.Encoding().AppendRow(all, row)
		dst = s.Encoding().AppendRow(dst[:0], row)
		if n := testing.AllocsPerRun(10, func() { dst = s.Encoding().AppendRow(dst[:0], row) }); n != 0 {
			t.Errorf("%s: got %v allocations, want none", row.Event.Name, n)
		}
	})
	if rows == 0 || connections == 0 {
		t.Fatalf("got %d rows of %d connections", rows, connections)
	}
	if err := s.Ship(t.Context(), &runtime.Batch{Bytes: all}); err != nil {
		t.Fatal(err)
	}
	got := 0.0
	for line := range strings.Lines(scrape(t, s, "")) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "} "); ok && strings.HasPrefix(name, "ingraind_conn_peers_connections_total{") {
			got += parse(t, value)
		}
	}
	if got != float64(connections) {
		t.Errorf("got %v connections, want %d", got, connections)
	}
}

func parse(t testing.TB, text string) float64 {
	t.Helper()
	x, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// Run them together: what a row costs beside console's.
func BenchmarkRow(b *testing.B)    { benchmark(b, open(b).Encoding()) }
func BenchmarkNDJSON(b *testing.B) { benchmark(b, runtime.NDJSON{}) }

func benchmark(b *testing.B, e runtime.Encoding) {
	var dst []byte
	measured := map[string]bool{}
	sinktest.Stock(b, recordings, func(row *runtime.Row) {
		if name := row.Event.Name; !measured[name] {
			measured[name] = true
			b.Run(name, func(b *testing.B) {
				for b.Loop() {
					dst = e.AppendRow(dst[:0], row)
				}
			})
		}
	})
}
