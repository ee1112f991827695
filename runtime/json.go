// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// The Append functions of the json files write one JSON value (RFC 8259)
// behind dst and return the longer slice. Generated encoders call them on the
// reading goroutine: they keep nothing of what they are given, and allocate
// only when dst must grow.

// AppendText appends a text: a string, or null when it could not be read or
// nobody set it. Bytes that are not UTF-8 become U+FFFD, one for each byte.
func AppendText(dst, b []byte, s TailState) []byte {
	if s.Null() {
		return append(dst, "null"...)
	}
	return appendString(dst, b)
}

// AppendCString appends the string that ends at the first NUL of b, or at its
// end.
func AppendCString(dst, b []byte) []byte {
	dst = append(dst, '"')
	for len(b) > 0 {
		var n int
		dst, n = appendPlain(dst, b)
		b = b[n:]
		if len(b) == 0 || b[0] == 0 {
			break
		}
		dst, n = appendSpecial(dst, b)
		b = b[n:]
	}
	return append(dst, '"')
}

// AppendWords appends NUL-separated words as an array of strings, or null as
// AppendText does. A NUL at the end of b ends the last word and begins none.
func AppendWords(dst, b []byte, s TailState) []byte {
	if s.Null() {
		return append(dst, "null"...)
	}
	dst = append(dst, '[')
	for i := 0; len(b) > 0; i++ {
		if i > 0 {
			dst = append(dst, ',')
		}
		var word []byte
		word, b = NextWord(b)
		dst = appendString(dst, word)
	}
	return append(dst, ']')
}

// appendString appends b as a string.
func appendString(dst, b []byte) []byte {
	dst = append(dst, '"')
	for len(b) > 0 {
		var n int
		dst, n = appendPlain(dst, b)
		b = b[n:]
		if len(b) == 0 {
			break
		}
		dst, n = appendSpecial(dst, b)
		b = b[n:]
	}
	return append(dst, '"')
}

// appendPlain appends the bytes at the front of b that stand for themselves
// in a string, eight at a time, and says how many there were.
func appendPlain(dst, b []byte) ([]byte, int) {
	n := 0
	for ; len(b)-n >= 8; n += 8 {
		word := binary.LittleEndian.Uint64(b[n:])
		dst = binary.LittleEndian.AppendUint64(dst, word)
		if marks := special(word); marks != 0 {
			plain := bits.TrailingZeros64(marks) / 8
			return dst[:len(dst)-8+plain], n + plain
		}
	}
	if n == len(b) {
		return dst, n
	}
	// Behind the end there are zeros, which are special: they end the scan.
	word := lastWord(b[n:])
	dst = binary.LittleEndian.AppendUint64(dst, word)
	plain := bits.TrailingZeros64(special(word)) / 8
	return dst[:len(dst)-8+plain], n + plain
}

// lastWord reads one to seven bytes as the low ones of a word.
func lastWord(b []byte) uint64 {
	n := len(b)
	if n >= 4 {
		low := uint64(binary.LittleEndian.Uint32(b))
		high := uint64(binary.LittleEndian.Uint32(b[n-4:]))
		return low | high<<(8*(n-4))
	}
	return uint64(b[0]) | uint64(b[n/2])<<(8*(n/2)) | uint64(b[n-1])<<(8*(n-1))
}

// special marks, by their top bits, the bytes of word that need care in a
// string: controls, the quote, the backslash, and all that are not ASCII.
// Only the lowest mark is exact: a subtraction may borrow from the byte above
// one that is special.
func special(word uint64) uint64 {
	const ones, tops = 0x0101010101010101, 0x8080808080808080

	quote := word ^ '"'*ones
	slash := word ^ '\\'*ones
	return ((word - ' '*ones) | (quote - ones) | (slash - ones) | word) & tops
}

// appendSpecial appends the first character of b, which is not plain, and
// says how many bytes it took.
func appendSpecial(dst, b []byte) ([]byte, int) {
	c := b[0]
	if c >= utf8.RuneSelf {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			return append(dst, "\uFFFD"...), 1
		}
		return append(dst, b[:n]...), n
	}
	switch c {
	case '"', '\\':
		return append(dst, '\\', c), 1
	case '\b':
		return append(dst, `\b`...), 1
	case '\f':
		return append(dst, `\f`...), 1
	case '\n':
		return append(dst, `\n`...), 1
	case '\r':
		return append(dst, `\r`...), 1
	case '\t':
		return append(dst, `\t`...), 1
	}
	if c >= ' ' {
		return append(dst, c), 1
	}
	return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15]), 1
}
