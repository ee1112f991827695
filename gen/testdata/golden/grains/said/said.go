// SPDX-License-Identifier: Apache-2.0

// Package said reads words.
package said

import "bytes"

// Words are the words of a message.
type Words struct {
	First, Others     []byte
	Many              bool
	U8                uint8
	U16, Peer, Secret uint16
	U32               uint32
	U64, Size, Wait   uint64
	S8                int8
	S16               int16
	S32               int32
	S64               int64
	IP                [16]byte
	IP4               [4]byte
	MAC               [6]byte
	memory            []byte // of Others
}

// Read reads words with spaces between them; false when there is a NUL.
func Read(b []byte, to *Words) bool {
	if bytes.IndexByte(b, 0) >= 0 {
		return false
	}
	first, rest, more := bytes.Cut(b, []byte(" "))
	n := 0
	to.memory = to.memory[:0]
	for word := range bytes.SplitSeq(rest, []byte(" ")) {
		if more {
			to.memory = append(append(to.memory, word...), 0)
			n++
		}
	}
	*to = Words{
		First: first, Many: more, memory: to.memory,
		U8: uint8(n), U16: uint16(n), U32: uint32(n), U64: uint64(n), Secret: uint16(n),
		S8: int8(-n), S16: int16(-n), S32: int32(-n), S64: int64(-n),
		IP: [16]byte{10: 0xff, 11: 0xff, 12: 192, 14: 2, 15: byte(n)}, IP4: [4]byte{192, 0, 2, byte(n)}, MAC: [6]byte{2, 5: byte(n)},
		Peer: uint16(n), Size: uint64(len(b)), Wait: uint64(1000 * n),
	}
	if more {
		to.Others = to.memory
	}
	return true
}

// Text is a line.
type Text struct{ Text []byte }

// Line reads anything.
func Line(b []byte, to *Text) bool {
	to.Text = b
	return true
}
