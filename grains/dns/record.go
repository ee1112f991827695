// SPDX-License-Identifier: Apache-2.0

package dns

import (
	"encoding/hex"
	"net/netip"
	"strconv"
)

// answer reads a record of the answer section, and writes it, as long as there
// is room: name, TTL, type and data as in a zone file.
func (m *Message) answer(r *reader, first bool) {
	if len(m.answers) > mostAnswers {
		if _, ttl := r.skipRecord(); r.flaw == "" {
			m.TTL = min(m.TTL, ttl)
		}
		return
	}
	from := len(m.answers)
	dst := r.name(m.answers)
	kind := r.uint16()
	r.uint16() // the class
	ttl := r.uint32()
	size := int(r.uint16())
	end := r.at + size
	if end > len(r.b) {
		r.fail(short)
	}
	if r.flaw != "" {
		m.answers = m.answers[:from]
		return
	}
	dst = strconv.AppendUint(append(dst, ' '), uint64(ttl), 10)
	dst = append(appendName(append(dst, ' '), typeNames[:], "TYPE", kind), ' ')
	dst = m.data(dst, r, kind, end)
	m.answers = append(dst, 0)
	if first || ttl < m.TTL {
		m.TTL = ttl
	}
	r.at = end
}

// data appends the data of a record, which end at end. What is not as it should
// be is written in the form for unknown types, and is a flaw.
func (m *Message) data(dst []byte, r *reader, kind uint16, end int) []byte {
	raw := r.b[r.at:end]
	in := &reader{b: r.b[:end], at: r.at}
	from := len(dst)
	known := true
	switch kind {
	case typeA, typeAAAA:
		dst = m.address(dst, in, kind)
	case typeNS, typeCNAME, typePTR, typeDNAME:
		dst = in.name(dst)
	case typeMX:
		dst = in.name(in.number(dst))
	case typeSRV:
		dst = in.name(in.number(in.number(in.number(dst))))
	case typeSOA:
		dst = append(in.name(dst), ' ')
		dst = in.name(dst)
		for range 5 { // serial, refresh, retry, expire, minimum
			dst = strconv.AppendUint(append(dst, ' '), uint64(in.uint32()), 10)
		}
	case typeTXT, typeSPF:
		dst = in.strings(dst)
	case typeCAA:
		dst = in.authority(dst)
	case typeSVCB, typeHTTPS:
		dst = in.service(dst)
	default:
		known = false
	}
	if known && in.flaw == "" && in.at == end {
		return dst
	}
	if known {
		r.fail(badData)
	}
	// RFC 3597, 5
	dst = strconv.AppendUint(append(dst[:from], `\# `...), uint64(len(raw)), 10)
	if len(raw) > 0 {
		dst = hex.AppendEncode(append(dst, ' '), raw)
	}
	return dst
}

// address appends an address, also to the message's list of them.
func (m *Message) address(dst []byte, r *reader, kind uint16) []byte {
	size := 4
	if kind == typeAAAA {
		size = 16
	}
	b := r.take(size)
	if b == nil || r.at != len(r.b) {
		return dst
	}
	addr, _ := netip.AddrFromSlice(b)
	if len(m.addresses) <= mostAnswers {
		m.addresses = append(addr.AppendTo(m.addresses), 0)
	}
	return addr.AppendTo(dst)
}

// number appends a number and a space.
func (r *reader) number(dst []byte) []byte {
	return append(strconv.AppendUint(dst, uint64(r.uint16()), 10), ' ')
}

// strings appends the texts of a TXT record.
func (r *reader) strings(dst []byte) []byte {
	for i := 0; r.at < len(r.b) && r.flaw == ""; i++ {
		if i > 0 {
			dst = append(dst, ' ')
		}
		if n := r.take(1); n != nil {
			dst = appendQuoted(dst, r.take(int(n[0])))
		}
	}
	return dst
}

// authority appends the data of a CAA record (RFC 8659).
func (r *reader) authority(dst []byte) []byte {
	if flags := r.take(1); flags != nil {
		dst = append(strconv.AppendUint(dst, uint64(flags[0]), 10), ' ')
	}
	if n := r.take(1); n != nil {
		dst = append(appendLabel(dst, r.take(int(n[0]))), ' ')
	}
	return appendQuoted(dst, r.take(len(r.b)-r.at))
}

// skipRecord goes past a record.
func (r *reader) skipRecord() (kind uint16, ttl uint32) {
	r.skipName()
	kind = r.uint16()
	r.uint16() // the class
	ttl = r.uint32()
	r.skip(int(r.uint16()))
	return kind, ttl
}

// appendQuoted appends a text in quotes, so that it is one word of one line.
func appendQuoted(dst, text []byte) []byte {
	dst = append(dst, '"')
	for _, c := range text {
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c >= ' ' && c < 0x7f:
			dst = append(dst, c)
		default:
			dst = appendDecimal(dst, c)
		}
	}
	return append(dst, '"')
}
