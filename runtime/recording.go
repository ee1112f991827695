// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// A recording is a file of raw records and of what it takes to decode them.
// All its numbers are little-endian. It starts with
//
//	"INGRAIN\n"   u16 version   u16 number of grains
//
// and goes on in frames, first one for each grain, then the records:
//
//	u32 CRC32C of all that follows   u32 size of the payload   u8 kind   payload
//
// A record's payload is what the transport delivered, head and body. The
// offset in force (Record.Offset) stands in a frame of its own, before the
// first record that has it. A file that ends inside of a frame is torn: its
// writer was killed, or had no room. What stands before is whole.
const (
	recordingMagic   = "INGRAIN\n"
	recordingVersion = 1
	recordingStart   = len(recordingMagic) + 4 // bytes before the first frame
	frameHeadSize    = 9

	// MaxRecordSize is how many bytes a recorded record may have. Variable
	// parts are addressed with 16 bits, so that none comes near.
	MaxRecordSize = 1 << 20

	maxGrainFrame = 16 << 20
	maxGrains     = 1 << 12
)

// What a frame holds.
const (
	frameGrain  = 1 // a RecordedGrain: see appendGrain
	frameOffset = 2 // i64 offset, ns
	frameRecord = 3 // a raw record
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// RecordedGrain is what a recording says of a grain. Its place in the list of
// grains is the Grain of its records' heads.
type RecordedGrain struct {
	Name   string
	Events []RecordedEvent // the place of each is the Event of its records' heads
	BTF    []byte          // of the events' structs, for other tools; nil when there is none
}

// RecordedEvent is an event and how it lies in memory.
type RecordedEvent struct {
	Name   string
	Layout string // a line for each leaf; records can be decoded by an event of equal layout
}

// appendFrame appends a whole frame.
func appendFrame(dst []byte, kind byte, payload []byte) []byte {
	start := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(payload)))
	dst = append(dst, kind)
	dst = append(dst, payload...)
	binary.LittleEndian.PutUint32(dst[start:], crc32.Checksum(dst[start+4:], castagnoli))
	return dst
}

// appendGrain appends the payload of a grain's frame: name, BTF, the number
// of events, and for each its name and layout. A number has 32 bits, a text is
// its size and its bytes.
func appendGrain(dst []byte, g RecordedGrain) []byte {
	dst = appendText(dst, g.Name)
	dst = appendText(dst, string(g.BTF))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(g.Events)))
	for _, e := range g.Events {
		dst = appendText(dst, e.Name)
		dst = appendText(dst, e.Layout)
	}
	return dst
}

func appendText(dst []byte, text string) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(text)))
	return append(dst, text...)
}

// parseGrain reads what appendGrain wrote. It keeps nothing of payload.
func parseGrain(payload []byte) (RecordedGrain, error) {
	c := cursor{rest: payload}
	g := RecordedGrain{Name: c.text()}
	if blob := c.text(); blob != "" {
		g.BTF = []byte(blob)
	}
	for n := c.number(); n > 0 && !c.short; n-- {
		g.Events = append(g.Events, RecordedEvent{Name: c.text(), Layout: c.text()})
	}
	switch {
	case c.short:
		return RecordedGrain{}, errors.New("a grain's description ends early")
	case len(c.rest) > 0:
		return RecordedGrain{}, fmt.Errorf("%d bytes follow the description of grain %q", len(c.rest), g.Name)
	}
	return g, nil
}

// cursor reads numbers and texts until there are none left; short says that
// one was missing.
type cursor struct {
	rest  []byte
	short bool
}

func (c *cursor) number() uint32 {
	if len(c.rest) < 4 {
		c.rest, c.short = nil, true
		return 0
	}
	n := binary.LittleEndian.Uint32(c.rest)
	c.rest = c.rest[4:]
	return n
}

func (c *cursor) text() string {
	n := c.number()
	if uint64(n) > uint64(len(c.rest)) {
		c.rest, c.short = nil, true
		return ""
	}
	text := string(c.rest[:n])
	c.rest = c.rest[n:]
	return text
}
