// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"encoding/binary"
	"time"

	"github.com/redsift/ingraind/runtime/agg"
)

// A row of a table is a Row like any other. Its Event describes the table, and
// its body is
//
//	u64 interval, ns   u64 flags   key   words of the cells (agg.Layout)
const (
	tableRowHead = 16

	pastBound = 1 // flag: the row of all keys beyond the bound
)

// rowsOf describes the rows of a table.
func rowsOf(g *Grain, t *Table) *Event {
	e := &Event{Name: t.Name, Help: t.Help, Stream: true, Sinks: t.Sinks, Table: t}
	for i := range t.Key {
		e.Fields = append(e.Fields, t.Key[i].Field)
	}
	for i := range t.Cells {
		f := t.Cells[i].Field
		f.Cell = &t.Cells[i].State
		e.Fields = append(e.Fields, f)
	}
	values := &tableValues{table: t, words: make([]uint64, t.words())}
	e.AppendValues = values.append
	e.AppendJSON = jsonOf(g, t, e.Fields, values)
	return e
}

// jsonOf is the encoder of a table's rows:
//
//	{"time":"...","grain":"conn","table":"by_peer","interval":10000000000,"port":443,"connections":3}
func jsonOf(g *Grain, t *Table, fields []Field, read *tableValues) func(dst []byte, r Record) []byte {
	var values []Value // of the reading goroutine, which alone encodes
	names := `,"grain":"` + g.Name + `","table":"` + t.Name + `","interval":`
	return func(dst []byte, r Record) []byte {
		dst = append(dst, `{"time":`...)
		dst = AppendTime(dst, r.Time)
		dst = append(dst, names...)
		dst = AppendUint(dst, binary.LittleEndian.Uint64(r.Body))
		values = read.append(values[:0], r)
		for i := range fields {
			dst = append(dst, ',', '"')
			dst = append(dst, fields[i].Name...)
			dst = append(dst, '"', ':')
			dst = AppendValueJSON(dst, values[i], &fields[i])
		}
		if TableRow(r).PastBound() {
			dst = append(dst, `,"overflow":true`...)
		}
		return append(dst, '}')
	}
}

// TableRow reads the record of a table's row.
type TableRow Record

// Interval is how long the row's events were counted.
func (r TableRow) Interval() time.Duration {
	return time.Duration(binary.LittleEndian.Uint64(r.Body))
}

// PastBound reports whether the row is that of all keys beyond the bound.
func (r TableRow) PastBound() bool { return r.Body[8]&pastBound != 0 }

// tableValues reads the values of a table's rows. The reading goroutine owns it.
type tableValues struct {
	table *Table
	words []uint64 // of the row's cells
}

// append appends a value for each column and cell.
func (v *tableValues) append(dst []Value, r Record) []Value {
	t := v.table
	key, words := r.Body[tableRowHead:][:t.KeySize], r.Body[tableRowHead+t.KeySize:]
	past := TableRow(r).PastBound()
	for i := range t.Key {
		dst = append(dst, t.Key[i].value(key, past))
	}
	v.words = v.words[:0]
	for ; len(words) >= 8; words = words[8:] {
		v.words = append(v.words, binary.LittleEndian.Uint64(words))
	}
	for i := range t.Cells {
		dst = append(dst, t.Cells[i].value(v.words))
	}
	return dst
}

// value reads a cell's value from the words of a row.
func (c *Cell) value(words []uint64) Value {
	own := words[c.Word:][:c.State.Words()]
	switch c.State.Kind {
	case agg.Exp2, agg.Linear, agg.Buckets:
		return Value{Type: TypeHistogram, Cell: own}
	case agg.Quantiles:
		return Value{Type: TypeQuantiles, Null: words[0] == 0, Cell: own}
	case agg.Top:
		return Value{Type: TypeTop, Num: own[0], Cell: words}
	}
	n := c.State.Value(own, words[0])
	v := Value{Type: c.Type, Null: n.Form == agg.Null, Num: n.Bits()}
	if n.Form == agg.Float {
		v.Type = TypeFloat
	}
	return v
}

// value reads a column's value from a key's bytes.
func (c *KeyColumn) value(key []byte, null bool) Value {
	v := Value{Type: c.Type, Null: null}
	b := key[c.Offset:][:c.Size]
	switch c.Type {
	case TypeString, TypeHex, TypeIP, TypeIP4, TypeMAC:
		v.Bytes = b
		return v
	case TypeNet:
		v.Bytes = b[:17]
		return v
	case TypeText:
		v.Bytes, v.State = CString(b), TailSet
		return v
	}
	for i := len(b) - 1; i >= 0; i-- {
		v.Num = v.Num<<8 | uint64(b[i])
	}
	if c.Signed {
		unused := 64 - 8*len(b)
		v.Num = uint64(int64(v.Num<<unused) >> unused)
	}
	return v
}
