// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"path/filepath"
	"slices"
)

const (
	headerSize = 48
	suffix     = ".seg"
)

var fileMagic = [8]byte{'i', 'n', 'g', 'r', 's', 'p', 'l', '1'}

// place is where something stands in the log.
type place struct {
	number   uint64 // of the record
	position uint64 // rows ever spooled before it
}

// segment is a file of the log.
type segment struct {
	path  string
	first place // of its first record
	size  int64 // of what may be read
}

// segmentPath is the file of a segment whose first record has that number.
func segmentPath(dir string, number uint64) string {
	return filepath.Join(dir, fmt.Sprintf("%016x%s", number, suffix))
}

// appendHeader appends the header of a segment.
func appendHeader(dst []byte, id identity, first place) []byte {
	at := len(dst)
	dst = append(dst, fileMagic[:]...)
	dst = append(dst, 0, 0, 0, 0, 0, 0, 0, 0)
	dst = append(dst, id[:]...)
	dst = binary.LittleEndian.AppendUint64(dst, first.number)
	dst = binary.LittleEndian.AppendUint64(dst, first.position)
	binary.LittleEndian.PutUint32(dst[at+8:], crc32.Checksum(dst[at+12:], castagnoli))
	return dst
}

// readHeader reads the header of a segment; false says that it has none.
func readHeader(f io.ReaderAt) (identity, place, bool) {
	var b [headerSize]byte
	if readFull(f, b[:], 0) != nil || [8]byte(b[:8]) != fileMagic || binary.LittleEndian.Uint32(b[8:]) != crc32.Checksum(b[12:], castagnoli) {
		return identity{}, place{}, false
	}
	return identity(b[16:32]), place{binary.LittleEndian.Uint64(b[32:]), binary.LittleEndian.Uint64(b[40:])}, true
}

// scanner goes through the records of a segment.
type scanner struct {
	f    io.ReaderAt
	id   identity
	off  int64 // of the next record
	end  int64
	head head // of the record that next found

	sorted bool // a record is missing: the others come in the order of
	list   []found
}

// found is a head that was seen.
type found struct {
	number uint64
	at     int64
}

// next finds the next head, and says where; io.EOF at the end.
func (s *scanner) next() (at int64, err error) {
	for len(s.list) > 0 {
		at, s.list = s.list[0].at, s.list[1:]
		if s.head, err = readHead(s.f, s.id, at, s.end); err == nil {
			return at, nil
		}
	}
	for {
		s.head, err = readHead(s.f, s.id, s.off, s.end)
		if err == nil {
			at = s.off
			s.off += s.head.size()
			return at, nil
		}
		if err == io.EOF {
			return s.end, err
		}
		s.off = findHead(s.f, s.id, s.off+1, s.end)
	}
}

// body reads what belongs to the head that next found at. When that is
// damaged, the scanner goes on looking right behind the head, because its
// length may reach over what can be read.
func (s *scanner) body(at int64, buf []byte) (Record, []byte, error) {
	r, buf, err := readBody(s.f, &s.head, at, buf)
	if err != nil && !s.sorted {
		s.off = findHead(s.f, s.id, at+headSize, s.end)
	}
	return r, buf, err
}

// skip passes the record that next found at, by its length if that can be relied on.
func (s *scanner) skip(at int64, buf []byte) []byte {
	_, buf, _ = s.body(at, buf)
	return buf
}

// sort lists the heads from off to the end, of the numbers from least on, in
// the order of their numbers; next goes through those, and on behind them. Each
// head is one, whatever the length of that before says.
func (s *scanner) sort(off int64, least uint64) {
	s.sorted = true
	for off < s.end {
		h, err := readHead(s.f, s.id, off, s.end)
		if err == nil && h.number >= least {
			s.list = append(s.list, found{h.number, off})
		}
		off = findHead(s.f, s.id, off+1, s.end)
	}
	slices.SortStableFunc(s.list, func(a, b found) int { return cmp.Compare(a.number, b.number) })
	s.off = s.end
}

// survey finds the first record of a segment, and the place behind its last
// one; zero when none is whole.
func survey(f io.ReaderAt, id identity, size int64) (first, end place) {
	s := scanner{f: f, id: id, end: size}
	if _, _, ok := readHeader(f); ok {
		s.off = headerSize
	}
	var buf []byte
	for {
		at, err := s.next()
		if err != nil {
			return first, end
		}
		h := s.head
		if _, buf, err = s.body(at, buf); err != nil {
			continue
		}
		if first == (place{}) {
			first = place{h.number, h.position}
		}
		end = end.later(place{h.number + 1, h.position + h.rows})
	}
}
