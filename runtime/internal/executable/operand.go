// SPDX-License-Identifier: Apache-2.0

package executable

import (
	"slices"
	"strconv"
	"strings"
)

// x86Words are the words of struct pt_regs (arch/x86/include/uapi/asm/ptrace.h),
// each with the names of the register that it keeps, the whole one's first.
var x86Words = []string{
	"r15 r15d r15w r15b", "r14 r14d r14w r14b", "r13 r13d r13w r13b", "r12 r12d r12w r12b", "rbp ebp bp bpl", "rbx ebx bx bl",
	"r11 r11d r11w r11b", "r10 r10d r10w r10b", "r9 r9d r9w r9b", "r8 r8d r8w r8b", "rax eax ax al", "rcx ecx cx cl", "rdx edx dx dl",
	"rsi esi si sil", "rdi edi di dil", "", "rip", "", "", "rsp esp sp spl",
}

// ip is where the address of the site itself is.
const ip = 16 * 8

// x86 reads an operand as AT&T writes them: %edi, $5, $table, -8(%rbp),
// (%rax,%rbx,4), counter(%rip), table(,%rax,8).
func (f *File) x86(p *Place, operand string, address uint64) (err error) {
	if register, ok := strings.CutPrefix(operand, "%"); ok {
		p.Base, err = x86Register(register, false)
		return err
	}
	if value, ok := strings.CutPrefix(operand, "$"); ok {
		return f.displace(p, value, address)
	}
	p.Memory = true
	displacement, inside, registers := strings.Cut(operand, "(")
	if !registers {
		return f.displace(p, displacement, address)
	}
	inside, closed := strings.CutSuffix(inside, ")")
	parts := strings.Split(inside, ",")
	if !closed || len(parts) > 3 || inside == "" {
		return errForeign
	}
	for i, into := range []*int16{&p.Base, &p.Index} {
		if i < len(parts) && parts[i] != "" {
			if *into, err = x86Register(strings.TrimPrefix(parts[i], "%"), true); err != nil {
				return err
			}
		}
	}
	if len(parts) == 3 {
		scale := slices.Index([]string{"1", "2", "4", "8"}, parts[2])
		if scale < 0 {
			return errForeign
		}
		p.Shift = uint8(scale)
	}
	return f.displace(p, displacement, address)
}

// x86Register is where a register is in the context, or where a part of it is:
// the high byte of four has a name.
func x86Register(name string, whole bool) (int16, error) {
	high := int16(0)
	if len(name) == 2 && name[1] == 'h' && !whole {
		name, high = name[:1]+"x", 1
	}
	for word, names := range x86Words {
		if i := slices.Index(strings.Fields(names), name); i == 0 || i > 0 && !whole {
			return int16(word*8) + high, nil
		}
	}
	return none, errUnseen
}

// displace adds a number, a symbol, or their sum. Where a symbol will be in
// memory follows from how far it is from the site, or, in a file whose
// addresses are fixed, from the file.
func (f *File) displace(p *Place, text string, address uint64) error {
	number, symbol, err := sum(text)
	if err != nil {
		return err
	}
	p.Add = number
	if symbol == "" {
		if p.Base == ip || text == "" && p.Base == none && p.Index == none {
			return errForeign
		}
		return nil
	}
	value, err := f.symbol(symbol)
	if err != nil {
		return err
	}
	if p.Base == none {
		p.Base = ip
	}
	switch {
	case p.Base == ip:
		p.Add += int64(value - address)
	case f.fixed:
		p.Add += int64(value)
	default:
		return errForeign
	}
	return nil
}

// arm64 reads an operand of that machine: x0, w0, 5, [x8], [sp, 16], [x4, x1],
// [x4, x1, lsl 3], [x0, #:lo12:counter].
func (f *File) arm64(p *Place, operand string) error {
	inside, memory := strings.CutPrefix(operand, "[")
	if !memory {
		number, symbol, err := sum(strings.TrimPrefix(operand, "#"))
		if err != nil || symbol == "" || operand == "xzr" || operand == "wzr" { // the register that is always 0
			p.Add = number
			return err
		}
		p.Base, err = armRegister(operand, false)
		return err
	}
	p.Memory = true
	inside, closed := strings.CutSuffix(inside, "]")
	base, offset, more := strings.Cut(strings.ReplaceAll(inside, " ", ""), ",")
	offset, shift, shifted := strings.Cut(strings.TrimPrefix(offset, "#"), ",")
	var err error
	switch p.Base, err = armRegister(base, true); {
	case err != nil:
		return err
	case !closed:
		return errForeign
	case !more:
		return nil
	}
	low, page := strings.CutPrefix(offset, ":lo12:")
	number, symbol, err := sum(low)
	switch {
	case err != nil:
		return err
	case page && !shifted: // the register has the other bits of its address
		value, err := f.symbol(symbol)
		p.Add = (int64(value) + number) & 0xfff
		return err
	case symbol == "" && !shifted:
		p.Add = number
		return nil
	}
	if p.Index, err = armRegister(offset, true); err != nil || !shifted {
		return err
	}
	n := slices.Index([]string{"lsl0", "lsl1", "lsl2", "lsl3", "lsl4"}, strings.ReplaceAll(shift, "#", ""))
	if n < 0 {
		return errForeign
	}
	p.Shift = uint8(n)
	return nil
}

// armRegister is where struct user_pt_regs (arch/arm64/include/uapi/asm/ptrace.h)
// keeps a register, of which w is the lower half.
func armRegister(name string, whole bool) (int16, error) {
	for n := range int16(31) {
		if number := strconv.Itoa(int(n)); name == "x"+number || name == "w"+number && !whole {
			return 8 * n, nil
		}
	}
	if name == "sp" {
		return 8 * 31, nil
	}
	return none, errUnseen
}
