// SPDX-License-Identifier: Apache-2.0

package executable

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Site is a place in code that <sys/sdt.h> marks: an instruction that does
// nothing, and a note of what is known there.
type Site struct {
	Name      string // "PROVIDER:PROBE"; several sites may have it
	Offset    uint64 // in the file
	Semaphore uint64 // where in the file a counter is, not 0 while somebody looks; 0: there is none

	address uint64
	args    []string // as the note has them, such as -4@%edi
}

// mostNotes bounds their section; that of a large program has some 500 kB.
const mostNotes = 16 << 20

var errNotes = errors.New("its notes of probes are damaged")

// Sites are those that the file has notes of, in their order, each once. A
// note whose code the linker left out is not one.
func (f *File) Sites() ([]Site, error) {
	notes := f.section(".note.stapsdt")
	if notes.Size > mostNotes {
		return nil, errNotes
	}
	rest, err := f.bytes(notes)
	if err != nil {
		return nil, fmt.Errorf("its notes of probes: %w", err)
	}
	base := f.section(".stapsdt.base").Addr
	var sites []Site
	seen := map[string]bool{}
	for len(rest) >= 12 { // elf.h, Elf64_Nhdr
		little := binary.LittleEndian
		ownerSize, size, kind := little.Uint32(rest), little.Uint32(rest[4:]), little.Uint32(rest[8:])
		var owner, note []byte
		if owner, rest, err = cut(rest[12:], ownerSize); err == nil {
			note, rest, err = cut(rest, size)
		}
		if err != nil {
			return nil, err
		}
		if string(owner) != "stapsdt\x00" || kind != 3 || seen[string(note)] {
			continue
		}
		seen[string(note)] = true
		site, err := f.site(note, base)
		if err != nil {
			return nil, err
		}
		if site != nil {
			sites = append(sites, *site)
		}
	}
	return sites, nil
}

// section is the one with that name, or one of no bytes.
func (f *File) section(want string) *elf.Section64 {
	i := slices.IndexFunc(f.sections, func(s elf.Section64) bool { return string(name(f.names, s.Name)) == want })
	if i < 0 {
		return &elf.Section64{}
	}
	return &f.sections[i]
}

// cut takes a part of so many bytes, which is padded to whole words.
func cut(rest []byte, size uint32) (part, behind []byte, err error) {
	if uint64(size) > uint64(len(rest)) {
		return nil, nil, errNotes
	}
	return rest[:size], rest[min(len(rest), (int(size)+3)&^3):], nil
}

// site reads a note of version 3 (systemtap's wiki,
// UserSpaceProbeImplementation): the addresses of the site, of the section
// .stapsdt.base and of the semaphore as they were linked, and three strings.
// Tools that move code do not touch notes: by how far .stapsdt.base is
// elsewhere now, the others are too. It is nil when there is no code.
func (f *File) site(note []byte, base uint64) (*Site, error) {
	if len(note) < 24 {
		return nil, errNotes
	}
	texts := strings.SplitN(string(note[24:]), "\x00", 4)
	if len(texts) < 4 {
		return nil, errNotes
	}
	address, linked, semaphore := binary.LittleEndian.Uint64(note), binary.LittleEndian.Uint64(note[8:]), binary.LittleEndian.Uint64(note[16:])
	var moved uint64
	if base != 0 && linked != 0 {
		moved = base - linked
	}
	s := &Site{Name: texts[0] + ":" + texts[1], address: address + moved, args: arguments(texts[2])}
	var ok bool
	if s.Offset, ok = f.offset(s.address, elf.PF_X); !ok {
		return nil, nil
	}
	if semaphore != 0 {
		if s.Semaphore, ok = f.offset(semaphore+moved, elf.PF_W); !ok || s.Semaphore>>32 != 0 { // kernels are told 32 bits
			return nil, fmt.Errorf("the semaphore of %s is not in its data", s.Name)
		}
	}
	return s, nil
}

// arguments takes them apart at spaces, but for those in the brackets of an
// operand, such as 8@[sp, 16].
func arguments(text string) (all []string) {
	depth, from := 0, 0
	for i := 0; i <= len(text); i++ {
		switch {
		case i == len(text) || text[i] == ' ' && depth == 0:
			if i > from {
				all = append(all, text[from:i])
			}
			from = i + 1
		case text[i] == '[' || text[i] == '(':
			depth++
		case text[i] == ']' || text[i] == ')':
			depth--
		}
	}
	return all
}
