// SPDX-License-Identifier: Apache-2.0

package runtime

import "github.com/redsift/ingraind/runtime/agg"

// Field is a leaf of an event: its name in rows, and what its value means.
type Field struct {
	Name string // dotted path in the row: "who.pid", "sizes.0"
	Help string
	Type Type
	Enum func(value int64) string // for TypeEnum: the constant's name, "" when there is none
	Cell *agg.Cell                // of what a table counts: how
	// Sum is, of a cell with a histogram or quantiles, the word of a row
	// (Table.Word) that has the sum of what it counts; 0: no cell adds that up.
	Sum int
}

// Type is what a value means, and so how it is written.
type Type uint8

// The types of values. What JSON shows is said behind each.
const (
	TypeUint      Type = iota + 1 // number
	TypeInt                       // number
	TypeBool                      // true, false
	TypeString                    // string: a char array up to its first NUL
	TypeText                      // string, or null when it could not be read or was not set
	TypeWords                     // array of strings, or null
	TypeHex                       // string of hex digits: a byte array
	TypeEnum                      // the constant's name, or the number when it has none
	TypeIP                        // "192.0.2.1", "2001:db8::1"; 16 bytes, IPv4 as ::ffff:a.b.c.d
	TypeIP4                       // "192.0.2.1"; 4 bytes
	TypePort                      // number
	TypeBytes                     // number of bytes
	TypeDuration                  // number of nanoseconds
	TypeMoment                    // RFC 3339 time
	TypeErrno                     // "ECONNREFUSED", null for 0
	TypeSignal                    // "SIGKILL", null for 0
	TypeSyscall                   // "openat", or the number when it has no name
	TypeCgroup                    // number
	TypeInterface                 // number
	TypeMAC                       // "02:00:00:00:00:01"
	TypeUser                      // number: a user id
	TypeGroup                     // number: a group id
	TypePID                       // number: a process or thread id
	TypeNet                       // "192.0.2.0/24"; 17 bytes: an address as in TypeIP, and how many bits of it count
	TypeFloat                     // number with decimals
	TypeHistogram                 // array of {"le": greatest value or null, "n": how many}, without the empty ones
	TypeQuantiles                 // object: {"p50": number, ...}
	TypeTop                       // array of {"value": ..., "n": how many at most}, the most frequent first
)

// TailState says what became of a variable-length part of an event
// (enum ingrain_tail_state in bpf/include/ingrain.h).
type TailState uint32

// The bits of a TailState.
const (
	TailCut   TailState = 1 // there was more than fits
	TailFault TailState = 2 // the memory could not be read
	TailSet   TailState = 4 // the grain filled it
)

// Value is one value of a row. It holds no reference but Bytes and Cell, which
// are valid until the next row is read.
type Value struct {
	Type  Type
	Null  bool      // there is none: a column of a row for all other keys, the mean of nothing
	State TailState // of a text or words
	Num   uint64    // numbers; signed ones are sign-extended to 64 bits; the bits of a float64
	Bytes []byte    // strings (up to their NUL), addresses, texts, words (NUL-separated), byte arrays
	Cell  []uint64  // of a histogram, quantiles, top: what the cell keeps (Field.Cell reads it)
}
