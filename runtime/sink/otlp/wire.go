// SPDX-License-Identifier: Apache-2.0

package otlp

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"unicode/utf8"
)

// What of protobuf's encoding is needed. Messages are written by hand: rows are
// encoded on the reading goroutine, which allocates nothing.

// The wire types.
const (
	varint  = 0
	fixed64 = 1
	bytes   = 2
	fixed32 = 5
)

// appendTag begins a field. Those that this sink writes are up to 15: a byte.
func appendTag(dst []byte, field, wire int) []byte { return append(dst, byte(field<<3|wire)) }

func appendVarint(dst []byte, field int, v uint64) []byte {
	return binary.AppendUvarint(appendTag(dst, field, varint), v)
}

func appendFixed(dst []byte, field int, v uint64) []byte {
	return binary.LittleEndian.AppendUint64(appendTag(dst, field, fixed64), v)
}

func appendDouble(dst []byte, field int, v float64) []byte {
	return appendFixed(dst, field, math.Float64bits(v))
}

func appendBytes[B ~string | ~[]byte](dst []byte, field int, b B) []byte {
	dst = binary.AppendUvarint(appendTag(dst, field, bytes), uint64(len(b)))
	return append(dst, b...)
}

// begin opens a message whose length is not known yet; end closes it. at is
// where its content begins.
func begin(dst []byte, field int) (longer []byte, at int) {
	dst = append(appendTag(dst, field, bytes), 0)
	return dst, len(dst)
}

// end writes the length in front of the content, which moves when that takes
// more than a byte.
func end(dst []byte, at int) []byte {
	n := len(dst) - at
	if n < 0x80 {
		dst[at-1] = byte(n)
		return dst
	}
	var length [binary.MaxVarintLen64]byte
	size := binary.PutUvarint(length[:], uint64(n))
	dst = append(dst, length[1:size]...) // room, overwritten by the move
	copy(dst[at-1+size:], dst[at:at+n])
	copy(dst[at-1:], length[:size])
	return dst
}

// appendString appends text as UTF-8, which protobuf wants strings to be: each
// byte that is not becomes U+FFFD.
func appendString(dst []byte, field int, text []byte) []byte {
	if utf8.Valid(text) {
		return appendBytes(dst, field, text)
	}
	dst, at := begin(dst, field)
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		dst = utf8.AppendRune(dst, r)
		text = text[n:]
	}
	return end(dst, at)
}

var errWire = errors.New("these bytes are no protobuf")

// element is a field of a message.
type element struct {
	field int
	wire  int
	num   uint64
	body  []byte // of a message, string or bytes
}

// next takes the first field off a message.
func next(message []byte) (e element, rest []byte, err error) {
	tag, n := binary.Uvarint(message)
	if n <= 0 || tag>>3 == 0 || tag>>3 > 1<<29-1 {
		return e, nil, errWire
	}
	e.field, e.wire = int(tag>>3), int(tag&7)
	rest = message[n:]
	switch e.wire {
	case varint:
		e.num, n = binary.Uvarint(rest)
		if n <= 0 {
			return e, nil, errWire
		}
		return e, rest[n:], nil
	case bytes:
		size, n := binary.Uvarint(rest)
		if n <= 0 || size > uint64(len(rest)-n) {
			return e, nil, errWire
		}
		e.body = rest[n:][:size]
		return e, rest[n+int(size):], nil
	case fixed64:
		if len(rest) >= 8 {
			e.num = binary.LittleEndian.Uint64(rest)
			return e, rest[8:], nil
		}
	case fixed32:
		if len(rest) >= 4 {
			e.num = uint64(binary.LittleEndian.Uint32(rest))
			return e, rest[4:], nil
		}
	}
	return e, nil, errWire
}

// The fields of a batch's bytes: a message each.
const (
	logField    = 2 // as in ScopeLogs
	metricField = 3 // 2 in ScopeMetrics
)

// split takes a batch apart: the log records as ScopeLogs has them, the metrics
// as ScopeMetrics has them.
func split(batch []byte) (logs, metrics []byte, err error) {
	logs = slices.Grow(logs, len(batch))
	for rest := batch; len(rest) > 0; {
		var e element
		whole := rest
		if e, rest, err = next(rest); err != nil {
			return nil, nil, err
		}
		switch {
		case e.field == logField && e.wire == bytes:
			logs = append(logs, whole[:len(whole)-len(rest)]...)
		case e.field == metricField && e.wire == bytes:
			metrics = appendBytes(metrics, logField, e.body)
		default:
			return nil, nil, errWire
		}
	}
	return logs, metrics, nil
}
