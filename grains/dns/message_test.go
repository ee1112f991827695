// SPDX-License-Identifier: Apache-2.0

package dns

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// message makes one: a header with flags and the counts of its four sections,
// and what follows.
func message(flags uint16, counts [4]uint16, parts ...string) []byte {
	b := []byte{0x12, 0x34, byte(flags >> 8), byte(flags)}
	for _, n := range counts {
		b = append(b, byte(n>>8), byte(n))
	}
	return append(b, strings.Join(parts, "")...)
}

// wire is a name as it is sent.
func wire(name string) string {
	var b strings.Builder
	for label := range strings.SplitSeq(name, ".") {
		b.WriteByte(byte(len(label)))
		b.WriteString(label)
	}
	b.WriteByte(0)
	return b.String()
}

// record is one as it is sent, of a TTL of a minute.
func record(name string, kind uint16, data string) string {
	return name + string([]byte{byte(kind >> 8), byte(kind), 0, 1, 0, 0, 0, 60, byte(len(data) >> 8), byte(len(data))}) + data
}

const (
	isA   = "\x00\x01\x00\x01" // type and class of a question
	isTXT = "\x00\x10\x00\x01"
	first = "\xc0\x0c" // the name of the question
)

// words are those of a list.
func words(list []byte) []string {
	if len(list) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(list), "\x00"), "\x00")
}

