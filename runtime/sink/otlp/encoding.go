// SPDX-License-Identifier: Apache-2.0

package otlp

import (
	"encoding/binary"
	"math"
	"math/bits"

	"github.com/redsift/ingraind/runtime"
)

// encoding writes a row of a stream as a LogRecord, one of a table as a Metric
// for each cell. Ship puts what a request has around them.
//
// The reading goroutine owns it.
type encoding struct {
	layouts map[*runtime.Event]*layout
	values  []runtime.Value
	text    []byte
}

func newEncoding() *encoding { return &encoding{layouts: map[*runtime.Event]*layout{}} }

// Name changes when the form of the bytes does.
func (e *encoding) Name() string { return "otlp 1" }

// AppendRow appends row.
func (e *encoding) AppendRow(dst []byte, row *runtime.Row) []byte {
	l := e.layouts[row.Event]
	if l == nil {
		l = layoutOf(row)
		e.layouts[row.Event] = l
	}
	e.values = row.Event.AppendValues(e.values[:0], row.Record)
	if row.Event.Table != nil {
		return e.appendMetrics(dst, l, row)
	}
	return e.appendLog(dst, l, row)
}

// The fields of a LogRecord.
const (
	logTime      = 1
	logSeverity  = 2
	logLevel     = 3
	logAttribute = 6
	logObserved  = 11
	logEvent     = 12

	info = 9 // SEVERITY_NUMBER_INFO
)

func (e *encoding) appendLog(dst []byte, l *layout, row *runtime.Row) []byte {
	dst, at := begin(dst, logField)
	dst = appendFixed(dst, logTime, uint64(row.Record.Time))
	dst = appendVarint(dst, logSeverity, info)
	dst = appendBytes(dst, logLevel, "INFO")
	for i := range l.attributes {
		dst = e.appendAttribute(dst, logAttribute, l, i, row)
	}
	if w := row.Record.Weight; w != 1 {
		dst = appendAttributeInt(dst, logAttribute, "ingraind.weight", int64(w))
	}
	dst = appendFixed(dst, logObserved, uint64(row.Record.Time))
	dst = append(dst, l.event...)
	return end(dst, at)
}

// The fields of a KeyValue, and of an AnyValue.
const (
	key   = 1
	value = 2

	anyString = 1
	anyBool   = 2
	anyInt    = 3
	anyDouble = 4
	anyArray  = 5
)

// appendAttribute appends a KeyValue of the i-th field, unless it has no value.
func (e *encoding) appendAttribute(dst []byte, field int, l *layout, i int, row *runtime.Row) []byte {
	v, a := &e.values[i], &l.attributes[i]
	if v.Null {
		return dst
	}
	if signed := v.Type == runtime.TypePID || v.Type == runtime.TypeInt; !a.text && (signed || isUint(v.Type) && v.Num <= math.MaxInt64) {
		return appendInt(dst, field, a.key, v.Num)
	}
	before := len(dst)
	dst, at := begin(dst, field)
	dst = append(dst, a.key...)
	dst, in := begin(dst, value)
	empty := len(dst)
	dst = e.appendAny(dst, v, &row.Event.Fields[i])
	if len(dst) == empty {
		return dst[:before]
	}
	return end(end(dst, in), at)
}

// isUint reports whether values of t are numbers without a sign.
func isUint(t runtime.Type) bool {
	switch t {
	case runtime.TypeUint, runtime.TypePort, runtime.TypeBytes, runtime.TypeDuration, runtime.TypeCgroup,
		runtime.TypeInterface, runtime.TypeUser, runtime.TypeGroup:
		return true
	}
	return false
}

// appendInt appends a KeyValue of an integer: most are, so its lengths are
// worked out first. Keys have less than 100 bytes, or it is done as for others.
func appendInt(dst []byte, field int, name []byte, n uint64) []byte {
	if len(name) >= 100 {
		dst, at := begin(dst, field)
		dst, in := begin(append(dst, name...), value)
		return end(end(appendVarint(dst, anyInt, n), in), at)
	}
	size := 1 + (bits.Len64(n|1)+6)/7
	dst = append(dst, byte(field<<3|bytes), byte(len(name)+2+size))
	dst = append(dst, name...)
	dst = append(dst, value<<3|bytes, byte(size), anyInt<<3|varint)
	return binary.AppendUvarint(dst, n)
}

// appendAny appends what is in an AnyValue that is no integer; nothing for no value.
func (e *encoding) appendAny(dst []byte, v *runtime.Value, f *runtime.Field) []byte {
	switch v.Type {
	case runtime.TypeBool:
		return appendVarint(dst, anyBool, v.Num&1)
	case runtime.TypeString:
		return appendString(dst, anyString, runtime.CString(v.Bytes))
	case runtime.TypeText:
		if v.State.Null() {
			return dst
		}
		return appendString(dst, anyString, v.Bytes)
	case runtime.TypeWords:
		if v.State.Null() {
			return dst
		}
		return appendWords(dst, v.Bytes)
	case runtime.TypeFloat:
		return appendDouble(dst, anyDouble, math.Float64frombits(v.Num))
	}
	// Names and addresses, in which JSON has nothing to escape, and numbers that
	// are to be strings or do not fit.
	e.text = runtime.AppendValueJSON(e.text[:0], *v, f)
	b := e.text
	switch {
	case len(b) == 0 || b[0] == 'n': // null
		return dst
	case b[0] == '"':
		return appendString(dst, anyString, b[1:len(b)-1])
	}
	return appendBytes(dst, anyString, b)
}

// appendWords appends an ArrayValue of strings.
func appendWords(dst, b []byte) []byte {
	dst, at := begin(dst, anyArray)
	for len(b) > 0 {
		var word []byte
		word, b = runtime.NextWord(b)
		var in int
		dst, in = begin(dst, 1)
		dst = end(appendString(dst, anyString, word), in)
	}
	return end(dst, at)
}

func appendAttributeInt(dst []byte, field int, name string, n int64) []byte {
	dst, at := begin(dst, field)
	dst = appendBytes(dst, key, name)
	dst, in := begin(dst, value)
	dst = end(appendVarint(dst, anyInt, uint64(n)), in)
	return end(dst, at)
}

func appendAttributeBool(dst []byte, field int, name string) []byte {
	dst, at := begin(dst, field)
	dst = appendBytes(dst, key, name)
	dst, in := begin(dst, value)
	dst = end(appendVarint(dst, anyBool, 1), in)
	return end(dst, at)
}

// appendAttributeString is for the resource.
func appendAttributeString(dst []byte, field int, name, text string) []byte {
	dst, at := begin(dst, field)
	dst = appendString(dst, key, []byte(name))
	dst, in := begin(dst, value)
	dst = end(appendString(dst, anyString, []byte(text)), in)
	return end(dst, at)
}
