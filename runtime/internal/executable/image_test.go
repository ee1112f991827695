// SPDX-License-Identifier: Apache-2.0

package executable

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"strings"
	"testing"
)

// image is a file as a linker leaves it: code at address 0x1000, which is at
// 0x200 in the file, data at 0x3000, at 0x300, and sections without names of
// their own but for those that are looked for.
type image struct {
	machine elf.Machine
	fixed   bool
	notes   []byte
	base    uint64 // where .stapsdt.base is
	symbols []elf.Sym64
	names   string // of symbols
}

// symbol adds one.
func (i *image) symbol(name string, kind elf.SymType, value uint64) {
	if i.names == "" {
		i.names, i.symbols = "\x00", []elf.Sym64{{}}
	}
	i.symbols = append(i.symbols, elf.Sym64{Name: uint32(len(i.names)), Info: elf.ST_INFO(elf.STB_LOCAL, kind), Shndx: 1, Value: value})
	i.names += name + "\x00"
}

// note adds one.
func (i *image) note(address, base, semaphore uint64, provider, probe, args string) {
	desc := binary.LittleEndian.AppendUint64(nil, address)
	desc = binary.LittleEndian.AppendUint64(desc, base)
	desc = binary.LittleEndian.AppendUint64(desc, semaphore)
	i.raw("stapsdt\x00", 3, append(desc, provider+"\x00"+probe+"\x00"+args+"\x00"...))
}

func (i *image) raw(owner string, kind uint32, desc []byte) {
	for _, n := range []uint32{uint32(len(owner)), uint32(len(desc)), kind} {
		i.notes = binary.LittleEndian.AppendUint32(i.notes, n)
	}
	for _, part := range []string{owner, string(desc)} {
		i.notes = append(i.notes, part+strings.Repeat("\x00", -len(part)&3)...)
	}
}

func (i *image) bytes(t testing.TB) []byte {
	t.Helper()
	const names = "\x00.note.stapsdt\x00.stapsdt.base\x00.shstrtab\x00"
	var out bytes.Buffer
	put := func(values ...any) (at, size uint64) {
		at = uint64(out.Len())
		for _, v := range values {
			if err := binary.Write(&out, binary.LittleEndian, v); err != nil {
				t.Fatal(err)
			}
		}
		return at, uint64(out.Len()) - at
	}
	head := elf.Header64{
		Ident: [16]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), 1}, Type: uint16(elf.ET_DYN), Machine: uint16(i.machine), Version: 1,
		Phoff: 64, Phentsize: 56, Phnum: 2, Shentsize: 64, Shnum: 6, Shstrndx: 5,
	}
	if i.fixed {
		head.Type = uint16(elf.ET_EXEC)
	}
	put(head,
		elf.Prog64{Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_X), Off: 0x200, Vaddr: 0x1000, Filesz: 0x100, Memsz: 0x100},
		elf.Prog64{Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_W), Off: 0x300, Vaddr: 0x3000, Filesz: 0x10, Memsz: 0x1000})
	put(make([]byte, 0x310-out.Len()))
	sections := []elf.Section64{{}, {Name: 1, Type: uint32(elf.SHT_NOTE)}, {Name: 15, Type: uint32(elf.SHT_PROGBITS), Addr: i.base},
		{Type: uint32(elf.SHT_SYMTAB), Link: 4}, {Type: uint32(elf.SHT_STRTAB)}, {Name: 29, Type: uint32(elf.SHT_STRTAB)}}
	for n, content := range []any{nil, i.notes, nil, i.symbols, []byte(i.names), []byte(names)} {
		if content != nil {
			sections[n].Off, sections[n].Size = put(content)
		}
	}
	head.Shoff, _ = put(sections)
	raw := out.Bytes()
	if _, err := binary.Encode(raw, binary.LittleEndian, head); err != nil {
		t.Fatal(err)
	}
	return raw
}

func (i *image) open(t testing.TB) *File {
	t.Helper()
	f, err := file(i.bytes(t))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func file(raw []byte) (*File, error) { return New(bytes.NewReader(raw), int64(len(raw))) }
