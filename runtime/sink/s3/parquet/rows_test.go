// SPDX-License-Identifier: Apache-2.0

package parquet_test

import (
	"bytes"
	"context"
	"os"
	"testing"
	"time"

	"github.com/redsift/ingraind/generated/conn"
	"github.com/redsift/ingraind/generated/exec"
	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/sink/s3"
	"github.com/redsift/ingraind/runtime/sink/s3/parquet"
)

// kept is a sink of files, which keeps batches and measures each row as it is
// encoded.
type kept struct {
	batches          []runtime.Batch
	rows, allocating int
	took, plain      time.Duration
	size, plainSize  int
}

func (k *kept) Encoding() runtime.Encoding {
	return measuring{parquet.Format().Encoding().(runtime.Headed), k}
}
func (k *kept) Partition() runtime.Partition { return parquet.Format().Partition }
func (k *kept) Close() error                 { return nil }

func (k *kept) Ship(_ context.Context, b *runtime.Batch) error {
	batch := *b
	batch.Bytes = bytes.Clone(b.Bytes)
	k.batches = append(k.batches, batch)
	return nil
}

type measuring struct {
	runtime.Headed
	kept *kept
}

func (m measuring) AppendRow(dst []byte, row *runtime.Row) []byte {
	buffer := m.Headed.AppendRow(make([]byte, 0, 64<<10), row)
	if testing.AllocsPerRun(10, func() { buffer = m.Headed.AppendRow(buffer[:0], row) }) != 0 {
		m.kept.allocating++
	}
	m.kept.took += least(func() { buffer = m.Headed.AppendRow(buffer[:0], row) })
	m.kept.size += len(buffer)
	m.kept.plain += least(func() { buffer = runtime.NDJSON{}.AppendRow(buffer[:0], row) })
	m.kept.plainSize += len(buffer)
	m.kept.rows++
	return m.Headed.AppendRow(dst, row)
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

// stock is the batches of what a recording of a stock grain holds.
func stock(t testing.TB, grain string) *kept {
	t.Helper()
	recording, err := os.ReadFile("../../../../grains/testdata/" + grain + ".rec")
	if err != nil {
		t.Fatal(err)
	}
	k := &kept{}
	if _, err := runtime.Replay(t.Context(), bytes.NewReader(recording), runtime.Options{
		Grains: []*runtime.Grain{exec.New(), conn.New()},
		Lanes:  []runtime.LaneOptions{{Name: "s3", Sink: k}},
	}); err != nil {
		t.Fatal(err)
	}
	return k
}

func TestRowsOfTheStockGrainsAllocateNothingAndCostNoMoreThanThriceNDJSON(t *testing.T) {
	for _, grain := range []string{"exec", "conn"} {
		k := stock(t, grain)
		times := float64(k.took) / float64(k.plain)
		t.Logf("%s: %d rows, %.2f times what NDJSON takes, in %.2f of its bytes", grain, k.rows, times, float64(k.size)/float64(k.plainSize))
		if k.size >= k.plainSize {
			t.Errorf("%s: got %d bytes, want fewer than the %d of NDJSON", grain, k.size, k.plainSize)
		}
		if k.rows == 0 || k.allocating > 0 || times > 3 {
			t.Errorf("%s: %d of %d rows allocate, and they take %.2f times what NDJSON takes, want none and 3", grain, k.allocating, k.rows, times)
		}
	}
}

func TestEachBatchIsAFileOfOneEvent(t *testing.T) {
	seen := map[string]int{}
	for _, grain := range []string{"exec", "conn"} {
		for _, b := range stock(t, grain).batches {
			for _, c := range []s3.Compression{s3.Zstd, s3.Gzip, s3.None} {
				file, err := parquet.Format().Content(b.Bytes, s3.Packing{Compression: c})
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.HasPrefix(file, []byte("PAR1")) || !bytes.HasSuffix(file, []byte("PAR1")) {
					t.Errorf("%s.%s, %s: got %d bytes that are no file", b.Grain, b.Event, c, len(file))
				}
			}
			seen[b.Grain+"."+b.Event] += b.Rows
		}
	}
	for _, name := range []string{"exec.exec", "exec.exit", "exec.ends", "conn.connect", "conn.close", "conn.peers"} {
		if seen[name] == 0 {
			t.Errorf("got no rows of %s, only %v", name, seen)
		}
	}
}
