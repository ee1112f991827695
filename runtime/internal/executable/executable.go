// SPDX-License-Identifier: Apache-2.0

// Package executable finds in programs and libraries where probes are set:
// functions by their names, and the sites that <sys/sdt.h> marks, with the
// places of their arguments. Anybody may have written such a file: what it
// says is checked and bounded before it is believed, which debug/elf leaves to
// its callers.
package executable

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

const (
	// mostBytes is how large a table may be. A web browser's symbols, or their
	// names, have some hundred million.
	mostBytes = 256 << 20
	// longestName is how far the end of a name is looked for.
	longestName = 4096
)

// File is a program or library for a 64-bit machine, as far as probes ask.
type File struct {
	Machine elf.Machine

	fixed    bool // it runs at the addresses that it says (ET_EXEC)
	segments []elf.Prog64
	sections []elf.Section64
	names    []byte // of sections
	content  io.ReaderAt
	size     uint64
}

// Open opens a program or library. The caller closes the file on the disk,
// which is returned beside it, after the last question.
func Open(name string) (*File, *os.File, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, nil, err
	}
	if !info.Mode().IsRegular() { // to open a pipe is to wait for a writer
		return nil, nil, fmt.Errorf("%s is no file", name)
	}
	content, err := os.Open(name)
	if err != nil {
		return nil, nil, err
	}
	if info, err = content.Stat(); err == nil {
		var f *File
		if f, err = New(content, info.Size()); err == nil {
			return f, content, nil
		}
		err = fmt.Errorf("%s %w", name, err)
	}
	return nil, nil, errors.Join(err, content.Close())
}

// New reads the headers of a file of so many bytes.
func New(content io.ReaderAt, size int64) (*File, error) {
	f := &File{content: content, size: uint64(size)}
	var head elf.Header64
	if err := f.decode(&head, 0); err != nil || string(head.Ident[:4]) != elf.ELFMAG {
		return nil, errors.New("is no ELF file")
	}
	if head.Ident[elf.EI_CLASS] != byte(elf.ELFCLASS64) || head.Ident[elf.EI_DATA] != byte(elf.ELFDATA2LSB) {
		return nil, errors.New("is for no 64-bit, little-endian machine")
	}
	f.Machine, f.fixed = elf.Machine(head.Machine), elf.Type(head.Type) == elf.ET_EXEC
	f.segments, f.sections = make([]elf.Prog64, head.Phnum), make([]elf.Section64, head.Shnum)
	if err := errors.Join(f.decode(f.segments, head.Phoff), f.decode(f.sections, head.Shoff)); err != nil {
		return nil, fmt.Errorf("is damaged: %w", err)
	}
	if int(head.Shstrndx) < len(f.sections) {
		var err error
		if f.names, err = f.bytes(&f.sections[head.Shstrndx]); err != nil {
			return nil, fmt.Errorf("is damaged: %w", err)
		}
	}
	return f, nil
}

// decode reads a structure, or a slice of them.
func (f *File) decode(into any, at uint64) error {
	raw, err := f.read(at, uint64(binary.Size(into)))
	if err == nil {
		_, err = binary.Decode(raw, binary.LittleEndian, into)
	}
	return err
}

// bytes are those of a section. That it may be packed is not believed: no
// linker packs what is asked for here.
func (f *File) bytes(s *elf.Section64) ([]byte, error) {
	if elf.SectionType(s.Type) == elf.SHT_NOBITS {
		return nil, nil
	}
	return f.read(s.Off, s.Size)
}

func (f *File) read(at, size uint64) ([]byte, error) {
	if at > f.size || size > f.size-at || size > mostBytes {
		return nil, fmt.Errorf("it has no %d bytes at %d", size, at)
	}
	raw := make([]byte, size)
	if _, err := f.content.ReadAt(raw, int64(at)); err != nil {
		return nil, err
	}
	return raw, nil
}

// offset is where in the file is what a program has at an address, in a
// segment with these flags.
func (f *File) offset(address uint64, flags elf.ProgFlag) (uint64, bool) {
	for i := range f.segments {
		s := &f.segments[i]
		if elf.ProgType(s.Type) == elf.PT_LOAD && elf.ProgFlag(s.Flags)&flags == flags && address >= s.Vaddr && address-s.Vaddr < s.Filesz {
			return s.Off + address - s.Vaddr, true
		}
	}
	return 0, false
}

// name is the one that begins at a place of a table of names; nil for none.
func name(table []byte, at uint32) []byte {
	if uint64(at) >= uint64(len(table)) {
		return nil
	}
	table = table[at:min(len(table), int(at)+longestName)]
	if end := bytes.IndexByte(table, 0); end >= 0 {
		return table[:end]
	}
	return nil
}
