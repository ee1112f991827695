// SPDX-License-Identifier: Apache-2.0

package prometheus_test

import (
	"math"

	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/agg"
)

// The rows of these tests are of a table with a column or a cell of each kind,
// made from values; what generated tables make is in golden_test.go.

// made describes rows of values.
func made(name string, key []runtime.Field, cells []runtime.Field, values *[]runtime.Value) *runtime.Event {
	e := &runtime.Event{Name: name, Stream: true, Table: &runtime.Table{Name: name}}
	for _, f := range key {
		e.Table.Key = append(e.Table.Key, runtime.KeyColumn{Field: f})
	}
	e.Fields = append(append(e.Fields, key...), cells...)
	e.AppendValues = func(dst []runtime.Value, _ runtime.Record) []runtime.Value { return append(dst, *values...) }
	return e
}

// tableRow is a row of it; flags are 1 for that of all keys past the bound.
func tableRow(e *runtime.Event, flags byte) *runtime.Row {
	body := make([]byte, 16)
	body[8] = flags
	return &runtime.Row{Grain: &runtime.Grain{Name: "g"}, Event: e, Record: runtime.Record{Weight: 1, Body: body}}
}

func field(name string, t runtime.Type) runtime.Field { return runtime.Field{Name: name, Type: t} }

func cellOf(name string, t runtime.Type, c agg.Cell) runtime.Field {
	return runtime.Field{Name: name, Type: t, Cell: &c}
}

func number(n int64) runtime.Value {
	return runtime.Value{Type: runtime.TypeUint, Num: uint64(n)}
}

func float(x float64) runtime.Value {
	return runtime.Value{Type: runtime.TypeFloat, Num: math.Float64bits(x)}
}

// all is a row with a cell of each kind.
func all() (*runtime.Event, *[]runtime.Value) {
	signed := func(k agg.Kind) agg.Cell { return agg.Cell{Kind: k, Signed: true} }
	values := &[]runtime.Value{
		{Type: runtime.TypeString, Bytes: []byte("a b|c:d,e#f@g\nh.i\x00rest")},
		{Type: runtime.TypeText, Bytes: []byte("/bin/x\xff"), State: runtime.TailSet},
		{Type: runtime.TypeIP, Bytes: []byte("\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01")},
		{Type: runtime.TypeErrno},
		{Type: runtime.TypeDuration, Num: 1234567},
		number(7), number(-3), float(1.5), number(-2), number(2), number(0), number(9), float(-0.5), {Null: true}, float(math.NaN()),
		{Type: runtime.TypeHistogram, Cell: []uint64{1, 0, 2, 0, 0, 0, 0, 0, 0}},
		{Type: runtime.TypeHistogram, Cell: []uint64{3, 0, 4}},
		{Type: runtime.TypeQuantiles, Cell: []uint64{math.Float64bits(1), math.Float64bits(2.5), math.Float64bits(3), math.Float64bits(1e21)}},
		{Type: runtime.TypeTop, Num: 0},
	}
	return made("t", []runtime.Field{
		field("comm", runtime.TypeString), field("exe", runtime.TypeText), field("peer", runtime.TypeIP),
		field("error", runtime.TypeErrno), field("took", runtime.TypeDuration),
	}, []runtime.Field{
		cellOf("n", runtime.TypeUint, agg.Cell{Kind: agg.Count}),
		cellOf("total", runtime.TypeInt, signed(agg.Sum)),
		cellOf("mean", runtime.TypeUint, agg.Cell{Kind: agg.Mean}),
		cellOf("low", runtime.TypeInt, signed(agg.Min)),
		cellOf("high", runtime.TypeInt, signed(agg.Max)),
		cellOf("newest", runtime.TypeUint, agg.Cell{Kind: agg.Last}),
		cellOf("kinds", runtime.TypeUint, agg.Cell{Kind: agg.Distinct}),
		cellOf("below", runtime.TypeInt, signed(agg.Mean)),
		cellOf("none", runtime.TypeUint, agg.Cell{Kind: agg.Mean}),
		cellOf("nan", runtime.TypeUint, agg.Cell{Kind: agg.Mean}),
		cellOf("sizes", runtime.TypeBytes, agg.Cell{Kind: agg.Exp2, Bits: 8}),
		cellOf("parts", runtime.TypeInt, agg.Cell{Kind: agg.Buckets, Signed: true, Bounds: []int64{-5, 10}}),
		cellOf("spread", runtime.TypeUint, agg.Cell{Kind: agg.Quantiles}),
		cellOf("often", runtime.TypeString, agg.Cell{Kind: agg.Top, N: 3}),
	}, values), values
}
