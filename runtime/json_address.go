// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"encoding/binary"
	"net/netip"
)

const hexDigits = "0123456789abcdef"

// AppendHex appends bytes as a string of hex digits.
func AppendHex(dst, b []byte) []byte {
	return append(appendHex(append(dst, '"'), b), '"')
}

// AppendIP appends an address of 16 bytes: "192.0.2.1" when it is IPv4
// (::ffff:a.b.c.d), else as RFC 5952 writes it: "2001:db8::1".
func AppendIP(dst, b []byte) []byte {
	return append(appendIP(append(dst, '"'), b), '"')
}

// AppendIP4 appends an address of 4 bytes: "192.0.2.1".
func AppendIP4(dst, b []byte) []byte {
	return append(appendIP4(append(dst, '"'), b), '"')
}

// AppendMAC appends a hardware address: "02:00:00:00:00:01".
func AppendMAC(dst, b []byte) []byte {
	return append(appendMAC(append(dst, '"'), b), '"')
}

func appendHex(dst, b []byte) []byte {
	for _, c := range b {
		dst = append(dst, hexDigits[c>>4], hexDigits[c&15])
	}
	return dst
}

func appendMAC(dst, b []byte) []byte {
	for i, c := range b {
		if i > 0 {
			dst = append(dst, ':')
		}
		dst = append(dst, hexDigits[c>>4], hexDigits[c&15])
	}
	return dst
}

func appendIP(dst, b []byte) []byte {
	if len(b) != 16 {
		return dst
	}
	if binary.BigEndian.Uint64(b) == 0 && binary.BigEndian.Uint32(b[8:]) == 0xffff {
		return appendIP4(dst, b[12:])
	}
	return netip.AddrFrom16([16]byte(b)).AppendTo(dst)
}

func appendIP4(dst, b []byte) []byte {
	for i, c := range b {
		if i > 0 {
			dst = append(dst, '.')
		}
		if c >= 100 {
			dst = append(dst, '0'+c/100)
		}
		if c >= 10 {
			dst = append(dst, '0'+c/10%10)
		}
		dst = append(dst, '0'+c%10)
	}
	return dst
}
