// SPDX-License-Identifier: Apache-2.0

package otlp_test

import (
	"encoding/binary"
	"math"
	"strings"
	"testing"

	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/agg"
	"github.com/redsift/ingraind/runtime/sink/otlp"
)

// open opens the sink with settings such as "protocol=grpc".
func open(t testing.TB, settings ...string) runtime.Sink {
	t.Helper()
	sink, err := tryOpen(settings...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sink.Close() })
	return sink
}

func tryOpen(settings ...string) (runtime.Sink, error) {
	s := runtime.Settings{}
	for _, d := range otlp.Part().Settings {
		s[d.Name] = d.Default
	}
	for _, pair := range settings {
		name, value, _ := strings.Cut(pair, "=")
		s[name] = value
	}
	return otlp.Part().Open(s)
}

const atTime = 1_700_000_000_000_000_123

// numbers is a stream whose rows have a number.
func numbers() *runtime.Event {
	return &runtime.Event{Name: "number", Stream: true, Fields: []runtime.Field{{Name: "n", Type: runtime.TypeUint}},
		AppendValues: func(dst []runtime.Value, r runtime.Record) []runtime.Value {
			return append(dst, runtime.Value{Type: runtime.TypeUint, Num: binary.LittleEndian.Uint64(r.Body)})
		}}
}

func numbered(g *runtime.Grain, e *runtime.Event, n int) *runtime.Row {
	return &runtime.Row{Grain: g, Event: e, Record: runtime.Record{Time: atTime, Weight: 1, Body: binary.LittleEndian.AppendUint64(nil, uint64(n))}}
}

// made is a table's event whose rows have the values.
func made(key, cells []runtime.Field, values *[]runtime.Value) *runtime.Event {
	e := &runtime.Event{Name: "t", Stream: true, Table: &runtime.Table{Name: "t"}}
	for _, f := range key {
		e.Table.Key = append(e.Table.Key, runtime.KeyColumn{Field: f})
	}
	e.Fields = append(append(e.Fields, key...), cells...)
	e.AppendValues = func(dst []runtime.Value, _ runtime.Record) []runtime.Value { return append(dst, *values...) }
	return e
}

// tableRow is a row of it, of 10 s and 42 events; flags are 1 for that of all
// keys past the bound.
func tableRow(e *runtime.Event, flags byte) *runtime.Row {
	body := binary.LittleEndian.AppendUint64(nil, 10e9)
	body = binary.LittleEndian.AppendUint64(body, uint64(flags))
	body = binary.LittleEndian.AppendUint64(body, 42)
	return &runtime.Row{Grain: &runtime.Grain{Name: "g"}, Event: e, Record: runtime.Record{Time: atTime, Weight: 1, Body: body}}
}

func cellOf(name string, t runtime.Type, c agg.Cell) runtime.Field {
	return runtime.Field{Name: name, Type: t, Cell: &c}
}

func number(n int64) runtime.Value { return runtime.Value{Type: runtime.TypeUint, Num: uint64(n)} }
func float(x float64) runtime.Value {
	return runtime.Value{Type: runtime.TypeFloat, Num: math.Float64bits(x)}
}

// all is a row with a cell of each kind.
func all() (*runtime.Event, *[]runtime.Value) {
	signed := func(k agg.Kind) agg.Cell { return agg.Cell{Kind: k, Signed: true} }
	values := &[]runtime.Value{
		{Type: runtime.TypeString, Bytes: []byte("a b\xff\x00rest")},
		{Type: runtime.TypeUser, Num: 1000},
		{Type: runtime.TypeIP, Bytes: []byte("\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01")},
		{Type: runtime.TypeErrno},
		number(7), number(-3), float(1.5), number(-2), number(2), number(0), number(9), {Null: true}, float(math.NaN()),
		{Type: runtime.TypeHistogram, Cell: []uint64{1, 0, 2, 3, 0, 0, 0, 0, 0}},
		{Type: runtime.TypeHistogram, Cell: []uint64{3, 0, 4}},
		{Type: runtime.TypeQuantiles, Cell: []uint64{math.Float64bits(1), math.Float64bits(2.5), math.Float64bits(3), math.Float64bits(1e21)}},
		{Type: runtime.TypeTop},
		number(-1),
	}
	return made([]runtime.Field{
		{Name: "comm", Type: runtime.TypeString}, {Name: "uid", Type: runtime.TypeUser},
		{Name: "peer", Type: runtime.TypeIP}, {Name: "why", Type: runtime.TypeErrno},
	}, []runtime.Field{
		cellOf("n", runtime.TypeUint, agg.Cell{Kind: agg.Count}),
		cellOf("total", runtime.TypeInt, signed(agg.Sum)),
		cellOf("mean", runtime.TypeDuration, agg.Cell{Kind: agg.Mean}),
		cellOf("low", runtime.TypeInt, signed(agg.Min)),
		cellOf("high", runtime.TypeInt, signed(agg.Max)),
		cellOf("newest", runtime.TypeUint, agg.Cell{Kind: agg.Last}),
		cellOf("kinds", runtime.TypeUint, agg.Cell{Kind: agg.Distinct}),
		cellOf("none", runtime.TypeUint, agg.Cell{Kind: agg.Mean}),
		cellOf("nan", runtime.TypeUint, agg.Cell{Kind: agg.Mean}),
		cellOf("sizes", runtime.TypeBytes, agg.Cell{Kind: agg.Exp2, Bits: 8}),
		cellOf("parts", runtime.TypeInt, agg.Cell{Kind: agg.Buckets, Signed: true, Bounds: []int64{-5, 10}}),
		cellOf("spread", runtime.TypeUint, agg.Cell{Kind: agg.Quantiles}),
		cellOf("often", runtime.TypeString, agg.Cell{Kind: agg.Top, N: 3}),
		cellOf("huge", runtime.TypeUint, agg.Cell{Kind: agg.Sum}),
	}, values), values
}
