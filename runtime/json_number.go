// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"encoding/binary"
	"math/bits"
)

// AppendBool appends true or false.
func AppendBool(dst []byte, b bool) []byte {
	if b {
		return append(dst, "true"...)
	}
	return append(dst, "false"...)
}

// AppendInt appends a number.
func AppendInt(dst []byte, i int64) []byte {
	if i < 0 {
		return AppendUint(append(dst, '-'), -uint64(i))
	}
	return AppendUint(dst, uint64(i))
}

// AppendUint appends a number.
func AppendUint(dst []byte, u uint64) []byte {
	if u < 10 {
		return append(dst, '0'+byte(u))
	}
	if u < 1e8 {
		return appendUint8(dst, uint32(u))
	}
	if u < 1e16 {
		dst = appendUint8(dst, uint32(u/1e8))
		return binary.LittleEndian.AppendUint64(dst, digits8(uint32(u%1e8))|zeros8)
	}
	dst = appendUint8(dst, uint32(u/1e16))
	u %= 1e16
	dst = binary.LittleEndian.AppendUint64(dst, digits8(uint32(u/1e8))|zeros8)
	return binary.LittleEndian.AppendUint64(dst, digits8(uint32(u%1e8))|zeros8)
}

// appendUint8 appends a number of 1 to 8 digits that is not 0.
func appendUint8(dst []byte, u uint32) []byte {
	digits := digits8(u)
	leading := bits.TrailingZeros64(digits) &^ 7
	dst = binary.LittleEndian.AppendUint64(dst, (digits|zeros8)>>leading)
	return dst[:len(dst)-leading/8]
}

const zeros8 = 0x3030303030303030 // "00000000"

// digits8 spreads the eight decimal digits of u, which is below 1e8, over the
// bytes of a word, the first digit in the lowest byte. It halves the number
// three times: all lanes of a word are divided by one multiplication.
func digits8(u uint32) uint64 {
	fours := uint64(u/10000) | uint64(u%10000)<<32
	high := fours * 10486 >> 20 & 0x0000007f_0000007f // x/100 for x < 10000
	twos := high | (fours-high*100)<<16
	high = twos * 103 >> 10 & 0x000f_000f_000f_000f // x/10 for x < 100
	return high | (twos-high*10)<<8
}
