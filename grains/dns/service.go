// SPDX-License-Identifier: Apache-2.0

package dns

import (
	"encoding/base64"
	"encoding/binary"
	"net/netip"
	"strconv"
)

// The parameters of SVCB and HTTPS records that have names (RFC 9460, 14.3).
const (
	paramMandatory = 0
	paramALPN      = 1
	paramNoDefault = 2
	paramPort      = 3
	paramIP4       = 4
	paramECH       = 5
	paramIP6       = 6
	paramDoH       = 7 // RFC 9461
)

// service appends the data of an SVCB or HTTPS record: priority, target and
// parameters.
func (r *reader) service(dst []byte) []byte {
	dst = r.name(r.number(dst))
	for r.at < len(r.b) && r.flaw == "" {
		key := r.uint16()
		value := r.take(int(r.uint16()))
		if r.flaw != "" {
			break
		}
		dst = appendName(append(dst, ' '), paramNames[:], "key", key)
		if len(value) > 0 {
			dst = r.param(append(dst, '='), key, value)
		}
	}
	return dst
}

// param appends the value of a parameter, which is not empty.
func (r *reader) param(dst []byte, key uint16, value []byte) []byte {
	switch key {
	case paramMandatory:
		return r.each(dst, value, 2, func(dst, b []byte) []byte {
			return appendName(dst, paramNames[:], "key", binary.BigEndian.Uint16(b))
		})
	case paramALPN:
		return r.protocols(dst, value)
	case paramPort:
		if len(value) == 2 {
			return strconv.AppendUint(dst, uint64(binary.BigEndian.Uint16(value)), 10)
		}
	case paramIP4:
		return r.each(dst, value, 4, appendAddress)
	case paramIP6:
		return r.each(dst, value, 16, appendAddress)
	case paramECH:
		return base64.StdEncoding.AppendEncode(dst, value)
	default:
		return appendQuoted(dst, value)
	}
	r.fail(badData)
	return dst
}

func appendAddress(dst, b []byte) []byte {
	addr, _ := netip.AddrFromSlice(b)
	return addr.AppendTo(dst)
}

// each appends the parts of a value, of size bytes each, with commas between.
func (r *reader) each(dst, value []byte, size int, part func(dst, b []byte) []byte) []byte {
	if len(value)%size != 0 {
		r.fail(badData)
		return dst
	}
	for i := 0; i < len(value); i += size {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = part(dst, value[i:i+size])
	}
	return dst
}

// protocols appends a list of protocols, in quotes.
func (r *reader) protocols(dst, value []byte) []byte {
	from := len(dst)
	for len(value) > 0 {
		n := int(value[0])
		if n == 0 || len(value)-1 < n {
			r.fail(badData)
			return dst[:from]
		}
		sep := byte(',')
		if len(dst) == from {
			sep = '"'
		}
		dst = append(dst, sep)
		for _, c := range value[1 : 1+n] {
			switch {
			case c == ',' || c == '\\': // an escape of the list, escaped in the text (RFC 9460, A.1)
				dst = append(dst, '\\', '\\')
				if c == '\\' {
					dst = append(dst, '\\')
				}
				dst = append(dst, c)
			case c == '"':
				dst = append(dst, '\\', c)
			case c >= ' ' && c < 0x7f:
				dst = append(dst, c)
			default:
				dst = appendDecimal(dst, c)
			}
		}
		value = value[1+n:]
	}
	return append(dst, '"')
}
