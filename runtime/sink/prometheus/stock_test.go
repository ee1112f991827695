// SPDX-License-Identifier: Apache-2.0

package prometheus_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/redsift/ingraind/generated/conn"
	"github.com/redsift/ingraind/generated/dns"
	"github.com/redsift/ingraind/generated/exec"
	"github.com/redsift/ingraind/runtime"
)

// stockRows is an encoding that calls each with the rows of the stock grains.
type stockRows struct {
	runtime.Encoding
	each func(row *runtime.Row)
}

func (s stockRows) AppendRow(dst []byte, row *runtime.Row) []byte {
	s.each(row)
	return s.Encoding.AppendRow(dst, row)
}

// shell is a sink with another encoding, that outlives its lane.
type shell struct {
	runtime.Sink
	encoding runtime.Encoding
}

func (s shell) Encoding() runtime.Encoding { return s.encoding }
func (s shell) Close() error               { return nil }

func replay(t testing.TB, sink runtime.Sink, each func(row *runtime.Row)) {
	t.Helper()
	for _, grain := range []string{"conn", "dns", "exec"} {
		recording, err := os.ReadFile(filepath.Join("../../../grains/testdata", grain+".rec"))
		if err != nil {
			t.Fatal(err)
		}
		ledger, err := runtime.Replay(t.Context(), bytes.NewReader(recording), runtime.Options{
			Grains: []*runtime.Grain{exec.New(), conn.New(), dns.New()},
			Lanes:  []runtime.LaneOptions{{Name: "prometheus", Sink: shell{sink, stockRows{sink.Encoding(), each}}}},
		})
		if err != nil || ledger.Losses() != 0 {
			t.Fatalf("got %v and %d losses", err, ledger.Losses())
		}
	}
}

func TestRowsOfTheStockGrainsAreCountedWithoutAllocations(t *testing.T) {
	s := open(t)
	var dst []byte
	rows, connections := 0, uint64(0)
	replay(t, s, func(row *runtime.Row) {
		rows++
		if row.Event.Name == "peers" {
			connections += row.Event.AppendValues(nil, row.Record)[len(row.Event.Table.Key)].Num
		}
		dst = s.Encoding().AppendRow(dst[:0], row)
		if n := testing.AllocsPerRun(10, func() { dst = s.Encoding().AppendRow(dst[:0], row) }); n != 0 {
			t.Errorf("%s: got %v allocations, want none", row.Event.Name, n)
		}
	})
	if rows == 0 || connections == 0 {
		t.Fatalf("got %d rows of %d connections", rows, connections)
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
	replay(b, open(b), func(row *runtime.Row) {
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
