// SPDX-License-Identifier: Apache-2.0

package journald_test

import (
	"bytes"
	"os"
	"testing"
	"time"

	"github.com/redsift/ingraind/generated/conn"
	"github.com/redsift/ingraind/generated/dns"
	"github.com/redsift/ingraind/generated/exec"
	"github.com/redsift/ingraind/runtime"
)

// measured is a sink that measures each row as it is encoded.
type measured struct {
	runtime.Sink
	rows, allocating int
	took, plain      time.Duration
}

func (m *measured) Encoding() runtime.Encoding { return measuring{m.Sink.Encoding(), m} }

type measuring struct {
	runtime.Encoding
	m *measured
}

func (e measuring) AppendRow(dst []byte, row *runtime.Row) []byte {
	buffer := e.Encoding.AppendRow(make([]byte, 0, 64<<10), row)
	if testing.AllocsPerRun(10, func() { buffer = e.Encoding.AppendRow(buffer[:0], row) }) != 0 {
		e.m.allocating++
	}
	e.m.took += least(func() { buffer = e.Encoding.AppendRow(buffer[:0], row) })
	e.m.plain += least(func() { buffer = runtime.NDJSON{}.AppendRow(buffer[:0], row) })
	e.m.rows++
	return e.Encoding.AppendRow(dst, row)
}

// least is the shortest of some times that f, called often, took: the machine
// does other things as well.
func least(f func()) time.Duration {
	shortest := time.Duration(1<<63 - 1)
	for range 20 {
		start := time.Now()
		for range 50 {
			f()
		}
		shortest = min(shortest, time.Since(start))
	}
	return shortest
}

func (m *measured) ship(t *testing.T, grain string) {
	t.Helper()
	recording, err := os.ReadFile("../../../grains/testdata/" + grain + ".rec")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := runtime.Replay(t.Context(), bytes.NewReader(recording), runtime.Options{
		Grains: []*runtime.Grain{exec.New(), conn.New(), dns.New()},
		Lanes:  []runtime.LaneOptions{{Name: "journald", Sink: m}},
	}); err != nil {
		t.Fatal(err)
	}
}

func TestRowsOfTheStockGrainsAllocateNothing(t *testing.T) {
	for _, grain := range []string{"exec", "conn", "dns"} {
		m := &measured{Sink: discard{open(t)}}
		m.ship(t, grain)
		t.Logf("%s: %d rows, %.2f times what NDJSON takes", grain, m.rows, float64(m.took)/float64(m.plain))
		if m.rows == 0 || m.allocating > 0 {
			t.Errorf("%s: %d of %d rows allocate", grain, m.allocating, m.rows)
		}
	}
}
