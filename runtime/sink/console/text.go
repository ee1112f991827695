// SPDX-License-Identifier: Apache-2.0

package console

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/redsift/ingraind/runtime"
)

// text is the encoding for people, one line a row:
//
//	12:34:56.123 conn.connect curl[4711]  uid=0 peer=192.0.2.1 peer_port=443
//
// Columns are as wide as the widest that was in them so far, within reason, so
// that rows of an event stand below each other. It is used by one goroutine.
type text struct {
	zone   *time.Location
	colour bool

	layouts map[*runtime.Event]*layout
	values  []runtime.Value
	event   int // width of the column
	who     int // width of the column
}

// layout is how rows of one event are laid out.
type layout struct {
	name     string
	comm     int // the field's index, or -1
	pid, tid int
	labels   []string // "uid=" of each field
	widths   []int    // of each field's value
}

// Where a column stops growing, in characters.
const (
	mostEvent = 20
	mostWho   = 28 // a comm of 15, a pid of 7, and some that are quoted
	mostValue = 24
)

func newText(zone *time.Location, colour bool) *text {
	return &text{zone: zone, colour: colour, layouts: map[*runtime.Event]*layout{}}
}

// Name differs for the two forms, which must not share batches.
func (t *text) Name() string {
	if t.colour {
		return "text-colour"
	}
	return "text"
}

// AppendRow appends row as a line.
func (t *text) AppendRow(dst []byte, row *runtime.Row) []byte {
	l := t.layouts[row.Event]
	if l == nil {
		l = newLayout(row)
		t.layouts[row.Event] = l
	}
	t.values = row.Event.AppendValues(t.values[:0], row.Record)

	dst = t.style(dst, dim)
	dst = t.appendClock(dst, row.Record.Time)
	dst = t.style(dst, bold)
	dst = append(dst, ' ')
	at := len(dst)
	dst = append(dst, l.name...)
	end := len(dst)
	dst = t.style(dst, plain)
	dst = pad(dst, utf8.RuneCount(dst[at:end]), &t.event, mostEvent)
	return t.appendFields(t.appendWho(dst, l, row.Event), l, row)
}

// appendWho appends comm[pid], when the event has either.
func (t *text) appendWho(dst []byte, l *layout, e *runtime.Event) []byte {
	if l.comm < 0 && l.pid < 0 {
		return dst
	}
	dst = append(dst, ' ')
	at := len(dst)
	if l.comm >= 0 {
		dst = runtime.AppendValueText(dst, t.values[l.comm], &e.Fields[l.comm])
	}
	if l.pid >= 0 {
		dst = append(dst, '[')
		dst = runtime.AppendValueText(dst, t.values[l.pid], &e.Fields[l.pid])
		dst = append(dst, ']')
	}
	return pad(dst, utf8.RuneCount(dst[at:]), &t.who, mostWho)
}

// appendFields appends the other fields as name=value, and ends the line.
func (t *text) appendFields(dst []byte, l *layout, row *runtime.Row) []byte {
	for i := range t.values {
		if i == l.comm || i == l.pid || l.mainThread(t.values, i) {
			continue
		}
		dst = append(dst, ' ')
		dst = t.style(dst, dim)
		dst = append(dst, l.labels[i]...)
		dst = t.style(dst, plain)
		at := len(dst)
		dst = runtime.AppendValueText(dst, t.values[i], &row.Event.Fields[i])
		dst = pad(dst, utf8.RuneCount(dst[at:]), &l.widths[i], mostValue)
	}
	if row.Record.Weight > 1 {
		dst = append(dst, " weight="...)
		dst = runtime.AppendUint(dst, uint64(row.Record.Weight))
	}
	for dst[len(dst)-1] == ' ' {
		dst = dst[:len(dst)-1]
	}
	return append(dst, '\n')
}

// mainThread reports whether field i is the id of a process's first thread,
// which says nothing beside the pid.
func (l *layout) mainThread(values []runtime.Value, i int) bool {
	return i == l.tid && l.pid >= 0 && values[i].Num == values[l.pid].Num
}

// appendClock appends the time of day: 12:34:56.123.
func (t *text) appendClock(dst []byte, ns int64) []byte {
	at := time.Unix(0, ns).In(t.zone)
	hour, minute, second := at.Clock()
	ms := at.Nanosecond() / 1e6
	return append(dst,
		'0'+byte(hour/10), '0'+byte(hour%10), ':', '0'+byte(minute/10), '0'+byte(minute%10), ':',
		'0'+byte(second/10), '0'+byte(second%10), '.', '0'+byte(ms/100), '0'+byte(ms/10%10), '0'+byte(ms%10))
}

func newLayout(row *runtime.Row) *layout {
	e := row.Event
	l := &layout{name: e.Name, comm: -1, pid: -1, tid: -1, widths: make([]int, len(e.Fields))}
	if row.Grain != nil && row.Grain.Name != e.Name {
		l.name = row.Grain.Name + "." + e.Name
	}
	for i, f := range e.Fields {
		switch f.Name {
		case "who.comm":
			l.comm = i
		case "who.pid":
			l.pid = i
		case "who.tid":
			l.tid = i
		}
		l.labels = append(l.labels, strings.TrimPrefix(f.Name, "who.")+"=")
	}
	return l
}

// pad fills a column up with spaces, and widens it when more than its width
// is in it, up to most.
func pad(dst []byte, have int, width *int, most int) []byte {
	if have > *width {
		*width = min(have, most)
	}
	for ; have < *width; have++ {
		dst = append(dst, ' ')
	}
	return dst
}

// The styles of a terminal (ECMA-48, SGR), each from any other.
const (
	plain = "\x1b[0m"
	bold  = "\x1b[0;1m"
	dim   = "\x1b[2m"
)

func (t *text) style(dst []byte, style string) []byte {
	if !t.colour {
		return dst
	}
	return append(dst, style...)
}
