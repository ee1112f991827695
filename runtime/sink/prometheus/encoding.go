// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"unicode/utf8"

	"github.com/redsift/ingraind/runtime"
)

// mostLabel is how many bytes a label's value has at most.
const mostLabel = 128

// encoding writes a row as
//
//	bytes schema   u8 past the bound   bytes for each label   each metric
//
// Bytes have their length in front, as a uvarint. A counter or total is a u64,
// a gauge a flag and a float64, a histogram how many buckets have events and
// their indices and counts, as uvarints, a summary a u64 of events, a flag and
// its quantiles; the two have their sum behind it, a u64, where that is known.
// The reading goroutine owns it.
type encoding struct {
	name, prefix string
	layouts      map[*runtime.Event]*layout
	values       []runtime.Value
	label        []byte
}

type layout struct {
	*schema
	head  []byte // the schema with its length
	table bool
}

func newEncoding(prefix string) *encoding {
	return &encoding{name: "prometheus 2 " + prefix, prefix: prefix, layouts: map[*runtime.Event]*layout{}}
}

// Name is of the form and the prefix, for both are in the bytes.
func (e *encoding) Name() string { return e.name }

// AppendRow appends row.
func (e *encoding) AppendRow(dst []byte, row *runtime.Row) []byte {
	l := e.layouts[row.Event]
	if l == nil {
		l = &layout{schema: schemaOf(e.prefix, row), table: row.Event.Table != nil}
		text, _ := json.Marshal(l.schema) // finite numbers and strings: it cannot fail
		l.head = appendBytes(nil, text)
		e.layouts[row.Event] = l
	}
	dst = append(dst, l.head...)
	if !l.table {
		return binary.LittleEndian.AppendUint64(append(dst, 0), uint64(row.Record.Weight))
	}
	e.values = row.Event.AppendValues(e.values[:0], row.Record)
	if runtime.TableRow(row.Record).PastBound() {
		dst = append(dst, 1)
	} else {
		dst = append(dst, 0)
		for i := range l.Labels {
			e.label = appendLabel(e.label[:0], e.values[i], &row.Event.Fields[i])
			dst = appendBytes(dst, e.label)
		}
	}
	for i := range l.Metrics {
		m := &l.Metrics[i]
		dst = appendMetric(dst, m, e.values[m.field], &row.Event.Fields[m.field], row)
	}
	return dst
}

func appendMetric(dst []byte, m *metric, v runtime.Value, f *runtime.Field, row *runtime.Row) []byte {
	switch m.Form {
	case counter, total:
		return binary.LittleEndian.AppendUint64(dst, v.Num)
	case gauge:
		x := number(v, f) / m.Scale
		if v.Null || math.IsNaN(x) || math.IsInf(x, 0) {
			return append(dst, 0)
		}
		return binary.LittleEndian.AppendUint64(append(dst, 1), math.Float64bits(x))
	case histogram:
		filled := uint64(0)
		for _, n := range v.Cell {
			if n > 0 {
				filled++
			}
		}
		dst = binary.AppendUvarint(dst, filled)
		for i, n := range v.Cell {
			if n > 0 {
				dst = binary.AppendUvarint(binary.AppendUvarint(dst, uint64(i)), n)
			}
		}
	case summary:
		dst = binary.LittleEndian.AppendUint64(dst, row.Event.Table.Word(row.Record, 0))
		if v.Null {
			dst = append(dst, 0)
			break
		}
		dst = append(dst, 1)
		for _, word := range v.Cell {
			dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(math.Float64frombits(word)/m.Scale))
		}
	}
	if m.Sum != unknown {
		dst = binary.LittleEndian.AppendUint64(dst, row.Event.Table.Word(row.Record, f.Sum))
	}
	return dst
}

func number(v runtime.Value, f *runtime.Field) float64 {
	switch {
	case v.Type == runtime.TypeFloat:
		return math.Float64frombits(v.Num)
	case f.Cell.Signed:
		return float64(int64(v.Num))
	}
	return float64(v.Num)
}

func appendBytes(dst, b []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(b))), b...)
}

// appendLabel appends the value of a key's column, as UTF-8; "" stands for none.
func appendLabel(dst []byte, v runtime.Value, f *runtime.Field) []byte {
	if v.Null {
		return dst
	}
	switch v.Type {
	case runtime.TypeString:
		dst = append(dst, runtime.CString(v.Bytes)...)
	case runtime.TypeText, runtime.TypeWords:
		if !v.State.Null() {
			dst = append(dst, v.Bytes...)
		}
	case runtime.TypeBytes, runtime.TypeDuration, runtime.TypeMoment:
		dst = runtime.AppendUint(dst, v.Num) // exact, unlike what people read
	default:
		dst = runtime.AppendValueText(dst, v, f)
	}
	dst = dst[:min(len(dst), mostLabel)]
	for i := 0; i < len(dst); {
		r, n := utf8.DecodeRune(dst[i:])
		if r == utf8.RuneError && n <= 1 {
			dst[i], n = '_', 1
		}
		i += n
	}
	return dst
}
