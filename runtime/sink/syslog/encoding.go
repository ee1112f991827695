// SPDX-License-Identifier: Apache-2.0

package syslog

import (
	"encoding/binary"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/redsift/ingraind/runtime"
)

// sdID is that of this sink's structured data. 32473 is the enterprise number
// for documentation (RFC 5612): this project has none of its own.
const sdID = "ingraind@32473"

// In a batch each message has a head of three numbers of 4 bytes, little
// endian: how long the rest is, where in it the batch is named, and how many
// bytes of MSG were cut. What names the batch is known when it is shipped.
const (
	headSize = 12
	// room is what naming the batch takes at most.
	room = len(` batch="" index="4294967295" cut="4294967295"`) + 64
)

// encoding writes a row as a message of RFC 5424. The reading goroutine owns it.
type encoding struct {
	name    string
	pri     string // "<134>1 "
	origin  string // " HOST APP - "
	most    int    // bytes of a message
	layouts map[*runtime.Event]*layout
}

// layout is what messages of one event have in common.
type layout struct {
	middle string // " HOST APP - conn.peers [ingraind@32473 grain="conn" event="peers""
}

func newEncoding(pri int, host, app string, most int) *encoding {
	e := &encoding{
		pri:    "<" + strconv.Itoa(pri) + ">1 ",
		origin: " " + host + " " + app + " - ",
		most:   most, layouts: map[*runtime.Event]*layout{},
	}
	e.name = "syslog 1 " + e.pri + strconv.Itoa(most) + e.origin
	return e
}

// Name is of all settings that are in the bytes.
func (e *encoding) Name() string { return e.name }

// AppendRow appends the message of row, and its head.
func (e *encoding) AppendRow(dst []byte, row *runtime.Row) []byte {
	l := e.layouts[row.Event]
	if l == nil {
		l = e.layoutOf(row)
		e.layouts[row.Event] = l
	}
	at := len(dst)
	dst = append(dst, make([]byte, headSize)...)
	dst = append(dst, e.pri...)
	dst = time.Unix(0, row.Record.Time).UTC().AppendFormat(dst, "2006-01-02T15:04:05.000000Z")
	dst = append(dst, l.middle...)
	split := len(dst) - at - headSize
	dst = append(dst, "] "...)
	msg := len(dst)
	dst = runtime.NDJSON{}.AppendRow(dst, row)
	dst = dst[:len(dst)-1] // the newline
	end, cut := at+headSize+e.most-room, 0
	if len(dst) > end {
		end = max(whole(dst, end), msg)
		cut = len(dst) - end
		dst = dst[:end]
	}
	binary.LittleEndian.PutUint32(dst[at:], uint32(len(dst)-at-headSize))
	binary.LittleEndian.PutUint32(dst[at+4:], uint32(split))
	binary.LittleEndian.PutUint32(dst[at+8:], uint32(cut))
	return dst
}

// whole is the greatest end, up to at, that does not divide a character.
func whole(text []byte, at int) int {
	for i := at; i > at-utf8.UTFMax; i-- {
		if utf8.RuneStart(text[i]) {
			return i
		}
	}
	return at
}

func (e *encoding) layoutOf(row *runtime.Row) *layout {
	grain := "-"
	if row.Grain != nil {
		grain = row.Grain.Name
	}
	const longest = 128 // far more than names have; what a message can always hold
	grain, event := grain[:min(len(grain), longest)], row.Event.Name[:min(len(row.Event.Name), longest)]
	b := append([]byte(nil), e.origin...)
	b = appendName(b, grain+"."+event, 32)
	b = append(b, " ["+sdID+` grain="`...)
	b = appendParam(b, grain)
	b = append(b, `" event="`...)
	b = append(appendParam(b, event), '"')
	return &layout{middle: string(b)}
}

// appendName appends what the header of a message can hold: printable ASCII.
func appendName(dst []byte, text string, most int) []byte {
	for i := range min(len(text), most) {
		c := text[i]
		if c <= ' ' || c >= 0x7f {
			c = '_'
		}
		dst = append(dst, c)
	}
	return dst
}

// appendParam appends a value of structured data.
func appendParam(dst []byte, text string) []byte {
	for _, r := range text {
		if r == '"' || r == '\\' || r == ']' {
			dst = append(dst, '\\')
		}
		dst = utf8.AppendRune(dst, r)
	}
	return dst
}

// next takes the first message off entries and appends it to dst as it is
// sent. False means that these bytes are none of this encoding.
func next(dst, entries []byte, batch string, index int) (message, rest []byte, ok bool) {
	if len(entries) < headSize {
		return dst, nil, false
	}
	n, split, cut := binary.LittleEndian.Uint32(entries), binary.LittleEndian.Uint32(entries[4:]), binary.LittleEndian.Uint32(entries[8:])
	entries = entries[headSize:]
	if uint64(n) > uint64(len(entries)) || split > n {
		return dst, nil, false
	}
	dst = append(dst, entries[:split]...)
	dst = append(append(dst, ` batch="`...), batch...)
	dst = runtime.AppendUint(append(dst, `" index="`...), uint64(index))
	if cut > 0 {
		dst = runtime.AppendUint(append(dst, `" cut="`...), uint64(cut))
	}
	dst = append(append(dst, '"'), entries[split:n]...)
	return dst, entries[n:], true
}
