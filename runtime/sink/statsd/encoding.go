// SPDX-License-Identifier: Apache-2.0

package statsd

import (
	"math"
	"strconv"

	"github.com/redsift/ingraind/runtime"
)

// The dialects, as a user names them.
const (
	plain = "statsd"
	dog   = "dogstatsd"
)

// encoding writes a row as lines, each a metric:
//
//	ingraind.metrics.conn.peers.curl.client.192_0_2_1.443.sent:512|c
//	ingraind.metrics.conn.peers.sent:512|c|#comm:curl,role:client,peer:192.0.2.1,port:443
//
// The reading goroutine owns it.
type encoding struct {
	name   string
	prefix string
	tags   bool
	set    *charset

	layouts map[*runtime.Event]*layout
	values  []runtime.Value
	key     []byte // of the row: what its metrics have in common
}

func newEncoding(dialect, prefix string) *encoding {
	e := &encoding{name: dialect + " " + prefix, prefix: prefix, layouts: map[*runtime.Event]*layout{}, set: &inName}
	if dialect == dog {
		e.tags, e.set = true, &inTag
	}
	return e
}

// Name is of the dialect and the prefix, for both are in the bytes.
func (e *encoding) Name() string { return e.name }

// AppendRow appends a line for each metric of row.
func (e *encoding) AppendRow(dst []byte, row *runtime.Row) []byte {
	l := e.layouts[row.Event]
	if l == nil {
		l = e.layoutOf(row)
		e.layouts[row.Event] = l
	}
	if !l.table {
		dst = append(append(dst, l.name...), ':')
		dst = runtime.AppendUint(dst, uint64(row.Record.Weight))
		return append(dst, "|c\n"...)
	}
	e.values = row.Event.AppendValues(e.values[:0], row.Record)
	e.key = e.appendKey(e.key[:0], l, row)
	for i := range l.cells {
		c := &l.cells[i]
		dst = e.appendCell(dst, l, c, e.values[c.field], &row.Event.Fields[c.field])
	}
	return dst
}

// appendKey appends the row's columns: ".curl.client", or "|#comm:curl,role:client".
func (e *encoding) appendKey(dst []byte, l *layout, row *runtime.Row) []byte {
	past := runtime.TableRow(row.Record).PastBound()
	if past && e.tags {
		return append(dst, "|#overflow:true"...)
	}
	separator := "."
	if e.tags {
		separator = "|#"
	}
	for _, c := range l.columns {
		dst = append(dst, separator...)
		if past {
			dst = append(dst, "_overflow"...)
			continue
		}
		dst = append(dst, c.label...)
		dst = appendColumn(dst, e.values[c.field], &row.Event.Fields[c.field], e.set)
		if e.tags {
			separator = ","
		}
	}
	return dst
}

// appendCell appends the metrics of a cell.
func (e *encoding) appendCell(dst []byte, l *layout, c *cell, v runtime.Value, f *runtime.Field) []byte {
	switch c.form {
	case counter:
		return e.appendEnd(appendNumber(e.appendName(dst, l, c, ""), v, f), 'c')
	case gauge:
		return e.appendGauge(dst, l, c, "", v, f)
	case histogram:
		return e.appendHistogram(dst, l, c, v, f)
	}
	for i, word := range v.Cell {
		if i < len(quantileNames) && !v.Null {
			dst = e.appendGauge(dst, l, c, quantileNames[i], runtime.Value{Type: runtime.TypeFloat, Num: word}, f)
		}
	}
	return dst
}

// appendHistogram appends a counter for each bucket that has events, named
// after its greatest value; that of the last one is inf.
func (e *encoding) appendHistogram(dst []byte, l *layout, c *cell, v runtime.Value, f *runtime.Field) []byte {
	h := f.Cell.Histogram(v.Cell)
	for i := range h.Len() {
		n := h.N(i)
		if n == 0 {
			continue
		}
		dst = e.appendName(dst, l, c, ".bucket")
		if !e.tags {
			dst = appendBound(append(dst, '.'), h.Bucket(i).Greatest)
		}
		dst = append(runtime.AppendUint(append(dst, ':'), n), "|c"...)
		if e.tags {
			dst = append(dst, e.key...)
			separator := ",le:"
			if len(e.key) == 0 {
				separator = "|#le:"
			}
			dst = appendBound(append(dst, separator...), h.Bucket(i).Greatest)
		}
		dst = append(dst, '\n')
	}
	return dst
}

// bound is an agg.Number.
type bound interface{ Append(dst []byte) []byte }

// appendBound appends the greatest value of a bucket.
func appendBound[B bound](dst []byte, b B) []byte {
	at := len(dst)
	dst = b.Append(dst)
	if dst[at] == 'n' { // null
		return append(dst[:at], "inf"...)
	}
	return dst
}

// appendGauge appends a gauge, unless there is no value. In the plain dialect
// a sign in front means "change by", so one below zero is set to zero first, in
// the same line.
func (e *encoding) appendGauge(dst []byte, l *layout, c *cell, sub string, v runtime.Value, f *runtime.Field) []byte {
	if v.Null || v.Type == runtime.TypeFloat && !finite(v.Num) {
		return dst
	}
	dst = e.appendName(dst, l, c, sub)
	at := len(dst)
	dst = appendNumber(dst, v, f)
	if dst[at+1] == '-' && !e.tags {
		dst = appendNumber(append(dst[:at], ":0|g"...), v, f)
	}
	return e.appendEnd(dst, 'g')
}

// appendName begins a line.
func (e *encoding) appendName(dst []byte, l *layout, c *cell, sub string) []byte {
	dst = append(dst, l.name...)
	if !e.tags {
		dst = append(dst, e.key...)
	}
	dst = append(dst, c.name...)
	return append(dst, sub...)
}

// appendEnd ends a line.
func (e *encoding) appendEnd(dst []byte, kind byte) []byte {
	dst = append(dst, '|', kind)
	if e.tags {
		dst = append(dst, e.key...)
	}
	return append(dst, '\n')
}

// appendNumber appends a colon and a number.
func appendNumber(dst []byte, v runtime.Value, f *runtime.Field) []byte {
	dst = append(dst, ':')
	switch {
	case v.Type == runtime.TypeFloat:
		x := math.Float64frombits(v.Num) + 0 // -0 becomes 0
		if math.Abs(x) < 1e21 {
			return strconv.AppendFloat(dst, x, 'f', -1, 64)
		}
		return strconv.AppendFloat(dst, x, 'e', -1, 64)
	case f.Cell.Signed:
		return runtime.AppendInt(dst, int64(v.Num))
	}
	return runtime.AppendUint(dst, v.Num)
}

func finite(bits uint64) bool {
	x := math.Float64frombits(bits)
	return !math.IsNaN(x) && !math.IsInf(x, 0)
}
