// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
)

// Record is a batch on disk.
type Record struct {
	Name     string // of the batch
	Encoding string
	Grain    string // "" when its rows are of several
	Event    string // the same
	Rows     uint64
	First    int64 // time of the first row, ns since 1970
	Last     int64
	Bytes    []byte
}

const (
	headSize = 64
	// MaxBytes is how large a batch may be. No length on disk makes the reader
	// allocate more.
	MaxBytes = 64 << 20
	maxName  = 1 << 10
)

// ErrTooLarge is a batch that does not fit into the log.
var ErrTooLarge = errors.New("the batch is larger than the spool takes")

// errDamaged is where no record can be read, although there are bytes.
var errDamaged = errors.New("damaged")

// magic begins a record. None of its bytes occur in text.
var magic = [4]byte{0xf5, 0xfe, 0x01, 0xff}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// identity tells a log from another.
type identity [16]byte

// head is what stands in front of a record's bytes.
type head struct {
	number   uint64
	position uint64
	rows     uint64
	first    int64
	last     int64

	length                       int
	name, encoding, grain, event int
	crc                          uint32 // of what follows
}

// size is that of the record.
func (h *head) size() int64 {
	return headSize + int64(h.name+h.encoding+h.grain+h.event+h.length)
}

// appendRecord appends r as number and position say.
func appendRecord(dst []byte, id identity, number, position uint64, r *Record) []byte {
	at := len(dst)
	dst = append(dst, make([]byte, headSize)...)
	dst = append(dst, r.Name...)
	dst = append(dst, r.Encoding...)
	dst = append(dst, r.Grain...)
	dst = append(dst, r.Event...)
	dst = append(dst, r.Bytes...)
	h, le := dst[at:at+headSize], binary.LittleEndian
	copy(h, magic[:])
	le.PutUint32(h[8:], crc32.Checksum(dst[at+headSize:], castagnoli))
	le.PutUint32(h[12:], uint32(len(r.Bytes)))
	le.PutUint16(h[16:], uint16(len(r.Name)))
	le.PutUint16(h[18:], uint16(len(r.Encoding)))
	le.PutUint16(h[20:], uint16(len(r.Grain)))
	le.PutUint16(h[22:], uint16(len(r.Event)))
	le.PutUint64(h[24:], number)
	le.PutUint64(h[32:], position)
	le.PutUint64(h[40:], r.Rows)
	le.PutUint64(h[48:], uint64(r.First))
	le.PutUint64(h[56:], uint64(r.Last))
	le.PutUint32(h[4:], headSum(id, h))
	return dst
}

// headSum is the checksum of a head: id and all behind the checksum itself.
func headSum(id identity, h []byte) uint32 {
	return crc32.Update(crc32.Checksum(id[:], castagnoli), castagnoli, h[8:headSize])
}

// fits reports whether r can be written.
func (r *Record) fits() bool {
	return len(r.Bytes) <= MaxBytes && len(r.Name) <= maxName && len(r.Encoding) <= maxName && len(r.Grain) <= maxName && len(r.Event) <= maxName
}

// parseHead reads a head; false says that these bytes are none.
func parseHead(id identity, b []byte) (head, bool) {
	le := binary.LittleEndian
	if len(b) < headSize || !bytes.Equal(b[:4], magic[:]) || le.Uint32(b[4:]) != headSum(id, b) {
		return head{}, false
	}
	h := head{
		crc:      le.Uint32(b[8:]),
		length:   int(le.Uint32(b[12:])),
		name:     int(le.Uint16(b[16:])),
		encoding: int(le.Uint16(b[18:])),
		grain:    int(le.Uint16(b[20:])),
		event:    int(le.Uint16(b[22:])),
		number:   le.Uint64(b[24:]),
		position: le.Uint64(b[32:]),
		rows:     le.Uint64(b[40:]),
		first:    int64(le.Uint64(b[48:])),
		last:     int64(le.Uint64(b[56:])),
	}
	sane := h.length <= MaxBytes && h.name <= maxName && h.encoding <= maxName && h.grain <= maxName && h.event <= maxName &&
		h.number > 0 && h.number < 1<<62 && h.position < 1<<62 && h.rows < 1<<40
	return h, sane
}

// readHead reads the head at off of a segment that ends at end: io.EOF when
// nothing is there, errDamaged when it is no head, or its record reaches
// beyond the end.
func readHead(f io.ReaderAt, id identity, off, end int64) (head, error) {
	if off >= end {
		return head{}, io.EOF
	}
	var b [headSize]byte
	if end-off < headSize || readFull(f, b[:], off) != nil {
		return head{}, errDamaged
	}
	h, ok := parseHead(id, b[:])
	if !ok || h.size() > end-off {
		return head{}, errDamaged
	}
	return h, nil
}

// readBody reads what follows the head h at off into buf, which it may grow.
func readBody(f io.ReaderAt, h *head, off int64, buf []byte) (Record, []byte, error) {
	n := int(h.size() - headSize)
	if cap(buf) < n {
		buf = make([]byte, n)
	}
	buf = buf[:n]
	if readFull(f, buf, off+headSize) != nil || crc32.Checksum(buf, castagnoli) != h.crc {
		return Record{}, buf, errDamaged
	}
	name, rest := buf[:h.name], buf[h.name:]
	encoding, rest := rest[:h.encoding], rest[h.encoding:]
	grain, rest := rest[:h.grain], rest[h.grain:]
	event, rest := rest[:h.event], rest[h.event:]
	return Record{
		Name: string(name), Encoding: string(encoding), Grain: string(grain), Event: string(event),
		Rows: h.rows, First: h.first, Last: h.last, Bytes: rest,
	}, buf, nil
}

// findHead looks for the next head at or behind off: end when there is none.
func findHead(f io.ReaderAt, id identity, off, end int64) int64 {
	const step = 64 << 10
	buf := make([]byte, step+headSize)
	for off+headSize <= end {
		b := buf[:min(int64(len(buf)), end-off)]
		n, _ := f.ReadAt(b, off)
		b = b[:n]
		if n < headSize {
			return end
		}
		for at := 0; ; at++ {
			i := bytes.Index(b[at:], magic[:])
			if i < 0 || at+i+headSize > len(b) {
				break
			}
			at += i
			if h, ok := parseHead(id, b[at:]); ok && h.size() <= end-off-int64(at) {
				return off + int64(at)
			}
		}
		off += int64(n - headSize + 1)
	}
	return end
}

// readFull reads all of b at off.
func readFull(f io.ReaderAt, b []byte, off int64) error {
	n, err := f.ReadAt(b, off)
	if n == len(b) {
		return nil
	}
	return err
}
