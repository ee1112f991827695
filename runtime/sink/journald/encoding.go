// SPDX-License-Identifier: Apache-2.0

package journald

import (
	"bytes"
	"encoding/binary"
	"strconv"

	"github.com/redsift/ingraind/runtime"
)

// headSize is that of what stands in front of each entry in a batch: its
// length, 4 bytes, little endian.
const headSize = 4

// encoding writes a row as an entry of the journal's native protocol, without
// its batch's name, which is known when it is shipped. The reading goroutine
// owns it.
type encoding struct {
	name    string
	head    string
	layouts map[*runtime.Event]*layout
	values  []runtime.Value
	json    []byte
	value   []byte
}

// layout is what entries of one event have in common.
type layout struct {
	head  []byte
	names []string // of fields; "" for one that is not sent
}

func newEncoding(identifier string, priority int) *encoding {
	head := "PRIORITY=" + strconv.Itoa(priority) + "\nSYSLOG_IDENTIFIER=" + identifier + "\n"
	return &encoding{name: "journald 1 " + strconv.Itoa(priority) + " " + identifier, head: head, layouts: map[*runtime.Event]*layout{}}
}

// Name is of all settings that are in the bytes.
func (e *encoding) Name() string { return e.name }

// AppendRow appends the entry of row, and its length.
func (e *encoding) AppendRow(dst []byte, row *runtime.Row) []byte {
	l := e.layouts[row.Event]
	if l == nil {
		l = e.layoutOf(row)
		e.layouts[row.Event] = l
	}
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	dst = append(dst, l.head...)
	e.json = row.Event.AppendJSON(e.json[:0], row.Record)
	dst = appendField(dst, "MESSAGE", e.json)
	dst = append(dst, "INGRAIND_TIME="...)
	dst = append(runtime.AppendInt(dst, row.Record.Time), "\nINGRAIND_WEIGHT="...)
	dst = append(runtime.AppendUint(dst, uint64(row.Record.Weight)), '\n')
	if row.Event.AppendValues != nil {
		e.values = row.Event.AppendValues(e.values[:0], row.Record)
		for i, v := range e.values {
			if i >= len(l.names) || l.names[i] == "" {
				continue
			}
			var ok bool
			if e.value, ok = appendValue(e.value[:0], v, &row.Event.Fields[i]); ok {
				dst = appendField(dst, l.names[i], e.value)
			}
		}
	}
	binary.LittleEndian.PutUint32(dst[at:], uint32(len(dst)-at-headSize))
	return dst
}

func (e *encoding) layoutOf(row *runtime.Row) *layout {
	grain := ""
	if row.Grain != nil {
		grain = row.Grain.Name
	}
	l := &layout{head: []byte(e.head)}
	l.head = appendField(l.head, "INGRAIND_GRAIN", []byte(grain))
	l.head = appendField(l.head, "INGRAIND_EVENT", []byte(row.Event.Name))
	for i := range row.Event.Fields {
		f := &row.Event.Fields[i]
		name := ""
		if f.Type != runtime.TypeTop { // it is in the message
			name = fieldName(f.Name)
		}
		l.names = append(l.names, name)
	}
	return l
}

// fieldName is "INGRAIND_ROW_WHO_PID" for "who.pid". The journal takes no name
// of more than 64 bytes.
func fieldName(name string) string {
	const most = 64
	b := append([]byte("INGRAIND_ROW_"), bytes.ToUpper([]byte(name))...)
	for i, c := range b {
		if (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			b[i] = '_'
		}
	}
	return string(b[:min(len(b), most)])
}

// appendValue appends strings as they are, and all else as the row's JSON has
// it, without quotes. False means that there is no value.
func appendValue(dst []byte, v runtime.Value, f *runtime.Field) ([]byte, bool) {
	switch {
	case v.Null:
		return dst, false
	case v.Type == runtime.TypeString:
		return append(dst, runtime.CString(v.Bytes)...), true
	case v.Type == runtime.TypeText:
		return append(dst, v.Bytes...), !v.State.Null()
	}
	dst = runtime.AppendValueJSON(dst, v, f)
	if string(dst) == "null" {
		return dst, false
	}
	if n := len(dst); n >= 2 && dst[0] == '"' && dst[n-1] == '"' {
		copy(dst, dst[1:n-1])
		dst = dst[:n-2]
	}
	return dst, true
}

// appendField appends NAME=VALUE, or, when there is a newline in the value, the
// form with its length in front.
func appendField(dst []byte, name string, value []byte) []byte {
	dst = append(dst, name...)
	if bytes.IndexByte(value, '\n') < 0 {
		dst = append(dst, '=')
	} else {
		dst = binary.LittleEndian.AppendUint64(append(dst, '\n'), uint64(len(value)))
	}
	return append(append(dst, value...), '\n')
}

// next takes the first entry off entries and appends it to dst as it is sent.
// False means that these bytes are none of this encoding.
func next(dst, entries []byte, batch string, index int) (entry, rest []byte, ok bool) {
	if len(entries) < headSize {
		return dst, nil, false
	}
	n := binary.LittleEndian.Uint32(entries)
	entries = entries[headSize:]
	if uint64(n) > uint64(len(entries)) {
		return dst, nil, false
	}
	dst = append(dst, entries[:n]...)
	dst = append(append(dst, "INGRAIND_BATCH="...), batch...)
	dst = append(runtime.AppendUint(append(dst, "\nINGRAIND_INDEX="...), uint64(index)), '\n')
	return dst, entries[n:], true
}
