// SPDX-License-Identifier: Apache-2.0

// Package dns reads messages of the DNS (RFC 1035). Names are in lower case and
// without the dot at their end, since neither means anything; characters that
// would be taken for something else are escaped as dig escapes them.
package dns

import "encoding/binary"

// Message is what a message says. Its texts are parts of the message's memory,
// which the next one uses again.
type Message struct {
	Question  []byte // the name; nil when the message has no question
	Type      []byte // of the records asked for: AAAA
	Opcode    []byte // QUERY, NOTIFY ...
	Rcode     []byte // NOERROR, NXDOMAIN ... with the bits that EDNS adds
	Flags     []byte // those that are set, in dig's order: qr aa tc rd ra ad cd do
	Answers   []byte // records of the answer section, as words: "example.org 300 A 192.0.2.1"
	Addresses []byte // those that A and AAAA records among them have
	TTL       uint32 // the smallest of the answers'
	Flaw      []byte // what is wrong with the message; nil when nothing is

	text               []byte // memory of what is one string
	answers, addresses []byte
}

const (
	headerSize  = 12   // bytes
	mostAnswers = 2048 // bytes of Answers that rows have room for: records beyond are looked at, not written
)

// What Flaw says.
const (
	short     = "short"   // it ends before it should
	badLabel  = "label"   // a label is neither a text nor a pointer
	badLength = "length"  // a name has more than 255 bytes
	badJump   = "pointer" // a pointer does not lead backwards
	badData   = "data"    // a record's data are not what its type has
)

// reader goes through the bytes of one message.
type reader struct {
	b    []byte
	at   int
	flaw string // the first one; nothing is read from then on
}

// Read reads as much of a message as there is in b; false when that is less
// than a header.
func Read(b []byte, to *Message) bool {
	if len(b) < headerSize {
		return false
	}
	if to.text == nil {
		to.text, to.answers, to.addresses = make([]byte, 0, 512), make([]byte, 0, mostAnswers+512), make([]byte, 0, 512)
	}
	*to = Message{text: to.text[:0], answers: to.answers[:0], addresses: to.addresses[:0]}
	bits := binary.BigEndian.Uint16(b[2:])
	opcode, rcode, extended := bits>>11&15, bits&15, uint32(0)
	count := func(section int) int { return int(binary.BigEndian.Uint16(b[4+2*section:])) }

	r := &reader{b: b, at: headerSize}
	to.questions(r, count(0))
	if opcode == opUpdate { // whose records are something else (RFC 2136)
		to.finish(r, opcode, rcode, bits, 0)
		return true
	}
	for i := 0; i < count(1) && r.flaw == ""; i++ {
		to.answer(r, i == 0)
	}
	for i := 0; i < count(2)+count(3) && r.flaw == ""; i++ {
		if kind, ttl := r.skipRecord(); kind == typeOPT {
			extended = ttl
		}
	}
	to.finish(r, opcode, rcode|uint16(extended>>24<<4), bits, extended)
	return true
}

// finish notes what the header says.
func (m *Message) finish(r *reader, opcode, rcode, bits uint16, extended uint32) {
	m.Opcode = m.named(opcodeNames[:], "OPCODE", opcode)
	m.Rcode = m.named(rcodeNames[:], "RCODE", rcode)
	m.Flags = m.flags(bits, extended&0x8000 != 0)
	m.Answers, m.Addresses = m.answers, m.addresses
	if r.flaw != "" {
		from := len(m.text)
		m.text = append(m.text, r.flaw...)
		m.Flaw = m.since(from)
	}
}

// questions reads the question section, of which the first one counts: only
// multicast has several.
func (m *Message) questions(r *reader, n int) {
	for i := 0; i < n && r.flaw == ""; i++ {
		if i > 0 {
			r.skipName()
			r.skip(4)
			continue
		}
		from := len(m.text)
		m.text = r.name(m.text)
		name := m.since(from)
		kind := r.uint16()
		r.uint16() // the class
		if r.flaw == "" {
			m.Question, m.Type = name, m.named(typeNames[:], "TYPE", kind)
		}
	}
}

// since is the text that was written from a place on.
func (m *Message) since(from int) []byte { return m.text[from:len(m.text):len(m.text)] }

// named writes the name of a number.
func (m *Message) named(names []string, prefix string, n uint16) []byte {
	from := len(m.text)
	m.text = appendName(m.text, names, prefix, n)
	return m.since(from)
}

// headerFlags are those of the header, in dig's order (RFC 1035, 4.1.1; 4035, 3).
var headerFlags = [...]struct {
	name string
	bit  uint16
}{{"qr", 1 << 15}, {"aa", 1 << 10}, {"tc", 1 << 9}, {"rd", 1 << 8}, {"ra", 1 << 7}, {"ad", 1 << 5}, {"cd", 1 << 4}}

// flags writes the names of those that are set.
func (m *Message) flags(bits uint16, do bool) []byte {
	from := len(m.text)
	add := func(name string) {
		if len(m.text) > from {
			m.text = append(m.text, ' ')
		}
		m.text = append(m.text, name...)
	}
	for _, flag := range headerFlags {
		if bits&flag.bit != 0 {
			add(flag.name)
		}
	}
	if do {
		add("do")
	}
	return m.since(from)
}

// fail notes a flaw, unless there is one before it.
func (r *reader) fail(flaw string) {
	if r.flaw == "" {
		r.flaw = flaw
	}
}

// take is the next n bytes; nil with a flaw.
func (r *reader) take(n int) []byte {
	if r.flaw != "" || len(r.b)-r.at < n {
		r.fail(short)
		return nil
	}
	r.at += n
	return r.b[r.at-n : r.at]
}

func (r *reader) skip(n int) { r.take(n) }

func (r *reader) uint16() uint16 {
	if b := r.take(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (r *reader) uint32() uint32 {
	if b := r.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}
