// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	goruntime "runtime"
)

// What conditions and keys are made of in generated code; docs/expressions.md
// says what they mean. Nothing here fails or allocates.

// number is what a number of an expression is held in.
type number interface{ int64 | uint64 }

// Quo is a / b, rounded towards zero; 0 when b is 0.
func Quo[T number](a, b T) T {
	if b == 0 {
		return 0
	}
	return a / b
}

// Rem is a % b, with the sign of a; 0 when b is 0.
func Rem[T number](a, b T) T {
	if b == 0 {
		return 0
	}
	return a % b
}

// Abs is a without its sign; of the smallest number, itself.
func Abs(a int64) int64 {
	if a < 0 {
		return -a
	}
	return a
}

// Pick is a when the condition holds, else b.
func Pick[T number | bool](condition bool, a, b T) T {
	if condition {
		return a
	}
	return b
}

// ByArch is a constant that is not the same on x86-64 and on arm64.
func ByArch(x86, arm64 uint64) uint64 {
	if goruntime.GOARCH == "arm64" {
		return arm64
	}
	return x86
}

// LessUS compares as numbers of any size do: 1<<63 is more than -1.
func LessUS(a uint64, b int64) bool { return b > 0 && a < uint64(b) }

// LessSU is LessUS with the sign on the other side.
func LessSU(a int64, b uint64) bool { return a < 0 || uint64(a) < b }

// EqualUS reports whether two numbers are equal, of which one has a sign.
func EqualUS(a uint64, b int64) bool { return b >= 0 && a == uint64(b) }

// Bit is 1 for true.
func Bit(condition bool) byte {
	if condition {
		return 1
	}
	return 0
}

// Str is a text as a string: one that was not read is empty.
func Str(b []byte, s TailState) []byte {
	if s.Null() {
		return nil
	}
	return b
}

// StartsWith reports whether b begins with text.
func StartsWith(b []byte, text string) bool {
	return len(b) >= len(text) && string(b[:len(text)]) == text
}

// EndsWith reports whether b ends with text.
func EndsWith(b []byte, text string) bool {
	return len(b) >= len(text) && string(b[len(b)-len(text):]) == text
}

// Contains reports whether text, which is not empty, is somewhere in b.
func Contains(b []byte, text string) bool {
	for len(b) >= len(text) {
		i := bytes.IndexByte(b[:len(b)-len(text)+1], text[0])
		if i < 0 {
			return false
		}
		if b = b[i:]; string(b[:len(text)]) == text {
			return true
		}
		b = b[1:]
	}
	return false
}

// PutStr writes a string into a column of a key, and zeros behind it.
func PutStr[S string | []byte](dst []byte, s S) {
	clear(dst[copy(dst, s):])
}

// Address is an IP address as two words, read from memory by a little-endian
// CPU; IPv4 as ::ffff:a.b.c.d. Two are equal with ==.
type Address struct{ Hi, Lo uint64 }

// mapped is what ::ffff:0.0.0.0 has in its lower word.
const mapped = 0xffff0000

// AddressOf reads an address of 16 bytes, or of 4.
func AddressOf(b []byte) Address {
	if len(b) == 4 {
		return Address{0, mapped | uint64(binary.LittleEndian.Uint32(b))<<32}
	}
	return Address{binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])}
}

func (a Address) is4() bool { return a.Hi == 0 && uint32(a.Lo) == mapped }

// In reports whether a is in the network hi, lo, whose prefix the masks cover.
func (a Address) In(hi, lo, maskHi, maskLo uint64) bool {
	return a.Hi&maskHi == hi && a.Lo&maskLo == lo
}

// In6 is In for a network of IPv6 whose masks let IPv4 through.
func (a Address) In6(hi, lo, maskHi, maskLo uint64) bool {
	return a.In(hi, lo, maskHi, maskLo) && !a.is4()
}

// Put writes the 16 bytes of an address.
func (a Address) Put(dst []byte) {
	binary.LittleEndian.PutUint64(dst, a.Hi)
	binary.LittleEndian.PutUint64(dst[8:], a.Lo)
}

// Network is a network: its first address, and the bits of its prefix, of IPv4
// 0 to 32. Two are equal with ==.
type Network struct {
	Address
	Bits uint8
}

// Network is the network of an address: keep4 bits of IPv4 stay, keep6 of IPv6.
func (a Address) Network(keep4, keep6 int) Network {
	if a.is4() {
		return Network{Address{0, a.Lo & firstBits(32+keep4)}, uint8(keep4)}
	}
	return Network{Address{a.Hi & firstBits(keep6), a.Lo & firstBits(keep6-64)}, uint8(keep6)}
}

// firstBits are the first n bits of a word of an address.
func firstBits(n int) uint64 {
	return bits.ReverseBytes64(^(^uint64(0) >> max(n, 0)))
}

// Put writes the 17 bytes of a network.
func (n Network) Put(dst []byte) {
	n.Address.Put(dst)
	dst[16] = n.Bits
}
