// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
	"strings"
	"time"
)

// Who is who caused an event: struct who and struct owner of
// bpf/include/ingrain.h.
type Who struct {
	Cgroup uint64 // cgroup v2 id
	Comm   string // name of the thread
	PID    int32  // process
	TID    int32  // thread
	PPID   int32  // parent process
	UID    uint32
}

// Text is a variable-length string of an event.
type Text struct {
	Text  string
	State TailState
}

// Words is a variable-length list of strings of an event.
type Words struct {
	Words []string
	State TailState
}

// CString is b up to its first NUL, all of b when it has none. It is written to
// be compiled into its caller, which knows how long b is.
func CString(b []byte) []byte {
	n := 0
	for ; len(b)-n >= 8; n += 8 {
		if at := firstNUL(binary.LittleEndian.Uint64(b[n:])); at < 8 {
			return b[:n+at]
		}
	}
	for n < len(b) && b[n] != 0 {
		n++
	}
	return b[:n]
}

// firstNUL is where the first byte of word is that is zero; 8 when none is.
func firstNUL(word uint64) int {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	return bits.TrailingZeros64((word-ones)&^word&tops) / 8
}

// TailOK reports whether the part of tail that a descriptor of 8 bytes
// (struct ingrain_tail: at, len, state) speaks of lies within tail.
func TailOK(tail, descriptor []byte) bool {
	at := int(binary.LittleEndian.Uint16(descriptor))
	return at+int(binary.LittleEndian.Uint16(descriptor[2:])) <= len(tail)
}

// Tail is the part of tail that a descriptor speaks of. TailOK has been asked.
func Tail(tail, descriptor []byte) ([]byte, TailState) {
	at := int(binary.LittleEndian.Uint16(descriptor))
	end := at + int(binary.LittleEndian.Uint16(descriptor[2:]))
	return tail[at:end], TailState(binary.LittleEndian.Uint32(descriptor[4:]))
}

// CopyText is a Text of what Tail returned.
func CopyText(b []byte, state TailState) Text { return Text{string(b), state} }

// CopyWords is Words of what Tail returned: strings, each ended by a NUL.
func CopyWords(b []byte, state TailState) Words {
	if len(b) == 0 {
		return Words{nil, state}
	}
	return Words{strings.Split(strings.TrimSuffix(string(b), "\x00"), "\x00"), state}
}

// Addr is the address in 16 bytes, or 4; an IPv4 address in 16 bytes comes
// out as IPv4.
func Addr(b []byte) netip.Addr {
	addr, _ := netip.AddrFromSlice(b)
	return addr.Unmap()
}

// AppendCut appends mark, `,"NAME_cut":true`, when something was cut.
func AppendCut(dst []byte, mark string, state TailState) []byte {
	if state&TailCut != 0 {
		return append(dst, mark...)
	}
	return dst
}

// AppendWeight appends how many events a row stands for, when it is not one.
func AppendWeight(dst []byte, weight uint32) []byte {
	if weight == 1 {
		return dst
	}
	return AppendUint(append(dst, `,"weight":`...), uint64(weight))
}

// NumValue is a Value that is a number.
func NumValue(t Type, n uint64) Value { return Value{Type: t, Num: n} }

// NullValue is a Value that there is none.
func NullValue(t Type) Value { return Value{Type: t, Null: true} }

// BytesValue is a Value that is bytes of fixed room.
func BytesValue(t Type, b []byte) Value { return Value{Type: t, Bytes: b} }

// TailValue is a Value that is what Tail returned.
func TailValue(t Type, b []byte, state TailState) Value {
	return Value{Type: t, State: state, Bytes: b}
}

// BoolNum is 1 for true.
func BoolNum(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// MomentValue is a Value that is a moment, on the wall clock; 0 stays 0: it
// never was.
func MomentValue(mono uint64, offset int64) Value {
	if mono == 0 {
		return Value{Type: TypeMoment}
	}
	return Value{Type: TypeMoment, Num: mono + uint64(offset)}
}

// Moment is a moment on the wall clock; 0 is the zero time.
func Moment(mono uint64, offset int64) time.Time {
	if mono == 0 {
		return time.Time{}
	}
	return time.Unix(0, int64(mono)+offset)
}