func TestMessagesAreRead(t *testing.T) {
	for name, test := range map[string]struct {
		message                  []byte
		question, kind           string
		opcode, rcode, flags     string
		answers, addresses, flaw string
		ttl                      uint32
	}{
		"a question":         {message: message(0x0100, [4]uint16{1}, wire("example.org"), isA), question: "example.org", kind: "A", opcode: "QUERY", rcode: "NOERROR", flags: "rd"},
		"the root":           {message: message(0, [4]uint16{1}, "\x00", "\x00\x02\x00\x01"), question: ".", kind: "NS", opcode: "QUERY", rcode: "NOERROR"},
		"capitals, and more": {message: message(0, [4]uint16{1}, "\x09EXample.\xff\x03O g\x00", "\xff\xff\x00\x01"), question: `example\.\255.o\032g`, kind: "TYPE65535", opcode: "QUERY", rcode: "NOERROR"},
		"nothing at all":     {message: message(0xffff, [4]uint16{}), opcode: "OPCODE15", rcode: "RCODE15", flags: "qr aa tc rd ra ad cd"},
		"an answer": {
			message:  message(0x8180, [4]uint16{1, 2, 1, 1}, wire("www.example.org"), isA, record(first, 5, "\xc0\x10"), record("\xc0\x10", 1, "\xc0\x00\x02\x01"), record("\xc0\x10", 2, "\x02ns\xc0\x10"), record("\x00", 41, "")),
			question: "www.example.org", kind: "A", opcode: "QUERY", rcode: "NOERROR", flags: "qr rd ra",
			answers: "www.example.org 60 CNAME example.org|example.org 60 A 192.0.2.1", addresses: "192.0.2.1", ttl: 60,
		},
		"bits of EDNS": {
			message:  message(0x8000, [4]uint16{1, 0, 0, 1}, wire("a"), isA, "\x00\x00\x29\x04\xd0\x01\x00\x80\x00\x00\x00"),
			question: "a", kind: "A", opcode: "QUERY", rcode: "BADVERS", flags: "qr do",
		},
		"an update": {message: message(5<<11, [4]uint16{1, 3, 9, 9}, wire("zone"), "\x00\x06\x00\x01", "prerequisites"), question: "zone", kind: "SOA", opcode: "UPDATE", rcode: "NOERROR"},
		"questions to many": {
			message: message(0, [4]uint16{2, 1}, wire("a.local"), "\x00\x0c\x80\x01", first, isA, record("\xc0\x0c", 12, wire("b.local"))), question: "a.local", kind: "PTR", opcode: "QUERY", rcode: "NOERROR",
			answers: "a.local 60 PTR b.local", ttl: 60,
		},
		"an answer without a question": {message: message(0x8400, [4]uint16{0, 1}, record(wire("h.local"), 28, "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01")), opcode: "QUERY", rcode: "NOERROR", flags: "qr aa", answers: "h.local 60 AAAA 2001:db8::1", addresses: "2001:db8::1", ttl: 60},
		"texts":                        {message: message(0x8000, [4]uint16{1, 1}, wire("t"), isTXT, record(first, 16, "\x00\x03a b\x02\"\\\x01\x7f")), question: "t", kind: "TXT", opcode: "QUERY", rcode: "NOERROR", flags: "qr", answers: `t 60 TXT "" "a b" "\"\\" "\127"`, ttl: 60},
		"a service":                    {message: message(0x8000, [4]uint16{1, 1}, wire("s"), "\x00\x41\x00\x01", record(first, 65, "\x00\x01\x00\x00\x00\x00\x02\x00\x01\x00\x01\x00\x06\x02h2\x02,\"\x00\x02\x00\x00\x00\x05\x00\x01\xff\x02\x9b\x00\x02hi")), question: "s", kind: "HTTPS", opcode: "QUERY", rcode: "NOERROR", flags: "qr", answers: `s 60 HTTPS 1 . mandatory=alpn alpn="h2,\\,\"" no-default-alpn ech=/w== key667="hi"`, ttl: 60},

		// What is wrong, and what is read all the same.
		"a question cut":              {message: message(0, [4]uint16{1}, wire("example.org"), "\x00\x01\x00"), opcode: "QUERY", rcode: "NOERROR", flaw: short},
		"no question although one":    {message: message(0, [4]uint16{1}), opcode: "QUERY", rcode: "NOERROR", flaw: short},
		"a pointer to itself":         {message: message(0, [4]uint16{1}, first, isA), opcode: "QUERY", rcode: "NOERROR", flaw: badJump},
		"a pointer ahead":             {message: message(0, [4]uint16{1}, "\xc0\x20", isA), opcode: "QUERY", rcode: "NOERROR", flaw: badJump},
		"pointers in a circle":        {message: message(0, [4]uint16{1}, "\x01a\x01b\xc0\x0e\x00", isA), opcode: "QUERY", rcode: "NOERROR", flaw: badJump},
		"half a pointer":              {message: message(0, [4]uint16{1}, "\xc0"), opcode: "QUERY", rcode: "NOERROR", flaw: short},
		"a label of another kind":     {message: message(0, [4]uint16{1}, "\x41", wire("a"), isA), opcode: "QUERY", rcode: "NOERROR", flaw: badLabel},
		"a name too long":             {message: message(0, [4]uint16{1}, strings.Repeat("\x3f"+strings.Repeat("a", 63), 4), "\x00", isA), opcode: "QUERY", rcode: "NOERROR", flaw: badLength},
		"an address of three bytes":   {message: message(0x8000, [4]uint16{1, 2}, wire("a"), isA, record(first, 1, "\xc0\x00\x02"), record(first, 1, "\xc0\x00\x02\x01")), question: "a", kind: "A", opcode: "QUERY", rcode: "NOERROR", flags: "qr", answers: `a 60 A \# 3 c00002`, ttl: 60, flaw: badData},
		"a name beyond its data":      {message: message(0x8000, [4]uint16{1, 1}, wire("a"), isA, record(first, 5, "\x05abc")), question: "a", kind: "A", opcode: "QUERY", rcode: "NOERROR", flags: "qr", answers: `a 60 CNAME \# 4 05616263`, ttl: 60, flaw: badData},
		"more than the name in data":  {message: message(0x8000, [4]uint16{1, 1}, wire("a"), isA, record(first, 5, "\x01b\x00\x00")), question: "a", kind: "A", opcode: "QUERY", rcode: "NOERROR", flags: "qr", answers: `a 60 CNAME \# 4 01620000`, ttl: 60, flaw: badData},
		"an answer cut":               {message: message(0x8000, [4]uint16{1, 2}, wire("a"), isA, record(first, 1, "\xc0\x00\x02\x01"), record(first, 1, "\xc0\x00\x02\x02")[:13]), question: "a", kind: "A", opcode: "QUERY", rcode: "NOERROR", flags: "qr", answers: "a 60 A 192.0.2.1", addresses: "192.0.2.1", ttl: 60, flaw: short},
		"more authority than there":   {message: message(0x8003, [4]uint16{1, 0, 1}, wire("a"), isA), question: "a", kind: "A", opcode: "QUERY", rcode: "NXDOMAIN", flags: "qr", flaw: short},
		"an unknown type of no bytes": {message: message(0x8000, [4]uint16{1, 1}, wire("a"), isA, record(first, 65280, "")), question: "a", kind: "A", opcode: "QUERY", rcode: "NOERROR", flags: "qr", answers: `a 60 TYPE65280 \# 0`, ttl: 60},
	} {
		var m Message
		if !Read(test.message, &m) {
			t.Errorf("%s: got false, want it read", name)
			continue
		}
		for _, c := range []struct{ what, got, want string }{
			{"question", string(m.Question), test.question}, {"type", string(m.Type), test.kind}, {"opcode", string(m.Opcode), test.opcode}, {"rcode", string(m.Rcode), test.rcode},
			{"flags", string(m.Flags), test.flags}, {"answers", strings.Join(words(m.Answers), "|"), test.answers}, {"addresses", strings.Join(words(m.Addresses), "|"), test.addresses},
			{"ttl", fmt.Sprint(m.TTL), fmt.Sprint(test.ttl)}, {"flaw", string(m.Flaw), test.flaw},
		} {
			if c.got != c.want {
				t.Errorf("%s: got %s %q, want %q", name, c.what, c.got, c.want)
			}
		}
		if (m.Question == nil) != (test.question == "") || (m.Flaw == nil) != (test.flaw == "") || m.Answers == nil || m.Addresses == nil {
			t.Errorf("%s: got %#v, want nil for what there is not, and lists that may be empty", name, m)
		}
	}
	for n := range headerSize {
		if Read(make([]byte, n), new(Message)) {
			t.Errorf("%d bytes: got true, want false", n)
		}
	}
}

