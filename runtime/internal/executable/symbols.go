// SPDX-License-Identifier: Apache-2.0

package executable

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"slices"
)

// Functions tells yield the name of each function that the file itself has,
// and where in the file that begins. One that has several names, or is in both
// tables of symbols, comes as often. Names are valid until yield returns.
func (f *File) Functions(yield func(name []byte, offset uint64)) error {
	return f.symbols(func(name []byte, value uint64, kind elf.SymType) {
		if offset, ok := f.offset(value, elf.PF_X); ok && kind == elf.STT_FUNC {
			yield(name, offset)
		}
	})
}

// Go reports whether there are functions of Go among them, which move their
// stacks: a return address that was replaced there is the end of the program.
func (f *File) Go() bool {
	return slices.ContainsFunc(f.sections, func(s elf.Section64) bool { return bytes.HasSuffix(name(f.names, s.Name), []byte(".gopclntab")) })
}

// symbols tells yield all that the file defines.
func (f *File) symbols(yield func(name []byte, value uint64, kind elf.SymType)) error {
	for _, kind := range []elf.SectionType{elf.SHT_SYMTAB, elf.SHT_DYNSYM} {
		i := slices.IndexFunc(f.sections, func(s elf.Section64) bool { return elf.SectionType(s.Type) == kind })
		if i < 0 || uint64(f.sections[i].Link) >= uint64(len(f.sections)) {
			continue
		}
		table, err := f.bytes(&f.sections[i])
		if err != nil {
			return fmt.Errorf("its symbols: %w", err)
		}
		names, err := f.bytes(&f.sections[f.sections[i].Link])
		if err != nil {
			return fmt.Errorf("its symbols' names: %w", err)
		}
		for ; len(table) >= elf.Sym64Size; table = table[elf.Sym64Size:] { // elf.Sym64, without reflection: there are many
			section := binary.LittleEndian.Uint16(table[6:])
			if n := name(names, binary.LittleEndian.Uint32(table)); len(n) > 0 && section != uint16(elf.SHN_UNDEF) {
				yield(n, binary.LittleEndian.Uint64(table[8:]), elf.ST_TYPE(table[4]))
			}
		}
	}
	return nil
}
