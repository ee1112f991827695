// SPDX-License-Identifier: Apache-2.0

package parquet

import (
	"encoding/binary"
	"encoding/json"
	"math"

	"github.com/redsift/ingraind/runtime"
)

// encoding writes batches as
//
//	head   length, the schema as JSON
//	row    a value for each of its columns, as its kind says
//
// Lengths and counts are uvarints, numbers of 8 bytes little-endian. In front of
// a value that may be null there is a byte, which is 0 when it is. The reading
// goroutine owns it.
type encoding struct {
	columns map[*runtime.Event][]column // of the fields
	values  []runtime.Value
	text    []byte

	lastEvent   *runtime.Event // of columns, for the next row is often another of its kind
	lastColumns []column
}

func newEncoding() *encoding { return &encoding{columns: map[*runtime.Event][]column{}} }

// Name changes when the form of the bytes does.
func (e *encoding) Name() string { return "parquet 1" }

// AppendHead appends the schema of row.
func (e *encoding) AppendHead(dst []byte, row *runtime.Row) []byte {
	head, _ := json.Marshal(schemaOf(row)) // strings and kinds: it cannot fail
	return appendBytes(dst, head)
}

// AppendRow appends the values of row.
func (e *encoding) AppendRow(dst []byte, row *runtime.Row) []byte {
	event := row.Event
	if event != e.lastEvent {
		e.lastEvent, e.lastColumns = event, e.columnsOf(event)
	}
	dst = binary.LittleEndian.AppendUint64(dst, uint64(row.Record.Time))
	if event.Table != nil {
		dst = binary.AppendUvarint(dst, uint64(runtime.TableRow(row.Record).Interval()))
	}
	e.values = event.AppendValues(e.values[:0], row.Record)
	for i := range e.lastColumns {
		c, v := &e.lastColumns[i], &e.values[i]
		dst = e.appendValue(dst, c.Kind, c.Null, v, &event.Fields[i])
		if c.cut {
			dst = appendBool(dst, v.State&runtime.TailCut != 0)
		}
	}
	if event.Table != nil {
		return appendBool(dst, runtime.TableRow(row.Record).PastBound())
	}
	return binary.AppendUvarint(dst, uint64(row.Record.Weight))
}

func (e *encoding) columnsOf(event *runtime.Event) []column {
	columns, known := e.columns[event]
	if !known {
		for i := range event.Fields {
			columns = append(columns, columnOf(&event.Fields[i], event.Table != nil))
		}
		e.columns[event] = columns
	}
	return columns
}

func (e *encoding) appendValue(dst []byte, k kind, null bool, v *runtime.Value, f *runtime.Field) []byte {
	if k == text {
		return e.appendText(dst, null, v, f)
	}
	if null {
		if isNull(k, v) {
			return append(dst, 0)
		}
		dst = append(dst, 1)
	}
	switch k {
	case unsigned:
		return binary.AppendUvarint(dst, v.Num)
	case signed:
		return binary.AppendVarint(dst, int64(v.Num))
	case boolean:
		return appendBool(dst, v.Num != 0)
	case float:
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(number(v)))
	case moment:
		return binary.LittleEndian.AppendUint64(dst, v.Num)
	case words:
		return appendBytes(dst, v.Bytes)
	case buckets:
		return appendBuckets(dst, v, f)
	case quantiles:
		for i := range probabilities {
			dst = binary.LittleEndian.AppendUint64(dst, v.Cell[i])
		}
		return dst
	}
	return e.appendTop(dst, v, f)
}

// isNull reports whether JSON has null for a value that is no text.
func isNull(k kind, v *runtime.Value) bool {
	switch {
	case v.Null:
		return true
	case k == float:
		x := number(v)
		return math.IsNaN(x) || math.IsInf(x, 0)
	case k == moment:
		return v.Num == 0
	case k == words:
		return v.State.Null()
	}
	return false
}

// number is a value of a column of floats.
func number(v *runtime.Value) float64 {
	if v.Type == runtime.TypeFloat {
		return math.Float64frombits(v.Num)
	}
	return float64(v.Num)
}

// appendText appends a string as it is, and names and addresses as JSON has
// them, in which there is nothing to escape.
func (e *encoding) appendText(dst []byte, null bool, v *runtime.Value, f *runtime.Field) []byte {
	var b []byte
	there := !v.Null
	switch {
	case !there:
	case v.Type == runtime.TypeString:
		b = runtime.CString(v.Bytes)
	case v.Type == runtime.TypeText:
		b, there = v.Bytes, !v.State.Null()
	default:
		e.text = runtime.AppendValueJSON(e.text[:0], *v, f)
		switch b = e.text; {
		case b[0] == '"':
			b = b[1 : len(b)-1]
		case b[0] == 'n':
			b, there = nil, false
		}
	}
	if null {
		if !there {
			return append(dst, 0)
		}
		dst = append(dst, 1)
	}
	return appendBytes(dst, b)
}

// appendBuckets appends those that have events.
func appendBuckets(dst []byte, v *runtime.Value, f *runtime.Field) []byte {
	h, filled := f.Cell.Histogram(v.Cell), uint64(0)
	for i := range h.Len() {
		if h.N(i) > 0 {
			filled++
		}
	}
	dst = binary.AppendUvarint(dst, filled)
	for i := range h.Len() {
		if h.N(i) == 0 {
			continue
		}
		switch le := h.Bucket(i).Greatest; {
		case le.Form == 0:
			dst = append(dst, 0)
		case f.Cell.Signed:
			dst = binary.AppendVarint(append(dst, 1), int64(le.Bits()))
		default:
			dst = binary.AppendUvarint(append(dst, 1), le.Bits())
		}
		dst = binary.AppendUvarint(dst, h.N(i))
	}
	return dst
}

// appendTop appends the most frequent values.
func (e *encoding) appendTop(dst []byte, v *runtime.Value, f *runtime.Field) []byte {
	count := uint64(0)
	runtime.EachTop(*v, f, func(runtime.Value, uint64, uint64) { count++ })
	dst = binary.AppendUvarint(dst, count)
	runtime.EachTop(*v, f, func(value runtime.Value, n, over uint64) {
		dst = e.appendValue(dst, kindOf(f.Type), true, &value, f)
		dst = binary.AppendUvarint(binary.AppendUvarint(dst, n), over)
	})
	return dst
}

func appendBytes(dst, b []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(b))), b...)
}

func appendBool(dst []byte, b bool) []byte {
	if b {
		return append(dst, 1)
	}
	return append(dst, 0)
}