// What comes after a message does not depend on what came before.
func TestNothingIsLeftOfTheMessageBefore(t *testing.T) {
	long := message(0x8180, [4]uint16{1, 3}, wire("long.example.org"), isA, strings.Repeat(record(first, 1, "\xc0\x00\x02\x01"), 3))
	bad := message(0, [4]uint16{1}, first)
	var used Message
	for _, m := range [][]byte{long, bad, message(0, [4]uint16{}), long, nil, bad} {
		var fresh Message
		if got, want := Read(m, &used), Read(m, &fresh); got != want {
			t.Fatalf("got %v, want %v", got, want)
		}
		if got, want := shown(&used), shown(&fresh); m != nil && got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// shown is all that a message says.
func shown(m *Message) string {
	return fmt.Sprintf("%q %v %q %q %q %q %q %q %d %q", m.Question, m.Question == nil, m.Type, m.Opcode, m.Rcode, m.Flags, m.Answers, m.Addresses, m.TTL, m.Flaw)
}

func TestAMessageFullOfRecordsIsReadToItsEnd(t *testing.T) {
	const n = 300
	b := message(0x8180, [4]uint16{1, n}, wire("full.example.org"), isA, strings.Repeat(record(first, 1, "\xc0\x00\x02\x01"), n-1), strings.Replace(record(first, 1, "\xc0\x00\x02\x01"), "\x00\x3c", "\x00\x05", 1))
	var m Message
	if !Read(b, &m) || m.Flaw != nil || m.TTL != 5 {
		t.Errorf("got flaw %q and a TTL of %d, want none and 5", m.Flaw, m.TTL)
	}
	if size := len(m.Answers); size <= mostAnswers || size > mostAnswers+512 {
		t.Errorf("got %d bytes of answers, want a little more than %d", size, mostAnswers)
	}
}

func TestReadingAllocatesNothing(t *testing.T) {
	b := message(0x8180, [4]uint16{1, 3}, wire("www.example.org"), isA, record(first, 5, "\xc0\x10"), record("\xc0\x10", 1, "\xc0\x00\x02\x01"),
		record(first, 65, "\x00\x01\x00\x00\x01\x00\x06\x02h2\x02h3\x00\x04\x00\x04\xc0\x00\x02\x01"))
	var m Message
	Read(b, &m)
	if n := testing.AllocsPerRun(1000, func() { Read(b, &m) }); n != 0 {
		t.Errorf("got %v allocations for a message, want 0", n)
	}
}

// The steps that a message can make the reader take are bounded by its size:
// pointers that lead to pointers are the worst there is.
func TestPointersToPointersEnd(t *testing.T) {
	var b []byte
	b = append(b, message(0, [4]uint16{1}, "\x00")...)
	for len(b) < 4000 {
		to := len(b) - 2
		if to < 13 {
			to = 12
		}
		b = append(b, 0xc0|byte(to>>8), byte(to))
	}
	r := &reader{b: b, at: len(b) - 2}
	if name := r.name(nil); r.flaw != badJump {
		t.Errorf("got %q, flaw %q, want %s", name, r.flaw, badJump)
	}
}

// FuzzRead feeds anything: what is read is bounded, clean, and the same again.
func FuzzRead(f *testing.F) {
	f.Add(message(0x0100, [4]uint16{1}, wire("example.org"), isA))
	f.Add(message(0x8180, [4]uint16{1, 2}, wire("www.example.org"), isA, record(first, 5, "\xc0\x10"), record("\xc0\x10", 1, "\xc0\x00\x02\x01")))
	f.Add(message(0, [4]uint16{1}, first, isA))
	for _, line := range strings.Fields(captured) {
		b, err := hex.DecodeString(line)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	var used Message
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 4096 {
			b = b[:4096]
		}
		before := slices.Clone(b)
		ok := Read(b, &used)
		if ok != (len(b) >= headerSize) {
			t.Fatalf("got %v for %d bytes", ok, len(b))
		}
		if !slices.Equal(before, b) {
			t.Fatal("the message was written to")
		}
		if !ok {
			return
		}
		var fresh Message
		Read(b, &fresh)
		if got, want := shown(&used), shown(&fresh); got != want {
			t.Fatalf("got %s after others, want %s", got, want)
		}
		if len(fresh.Question) > 4*255 || len(fresh.Answers) > mostAnswers+1<<15 || len(fresh.Addresses) > mostAnswers+64 {
			t.Errorf("got %d, %d and %d bytes, want less", len(fresh.Question), len(fresh.Answers), len(fresh.Addresses))
		}
		for _, text := range [][]byte{fresh.Question, fresh.Type, fresh.Flags, fresh.Answers, fresh.Addresses} {
			for _, c := range text {
				if c != 0 && (c < ' ' || c >= 0x7f) {
					t.Fatalf("got %q, want it readable", text)
				}
			}
		}
	})
}
