// SPDX-License-Identifier: Apache-2.0

package executable

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Place is where an argument is at a site: struct ingrain_place
// (bpf/include/usdt.h). Registers are named by where they are in the context
// of a program.
type Place struct {
	Add         int64 // to the registers; without any a constant
	Base, Index int16 // registers, or none
	Shift       uint8 // of the index
	Memory      bool  // the sum is where in memory the argument is, else it is the argument
	Bits        uint8 // of the argument
	Signed      bool
}

// none stands for no register.
const none = -1

// Append appends the place as a program wants it.
func (p Place) Append(raw []byte) []byte {
	order := binary.LittleEndian // that of both machines
	raw = order.AppendUint64(raw, uint64(p.Add))
	raw = order.AppendUint16(raw, uint16(p.Base))
	raw = order.AppendUint16(raw, uint16(p.Index))
	memory, signed := byte(0), byte(0)
	if p.Memory {
		memory = 1
	}
	if p.Signed {
		signed = 1
	}
	return append(raw, p.Shift, memory, p.Bits, signed)
}

// Place is where argument n, from 1, is at a site of f.
func (f *File) Place(s *Site, n int) (Place, error) {
	if n < 1 || n > len(s.args) {
		return Place{}, fmt.Errorf("%s has no arg%d; it has %d", s.Name, n, len(s.args))
	}
	p, err := f.place(s.args[n-1], s.address)
	if err != nil {
		return p, fmt.Errorf("arg%d of %s is %s: %w", n, s.Name, s.args[n-1], err)
	}
	return p, nil
}

var (
	errForeign = errors.New("that is not understood")
	errUnseen  = errors.New("no probe sees such a register")
)

// place reads SIZE@OPERAND. The size is in bytes, negative when the argument
// has a sign, and may be followed by f, for a number with a point: of that a
// program gets the bits. The operand is what an assembler takes; without a
// size it is as large as a register.
func (f *File) place(text string, address uint64) (Place, error) {
	p := Place{Base: none, Index: none, Bits: 64}
	size, operand, sized := strings.Cut(text, "@")
	if !sized {
		operand = text
	} else if size != "" {
		bytes, err := strconv.Atoi(strings.TrimSuffix(size, "f"))
		p.Signed = bytes < 0
		if bytes = max(bytes, -bytes); err != nil || bytes != 1 && bytes != 2 && bytes != 4 && bytes != 8 {
			return p, errForeign
		}
		p.Bits = uint8(8 * bytes)
	}
	var err error
	switch {
	case operand == "":
		err = errForeign
	case f.Machine == elf.EM_X86_64:
		err = f.x86(&p, operand, address)
	case f.Machine == elf.EM_AARCH64:
		err = f.arm64(&p, operand)
	default:
		err = fmt.Errorf("operands of %v are not understood", f.Machine)
	}
	return p, err
}

// sum takes a number, a symbol or the sum of both apart: 16, counter, st+2,
// 2+st.
func sum(text string) (number int64, symbol string, err error) {
	if number, err = strconv.ParseInt(text, 0, 64); err == nil || text == "" {
		return number, "", nil
	}
	if large, err := strconv.ParseUint(text, 0, 64); err == nil {
		return int64(large), "", nil
	}
	symbol = text
	if i := strings.LastIndexAny(text, "+-"); i > 0 {
		if number, err = strconv.ParseInt(text[i:], 0, 64); err == nil {
			symbol = text[:i]
		} else if number, err = strconv.ParseInt(text[:i], 0, 64); err == nil && text[i] == '+' {
			symbol = text[i+1:]
		}
	}
	if strings.Trim(symbol, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.$") != "" {
		return 0, "", errForeign
	}
	return number, symbol, nil
}

// symbol is the address of a variable or function of the file.
func (f *File) symbol(want string) (uint64, error) {
	var found []uint64
	err := f.symbols(func(name []byte, value uint64, kind elf.SymType) {
		if string(name) == want && kind != elf.STT_TLS && (len(found) == 0 || value != found[0]) {
			found = append(found, value)
		}
	})
	switch {
	case err != nil:
		return 0, err
	case len(found) == 0:
		return 0, fmt.Errorf("the file, which may be stripped, has no symbol %s", want)
	case len(found) > 1:
		return 0, fmt.Errorf("the file has several symbols %s", want)
	}
	return found[0], nil
}
