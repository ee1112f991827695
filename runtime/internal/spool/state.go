// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"encoding/binary"
	"hash/crc32"
	"os"
)

// Books are counts of rows over the life of a log, kept beside it, so that the
// next process knows what a crash cost.
type Books struct {
	In     uint64 // came to the lane
	Direct uint64 // of those, what left it without having been in the log: shipped or dropped
}

// state is what is known of a log beside its segments.
type state struct {
	id   identity
	next place // to be read
	end  place // to be written
	Books
	closed bool // nothing came after it
}

const (
	stateSize = 88
	slotSize  = 4096 // apart, so that no write tears both
)

var stateMagic = [8]byte{'i', 'n', 'g', 'r', 's', 't', 't', '1'}

// stateFile holds the state twice; the copy with the higher count is valid.
type stateFile struct {
	f     *os.File
	count uint64
}

// appendState appends one copy.
func appendState(dst []byte, count uint64, s *state) []byte {
	at, le := len(dst), binary.LittleEndian
	dst = append(dst, stateMagic[:]...)
	dst = append(dst, 0, 0, 0, 0, 0, 0, 0, 0)
	if s.closed {
		dst[at+12] = 1
	}
	dst = append(dst, s.id[:]...)
	for _, v := range [...]uint64{count, s.next.number, s.next.position, s.end.number, s.end.position, s.In, s.Direct} {
		dst = le.AppendUint64(dst, v)
	}
	le.PutUint32(dst[at+8:], crc32.Checksum(dst[at+12:], castagnoli))
	return dst
}

// parseState reads one copy; false says that it is none.
func parseState(b []byte) (count uint64, s state, ok bool) {
	le := binary.LittleEndian
	if len(b) < stateSize || [8]byte(b[:8]) != stateMagic || le.Uint32(b[8:]) != crc32.Checksum(b[12:stateSize], castagnoli) {
		return 0, state{}, false
	}
	v := func(i int) uint64 { return le.Uint64(b[32+8*i:]) }
	s = state{identity(b[16:32]), place{v(1), v(2)}, place{v(3), v(4)}, Books{v(5), v(6)}, b[12] == 1}
	return v(0), s, s.next.number <= s.end.number && s.next.position <= s.end.position && s.next.number > 0
}

// openState opens the file, and reads what it says; false when it says nothing.
func openState(path string) (*stateFile, state, bool, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, state{}, false, err
	}
	file := &stateFile{f: f}
	var best state
	found := false
	for slot := range int64(2) {
		var b [stateSize]byte
		if readFull(f, b[:], slot*slotSize) != nil {
			continue
		}
		if count, s, ok := parseState(b[:]); ok && (!found || count > file.count) {
			file.count, best, found = count, s, true
		}
	}
	return file, best, found, nil
}

// write replaces the older copy.
func (f *stateFile) write(s *state) error {
	f.count++
	_, err := f.f.WriteAt(appendState(nil, f.count, s), int64(f.count%2)*slotSize)
	return err
}
