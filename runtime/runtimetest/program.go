// SPDX-License-Identifier: Apache-2.0

package runtimetest

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"os"
	"testing"
)

// Call is a system call with constant arguments.
type Call struct {
	Number uintptr
	Args   [6]uintptr
}

// Program is an executable of a few hundred bytes, static and without a stack
// frame, that makes the calls one after the other; the last should not return.
// It is for tests that need something to start where there is no compiler, no
// loader and little time.
func Program(calls ...Call) []byte {
	const base, heads = 0x400000, 64 + 56 // of ELF and its one program header
	var code []byte
	for _, c := range calls {
		code = appendCall(code, c)
	}
	size := uint64(heads + len(code))
	b := &bytes.Buffer{}
	for _, head := range []any{
		elf.Header64{
			Ident: [elf.EI_NIDENT]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
			Type:  uint16(elf.ET_EXEC), Machine: uint16(machine), Version: uint32(elf.EV_CURRENT),
			Entry: base + heads, Phoff: 64, Ehsize: 64, Phentsize: 56, Phnum: 1,
		},
		elf.Prog64{
			Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_X), Vaddr: base, Paddr: base, Filesz: size, Memsz: size, Align: 0x1000,
		},
	} {
		_ = binary.Write(b, binary.LittleEndian, head) // to memory: it cannot fail
	}
	return append(b.Bytes(), code...)
}

// Install writes a program, or a script, to a file that can be executed.
func Install(t testing.TB, name string, program []byte) string {
	t.Helper()
	if err := os.WriteFile(name, program, 0o755); err != nil {
		t.Fatal(err)
	}
	return name
}
