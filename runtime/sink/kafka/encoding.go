// SPDX-License-Identifier: Apache-2.0

package kafka

import (
	"encoding/binary"

	"github.com/redsift/ingraind/runtime"
)

// In a batch each record has a head: how long all that follows it is (4 bytes,
// little endian), the row's time in ns since 1970 (8), how long its key (4), its
// grain's name (1) and its event's (1) are. Then come the two names, the key and
// the JSON. Which topic that is, and what names the batch, is known when it is
// shipped: a spool outlives a change of topic.
const (
	timeAt   = 4
	keyAt    = timeAt + 8
	grainAt  = keyAt + 4
	eventAt  = grainAt + 1
	headSize = eventAt + 1
)

// encoding writes a row as a record without topic. The reading goroutine owns it.
type encoding struct {
	host    string
	key     template
	layouts map[*runtime.Event]*layout
	values  []runtime.Value
}

// layout is what records of one event have in common.
type layout struct {
	head []byte // with the names, and zeros for the rest
	key  []keyPart
	row  bool // the key has fields of the row
}

// keyPart is some text, or the field of that index.
type keyPart struct {
	text  string
	field int
}

func newEncoding(host string, key template) *encoding {
	return &encoding{host: host, key: key, layouts: map[*runtime.Event]*layout{}}
}

// Name is the same for all keys: rows of a spool keep those that they have.
func (*encoding) Name() string { return "kafka 1" }

// AppendRow appends the record of row, and its head.
func (e *encoding) AppendRow(dst []byte, row *runtime.Row) []byte {
	l := e.layouts[row.Event]
	if l == nil {
		l = e.layoutOf(row)
		e.layouts[row.Event] = l
	}
	at := len(dst)
	dst = append(dst, l.head...)
	names := len(dst)
	dst = e.appendKey(dst, l, row)
	key := len(dst) - names
	dst = row.Event.AppendJSON(dst, row.Record)
	head := dst[at : at+headSize]
	binary.LittleEndian.PutUint32(head, uint32(len(dst)-at-headSize))
	binary.LittleEndian.PutUint64(head[timeAt:], uint64(row.Record.Time))
	binary.LittleEndian.PutUint32(head[keyAt:], uint32(key))
	return dst
}

// appendKey appends the key: of its fields what stands in the row, texts without
// their quotes, and nothing for null.
func (e *encoding) appendKey(dst []byte, l *layout, row *runtime.Row) []byte {
	if l.row {
		e.values = row.Event.AppendValues(e.values[:0], row.Record)
	}
	for _, p := range l.key {
		if p.field < 0 {
			dst = append(dst, p.text...)
			continue
		}
		at := len(dst)
		dst = runtime.AppendValueJSON(dst, e.values[p.field], &row.Event.Fields[p.field])
		switch value := dst[at:]; {
		case string(value) == "null":
			dst = dst[:at]
		case value[0] == '"':
			dst = append(dst[:at], value[1:len(value)-1]...)
		}
	}
	return dst
}

func (e *encoding) layoutOf(row *runtime.Row) *layout {
	const longest = 255
	grain := ""
	if row.Grain != nil {
		grain = row.Grain.Name
	}
	grain, event := grain[:min(len(grain), longest)], row.Event.Name[:min(len(row.Event.Name), longest)]
	l := &layout{head: make([]byte, headSize)}
	l.head[grainAt], l.head[eventAt] = byte(len(grain)), byte(len(event))
	l.head = append(append(l.head, grain...), event...)
	known := map[string]string{"host": e.host, "grain": grain, "event": event}
	for _, p := range e.key {
		text, ok := known[p.name]
		if p.name == "" || ok {
			l.key = append(l.key, keyPart{text: p.text + text, field: -1})
			continue
		}
		for i := range row.Event.Fields {
			if f := &row.Event.Fields[i]; f.Name == p.name && isOne(f.Type) {
				l.key, l.row = append(l.key, keyPart{field: i}), true
			}
		}
	}
	return l
}

// isOne reports whether a field of that type has one value, not a list or an object.
func isOne(t runtime.Type) bool {
	switch t {
	case runtime.TypeWords, runtime.TypeHistogram, runtime.TypeQuantiles, runtime.TypeTop:
		return false
	}
	return true
}

// entry is a record of a batch.
type entry struct {
	time         int64 // ns since 1970
	grain, event []byte
	key          []byte // empty: it has none
	value        []byte
}

// next takes the first record off a batch. False means that these bytes are
// none of this encoding.
func next(batch []byte) (e entry, rest []byte, ok bool) {
	if len(batch) < headSize {
		return e, nil, false
	}
	head, body := batch[:headSize], batch[headSize:]
	size, key := uint64(binary.LittleEndian.Uint32(head)), uint64(binary.LittleEndian.Uint32(head[keyAt:]))
	grain, event := uint64(head[grainAt]), uint64(head[eventAt])
	if size > uint64(len(body)) || grain+event+key > size {
		return e, nil, false
	}
	e.time = int64(binary.LittleEndian.Uint64(head[timeAt:]))
	body, rest = body[:size:size], body[size:]
	e.grain, body = body[:grain:grain], body[grain:]
	e.event, body = body[:event:event], body[event:]
	e.key, e.value = body[:key:key], body[key:]
	return e, rest, true
}
