// SPDX-License-Identifier: Apache-2.0

package sinktest

import (
	"encoding/binary"
	"math"

	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/agg"
)

// Made is a table's event whose rows have the values; a table's rows as the
// generator makes them are those of the stock grains.
func Made(name string, key, cells []runtime.Field, values *[]runtime.Value) *runtime.Event {
	e := &runtime.Event{Name: name, Stream: true, Table: &runtime.Table{Name: name}}
	for _, f := range key {
		e.Table.Key = append(e.Table.Key, runtime.KeyColumn{Field: f})
	}
	e.Fields = append(append(e.Fields, key...), cells...)
	e.AppendValues = func(dst []runtime.Value, _ runtime.Record) []runtime.Value { return append(dst, *values...) }
	return e
}

// When rows of tables are of, and what is in them beside the values.
const (
	TableTime     = 1_700_000_000_000_000_123
	TableInterval = 10e9
	TableEvents   = 42   // word 0
	TableSum      = 1000 // word 1
)

// TableRow is a row of it, of the grain g; pastBound is that of all keys past
// the table's bound.
func TableRow(e *runtime.Event, pastBound bool) *runtime.Row {
	body := binary.LittleEndian.AppendUint64(nil, TableInterval)
	flags := uint64(0)
	if pastBound {
		flags = 1
	}
	body = binary.LittleEndian.AppendUint64(body, flags)
	body = binary.LittleEndian.AppendUint64(body, TableEvents)
	body = binary.LittleEndian.AppendUint64(body, TableSum)
	return &runtime.Row{Grain: &runtime.Grain{Name: "g"}, Event: e, Record: runtime.Record{Time: TableTime, Weight: 1, Body: body}}
}

// Field is one of a key.
func Field(name string, t runtime.Type) runtime.Field { return runtime.Field{Name: name, Type: t} }

// CellOf is a field that counts.
func CellOf(name string, t runtime.Type, c agg.Cell) runtime.Field {
	return runtime.Field{Name: name, Type: t, Cell: &c}
}

// Summed is a field with a histogram or quantiles whose sum is TableSum.
func Summed(f runtime.Field) runtime.Field {
	f.Sum = 1
	return f
}

// Number is the value of a whole number.
func Number(n int64) runtime.Value { return runtime.Value{Type: runtime.TypeUint, Num: uint64(n)} }

// Float is the value of another one.
func Float(x float64) runtime.Value {
	return runtime.Value{Type: runtime.TypeFloat, Num: math.Float64bits(x)}
}

// AllCells is a table with a column or a cell of each kind, and the values of
// its row.
func AllCells() (*runtime.Event, *[]runtime.Value) {
	signed := func(k agg.Kind) agg.Cell { return agg.Cell{Kind: k, Signed: true} }
	values := &[]runtime.Value{
		{Type: runtime.TypeString, Bytes: []byte("a b|c:d,e#f@g\nh.i\x00rest")},
		{Type: runtime.TypeText, Bytes: []byte("/bin/x\xff"), State: runtime.TailSet},
		{Type: runtime.TypeIP, Bytes: []byte("\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01")},
		{Type: runtime.TypeErrno},
		{Type: runtime.TypeDuration, Num: 1234567},
		Number(7), Number(-3), Float(1.5), Number(-2), Number(2), Number(0), Number(9), Float(-0.5), {Null: true}, Float(math.NaN()),
		{Type: runtime.TypeHistogram, Cell: []uint64{1, 0, 2, 0, 0, 0, 0, 0, 0}},
		{Type: runtime.TypeHistogram, Cell: []uint64{3, 0, 4}},
		{Type: runtime.TypeQuantiles, Cell: []uint64{math.Float64bits(1), math.Float64bits(2.5), math.Float64bits(3), math.Float64bits(1e21)}},
		{Type: runtime.TypeTop, Num: 0},
	}
	return Made("t", []runtime.Field{
		Field("comm", runtime.TypeString), Field("exe", runtime.TypeText), Field("peer", runtime.TypeIP),
		Field("error", runtime.TypeErrno), Field("took", runtime.TypeDuration),
	}, []runtime.Field{
		CellOf("n", runtime.TypeUint, agg.Cell{Kind: agg.Count}),
		CellOf("total", runtime.TypeInt, signed(agg.Sum)),
		CellOf("mean", runtime.TypeUint, agg.Cell{Kind: agg.Mean}),
		CellOf("low", runtime.TypeInt, signed(agg.Min)),
		CellOf("high", runtime.TypeInt, signed(agg.Max)),
		CellOf("newest", runtime.TypeUint, agg.Cell{Kind: agg.Last}),
		CellOf("kinds", runtime.TypeUint, agg.Cell{Kind: agg.Distinct}),
		CellOf("below", runtime.TypeInt, signed(agg.Mean)),
		CellOf("none", runtime.TypeUint, agg.Cell{Kind: agg.Mean}),
		CellOf("nan", runtime.TypeUint, agg.Cell{Kind: agg.Mean}),
		Summed(CellOf("sizes", runtime.TypeBytes, agg.Cell{Kind: agg.Exp2, Bits: 8})),
		CellOf("parts", runtime.TypeInt, agg.Cell{Kind: agg.Buckets, Signed: true, Bounds: []int64{-5, 10}}),
		Summed(CellOf("spread", runtime.TypeUint, agg.Cell{Kind: agg.Quantiles})),
		CellOf("often", runtime.TypeString, agg.Cell{Kind: agg.Top, N: 3}),
	}, values), values
}
