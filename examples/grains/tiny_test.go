// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
)

// tiny is a program of a few instructions, for machines without a compiler or
// libraries: a static ELF file whose code starts at tinyCode and is followed
// by its strings, with functions and sites that probes can be set on.
type tiny struct {
	machine   elf.Machine
	flags     uint32
	code      []byte
	data      []byte
	functions []function
	sites     []site
}

// function is where in code one begins.
type function struct {
	name string
	at   int
}

// site is where in code a note says that there is one.
type site struct {
	provider, probe, args string
	at                    int
}

const (
	tinyBase = 0x400000
	tinyCode = tinyBase + tinyHead
	tinyHead = 128 // the ELF header and the program header, rounded up
)

// write puts the program into a file of its own.
func (p tiny) write(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "tiny")
	if err := os.WriteFile(file, p.elf(t), 0o755); err != nil {
		t.Fatal(err)
	}
	return file
}

// elf is the program as a file: headers, code, data, symbols, names, notes,
// sections.
func (p tiny) elf(t *testing.T) []byte {
	t.Helper()
	names := "\x00.text\x00.symtab\x00.strtab\x00.note.stapsdt\x00"
	for _, f := range p.functions {
		names += f.name + "\x00"
	}
	name := func(s string) uint32 { return uint32(bytes.Index([]byte(names), []byte("\x00"+s+"\x00")) + 1) }
	text := append(bytes.Clone(p.code), p.data...)
	symbols := align(tinyHead + len(text))
	var out bytes.Buffer
	put := func(at int, values ...any) {
		out.Write(make([]byte, at-out.Len()))
		for _, v := range values {
			if err := binary.Write(&out, binary.LittleEndian, v); err != nil {
				t.Fatal(err)
			}
		}
	}
	ident := [elf.EI_NIDENT]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)}
	info := elf.ST_INFO(elf.STB_GLOBAL, elf.STT_FUNC)
	if p.machine == elf.EM_386 || p.machine == elf.EM_ARM {
		ident[elf.EI_CLASS] = byte(elf.ELFCLASS32)
		put(0, elf.Header32{
			Ident: ident, Type: uint16(elf.ET_EXEC), Machine: uint16(p.machine), Version: 1, Entry: tinyCode,
			Phoff: 52, Flags: p.flags, Ehsize: 52, Phentsize: 32, Phnum: 1,
		}, elf.Prog32{
			Type: uint32(elf.PT_LOAD), Vaddr: tinyBase, Paddr: tinyBase, Align: 0x1000,
			Filesz: uint32(tinyHead + len(text)), Memsz: uint32(tinyHead + len(text)), Flags: uint32(elf.PF_R | elf.PF_X),
		})
		put(tinyHead, text)
		return out.Bytes() // nobody sets a probe on these
	}
	strings := symbols + (1+len(p.functions))*elf.Sym64Size
	notes := align(strings + len(names))
	sections := align(notes + len(p.notes()))
	put(0, elf.Header64{
		Ident: ident, Type: uint16(elf.ET_EXEC), Machine: uint16(p.machine), Version: 1, Entry: tinyCode,
		Phoff: 64, Shoff: uint64(sections), Ehsize: 64, Phentsize: 56, Phnum: 1, Shentsize: 64, Shnum: 5, Shstrndx: 3,
	}, elf.Prog64{
		Type: uint32(elf.PT_LOAD), Vaddr: tinyBase, Paddr: tinyBase, Align: 0x1000,
		Filesz: uint64(tinyHead + len(text)), Memsz: uint64(tinyHead + len(text)), Flags: uint32(elf.PF_R | elf.PF_X),
	})
	put(tinyHead, text)
	put(symbols, elf.Sym64{})
	for _, f := range p.functions {
		put(out.Len(), elf.Sym64{Name: name(f.name), Info: info, Shndx: 1, Value: uint64(tinyCode + f.at), Size: uint64(len(p.code) - f.at)})
	}
	put(strings, []byte(names))
	put(notes, p.notes())
	put(sections, elf.Section64{},
		elf.Section64{Name: name(".text"), Type: uint32(elf.SHT_PROGBITS), Flags: uint64(elf.SHF_ALLOC | elf.SHF_EXECINSTR), Addr: tinyCode, Off: tinyHead, Size: uint64(len(text))},
		elf.Section64{Name: name(".symtab"), Type: uint32(elf.SHT_SYMTAB), Off: uint64(symbols), Size: uint64(strings - symbols), Link: 3, Info: 1, Entsize: elf.Sym64Size},
		elf.Section64{Name: name(".strtab"), Type: uint32(elf.SHT_STRTAB), Off: uint64(strings), Size: uint64(len(names))},
		elf.Section64{Name: name(".note.stapsdt"), Type: uint32(elf.SHT_NOTE), Off: uint64(notes), Size: uint64(len(p.notes()))})
	return out.Bytes()
}

// notes are those of the sites, as sys/sdt.h writes them: without semaphores.
func (p tiny) notes() []byte {
	var all []byte
	for _, s := range p.sites {
		note := binary.LittleEndian.AppendUint64(nil, uint64(tinyCode+s.at))
		note = append(note, make([]byte, 16)...)
		note = append(note, s.provider+"\x00"+s.probe+"\x00"+s.args+"\x00"...)
		for _, n := range []uint32{8, uint32(len(note)), 3} {
			all = binary.LittleEndian.AppendUint32(all, n)
		}
		all = append(append(all, "stapsdt\x00"...), note...)
		all = append(all, make([]byte, -len(note)&3)...)
	}
	return all
}

func align(n int) int { return (n + 15) &^ 15 }

// little is numbers as a machine has them in memory: the instructions of arm.
func little(words ...uint32) []byte {
	var b []byte
	for _, w := range words {
		b = binary.LittleEndian.AppendUint32(b, w)
	}
	return b
}
