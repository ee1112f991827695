// SPDX-License-Identifier: Apache-2.0

package runtime

import "encoding/binary"

// HeadSize is the size in bytes of struct ingrain_record (bpf/include/ingrain.h),
// which stands in front of each event on its way from the kernel.
const HeadSize = 16

// Event is a kind of event of a grain, or what describes the rows of a table.
// Its functions are generated. They are called on the reading goroutine,
// allocate nothing, and keep nothing of what they are given.
type Event struct {
	Name   string
	Help   string
	Stream bool
	Sinks  []string // sinks that may have it; none means all
	Fields []Field  // the leaves of the C struct, in its order
	Table  *Table   // of the rows of a table: which; Fields are its key's columns, then its cells
	Sample int64    // of so many events one is sent, by chance; 0: of each
	Limit  int64    // at most so many events a second are sent; 0: all

	Condition string // of the events that there are at all, as the YAML says it; "" for all
	// Where, when not nil, is the part of the event's condition that programs
	// cannot tell: an event of which it is not true is nobody's. params are the
	// grain's, in the order of Grain.Params.
	Where func(r *Record, params []int64) bool

	// Check reports whether body, what follows the head of a record, is a
	// whole event: long enough, with its variable parts inside. The other
	// functions may be called only when it is.
	Check func(body []byte) bool
	// Parse, when not nil, appends to dst, which is empty, the event in body with
	// the fields that a function of Go reads in its bytes; false when it could
	// not, and they are null. The functions below want what it returns, see Whole.
	// It has memory of its own: one goroutine calls it.
	Parse func(dst, body []byte) ([]byte, bool)
	// AppendJSON appends the event as one JSON object, without a newline.
	AppendJSON func(dst []byte, r Record) []byte
	// AppendValues appends a value for each of Fields.
	AppendValues func(dst []Value, r Record) []Value
}

// Record is one event as the kernel wrote it.
type Record struct {
	Time   int64  // ns since 1970, wall clock
	Offset int64  // Time less CLOCK_MONOTONIC, ns: what turns a moment into wall-clock time
	Weight uint32 // how many events it stands for
	Body   []byte // what follows the head, made Whole; valid until the next record is read
}

// Head is the decoded head of a record.
type Head struct {
	Time   uint64 // ns, CLOCK_MONOTONIC
	Weight uint32
	Grain  uint16 // index in the agent
	Event  uint16 // index in the grain
}

// ParseHead reads the head of a raw record. False means that it is shorter
// than a head.
func ParseHead(raw []byte) (Head, bool) {
	if len(raw) < HeadSize {
		return Head{}, false
	}
	return Head{
		Time:   binary.LittleEndian.Uint64(raw),
		Weight: binary.LittleEndian.Uint32(raw[8:]),
		Grain:  binary.LittleEndian.Uint16(raw[12:]),
		Event:  binary.LittleEndian.Uint16(raw[14:]),
	}, true
}
