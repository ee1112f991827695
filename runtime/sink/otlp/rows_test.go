// SPDX-License-Identifier: Apache-2.0

package otlp_test

import (
	"math"
	"testing"

	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/agg"
	"github.com/redsift/ingraind/runtime/sink/otlp"
	"github.com/redsift/ingraind/runtime/sinktest"
)

// open opens the sink with settings such as "protocol=grpc".
func open(t testing.TB, settings ...string) runtime.Sink {
	t.Helper()
	sink := sinktest.Open(t, otlp.Part(), settings...)
	t.Cleanup(func() { sink.Close() })
	return sink
}

func tryOpen(settings ...string) (runtime.Sink, error) {
	return otlp.Part().Open(sinktest.Settings(otlp.Part(), settings...))
}

// all is a row with a cell of each kind.
func all() (*runtime.Event, *[]runtime.Value) {
	signed := func(k agg.Kind) agg.Cell { return agg.Cell{Kind: k, Signed: true} }
	values := &[]runtime.Value{
		{Type: runtime.TypeString, Bytes: []byte("a b\xff\x00rest")},
		{Type: runtime.TypeUser, Num: 1000},
		{Type: runtime.TypeIP, Bytes: []byte("\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01")},
		{Type: runtime.TypeErrno},
		sinktest.Number(7), sinktest.Number(-3), sinktest.Float(1.5), sinktest.Number(-2), sinktest.Number(2), sinktest.Number(0), sinktest.Number(9), {Null: true}, sinktest.Float(math.NaN()),
		{Type: runtime.TypeHistogram, Cell: []uint64{1, 0, 2, 3, 0, 0, 0, 0, 0}},
		{Type: runtime.TypeHistogram, Cell: []uint64{3, 0, 4}},
		{Type: runtime.TypeQuantiles, Cell: []uint64{math.Float64bits(1), math.Float64bits(2.5), math.Float64bits(3), math.Float64bits(1e21)}},
		{Type: runtime.TypeTop},
		sinktest.Number(-1),
	}
	return sinktest.Made("t", []runtime.Field{
		{Name: "comm", Type: runtime.TypeString}, {Name: "uid", Type: runtime.TypeUser},
		{Name: "peer", Type: runtime.TypeIP}, {Name: "why", Type: runtime.TypeErrno},
	}, []runtime.Field{
		sinktest.CellOf("n", runtime.TypeUint, agg.Cell{Kind: agg.Count}),
		sinktest.CellOf("total", runtime.TypeInt, signed(agg.Sum)),
		sinktest.CellOf("mean", runtime.TypeDuration, agg.Cell{Kind: agg.Mean}),
		sinktest.CellOf("low", runtime.TypeInt, signed(agg.Min)),
		sinktest.CellOf("high", runtime.TypeInt, signed(agg.Max)),
		sinktest.CellOf("newest", runtime.TypeUint, agg.Cell{Kind: agg.Last}),
		sinktest.CellOf("kinds", runtime.TypeUint, agg.Cell{Kind: agg.Distinct}),
		sinktest.CellOf("none", runtime.TypeUint, agg.Cell{Kind: agg.Mean}),
		sinktest.CellOf("nan", runtime.TypeUint, agg.Cell{Kind: agg.Mean}),
		sinktest.Summed(sinktest.CellOf("sizes", runtime.TypeBytes, agg.Cell{Kind: agg.Exp2, Bits: 8})),
		sinktest.CellOf("parts", runtime.TypeInt, agg.Cell{Kind: agg.Buckets, Signed: true, Bounds: []int64{-5, 10}}),
		sinktest.CellOf("spread", runtime.TypeUint, agg.Cell{Kind: agg.Quantiles}),
		sinktest.CellOf("often", runtime.TypeString, agg.Cell{Kind: agg.Top, N: 3}),
		sinktest.CellOf("huge", runtime.TypeUint, agg.Cell{Kind: agg.Sum}),
	}, values), values
}
