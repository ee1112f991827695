// SPDX-License-Identifier: Apache-2.0

package sinktest

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/redsift/ingraind/generated/conn"
	"github.com/redsift/ingraind/generated/exec"
	"github.com/redsift/ingraind/runtime"
)

// Stock gives each the rows of the stock grains that were recorded in folder,
// grains/testdata: first those of conn.
func Stock(t testing.TB, folder string, each func(*runtime.Row)) {
	t.Helper()
	for _, grain := range []string{"conn", "exec"} {
		StockOf(t, folder, grain, each)
	}
}

// StockOf is Stock of one recording.
func StockOf(t testing.TB, folder, grain string, each func(*runtime.Row)) {
	t.Helper()
	recording, err := os.ReadFile(filepath.Join(folder, grain+".rec"))
	if err != nil {
		t.Fatal(err)
	}
	ledger, err := runtime.Replay(t.Context(), bytes.NewReader(recording), runtime.Options{
		Grains: []*runtime.Grain{exec.New(), conn.New()},
		Lanes:  []runtime.LaneOptions{{Name: "rows", Sink: seen{each}}},
	})
	if err != nil || ledger.Losses() != 0 {
		t.Fatalf("got %v and %d losses", err, ledger.Losses())
	}
}

// seen is a sink whose rows are seen as they are encoded.
type seen struct{ each func(*runtime.Row) }

func (s seen) Encoding() runtime.Encoding               { return s }
func (seen) Name() string                               { return "seen" }
func (seen) Close() error                               { return nil }
func (seen) Ship(context.Context, *runtime.Batch) error { return nil }
func (s seen) AppendRow(dst []byte, row *runtime.Row) []byte {
	s.each(row)
	return append(dst, '\n')
}

// MustAllocateNothing wants the encoding to take rows of the stock grains
// without an allocation, and logs how long it takes.
func MustAllocateNothing(t *testing.T, folder string, encoding runtime.Encoding) {
	t.Helper()
	rows, allocating := 0, 0
	var took, plain time.Duration
	dst := make([]byte, 0, 64<<10)
	Stock(t, folder, func(row *runtime.Row) {
		dst = encoding.AppendRow(dst[:0], row)
		if testing.AllocsPerRun(10, func() { dst = encoding.AppendRow(dst[:0], row) }) != 0 {
			allocating++
		}
		took += least(func() { dst = encoding.AppendRow(dst[:0], row) })
		plain += least(func() { dst = runtime.NDJSON{}.AppendRow(dst[:0], row) })
		rows++
	})
	t.Logf("%d rows, %.2f times what NDJSON takes", rows, float64(took)/float64(plain))
	if rows == 0 || allocating > 0 {
		t.Errorf("%d of %d rows allocate", allocating, rows)
	}
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
