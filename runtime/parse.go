// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"bytes"
	"encoding/binary"
)

// Whole is the event in body as its other functions want it: with what its
// Parse reads, in memory, which is kept for the next event; or body itself when
// the event has none. parsed is false when Parse could not read the bytes.
func (e *Event) Whole(memory *[]byte, body []byte) (whole []byte, parsed bool) {
	if e.Parse == nil {
		return body, true
	}
	*memory, parsed = e.Parse((*memory)[:0], body)
	return *memory, parsed
}

// Extend appends to dst the event in body, whose struct has size bytes, with
// half more bytes behind them: zeros, for what a function of Go reads in its
// variable parts.
func Extend(dst, body []byte, size, half int) []byte {
	dst = append(dst, body[:size]...)
	dst = append(dst, make([]byte, half)...)
	return append(dst, body[size:]...)
}

// AppendPart makes text a variable part of the event in b, and describes it in
// the 8 bytes at: struct ingrain_tail of bpf/include/ingrain.h. The parts begin
// at tail. A text(room) has room for a NUL, as in C. nil is null.
func AppendPart(b []byte, at, tail int, text []byte, room int) []byte {
	return appendPart(b, at, tail, text, min(len(text), room-1))
}

// AppendWordsPart is AppendPart for NUL-terminated words of at most room bytes
// in all. Those that do not fit are left out whole.
func AppendWordsPart(b []byte, at, tail int, words []byte, room int) []byte {
	n := len(words)
	if n > room {
		n = 1 + bytes.LastIndexByte(words[:room], 0)
	}
	return appendPart(b, at, tail, words, n)
}

// appendPart keeps the first n bytes of a part.
func appendPart(b []byte, at, tail int, part []byte, n int) []byte {
	if part == nil {
		return b
	}
	state := TailSet
	if n < len(part) {
		state |= TailCut
	}
	binary.LittleEndian.PutUint16(b[at:], uint16(len(b)-tail))
	binary.LittleEndian.PutUint16(b[at+2:], uint16(n))
	binary.LittleEndian.PutUint32(b[at+4:], uint32(state))
	return append(b, part[:n]...)
}
