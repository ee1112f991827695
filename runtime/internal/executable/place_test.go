// SPDX-License-Identifier: Apache-2.0

package executable

import (
	"debug/elf"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// at is a place without registers, with those of change.
func at(change Place) Place {
	if change.Base == 0 {
		change.Base = none
	}
	if change.Index == 0 {
		change.Index = none
	}
	if change.Bits == 0 {
		change.Bits = 64
	}
	return change
}

// operands are what compilers write, and what the argument's place is: at the
// address 0x1010, in a file that has a variable counter at 0x3010 and a table
// at 0x3123.
var operands = map[elf.Machine]map[string]Place{
	elf.EM_X86_64: {
		"-4@%edi":                 at(Place{Base: 112, Bits: 32, Signed: true}),
		"8@%rax":                  at(Place{Base: 80}),
		"2@%r8w":                  at(Place{Base: 72, Bits: 16}),
		"1@%sil":                  at(Place{Base: 104, Bits: 8}),
		"1@%r11b":                 at(Place{Base: 48, Bits: 8}),
		"1@%ah":                   at(Place{Base: 81, Bits: 8}),
		"-1@%bh":                  at(Place{Base: 41, Bits: 8, Signed: true}),
		"8f@%rcx":                 at(Place{Base: 88}),
		"%rdx":                    at(Place{Base: 96}),
		"@%rdx":                   at(Place{Base: 96}),
		"-4@$-7":                  at(Place{Add: -7, Bits: 32, Signed: true}),
		"8@$4294967295":           at(Place{Add: 4294967295}),
		"8@$18446744073709551615": at(Place{Add: -1}),
		"8@$0x10":                 at(Place{Add: 16}),
		"-4@-20(%rbp)":            at(Place{Add: -20, Base: 32, Memory: true, Bits: 32, Signed: true}),
		"8@(%rsp)":                at(Place{Base: 152, Memory: true}),
		"4@(%rax,%rbx,4)":         at(Place{Base: 80, Index: 40, Shift: 2, Memory: true, Bits: 32}),
		"4@16(%rax,%rbx)":         at(Place{Add: 16, Base: 80, Index: 40, Memory: true, Bits: 32}),
		"8@8(,%rbx,8)":            at(Place{Add: 8, Index: 40, Shift: 3, Memory: true}),
		"8@4096":                  at(Place{Add: 4096, Memory: true}),
		"-4@counter(%rip)":        at(Place{Add: 0x2000, Base: 128, Memory: true, Bits: 32, Signed: true}),
		"-4@counter+8(%rip)":      at(Place{Add: 0x2008, Base: 128, Memory: true, Bits: 32, Signed: true}),
		"-4@8+counter(%rip)":      at(Place{Add: 0x2008, Base: 128, Memory: true, Bits: 32, Signed: true}),
		"-4@counter-8(%rip)":      at(Place{Add: 0x1ff8, Base: 128, Memory: true, Bits: 32, Signed: true}),
		"8@counter":               at(Place{Add: 0x2000, Base: 128, Memory: true}),
		"8@$counter":              at(Place{Add: 0x2000, Base: 128}),
		"8@$counter+4":            at(Place{Add: 0x2004, Base: 128}),
		"8@counter(,%rax,4)":      at(Place{Add: 0x2000, Base: 128, Index: 80, Shift: 2, Memory: true}),
	},
	elf.EM_AARCH64: {
		"-4@x5":                 at(Place{Base: 40, Bits: 32, Signed: true}),
		"8@x30":                 at(Place{Base: 240}),
		"4@w1":                  at(Place{Base: 8, Bits: 32}),
		"8@sp":                  at(Place{Base: 248}),
		"8@xzr":                 at(Place{}),
		"-4@42":                 at(Place{Add: 42, Bits: 32, Signed: true}),
		"-8@-1":                 at(Place{Add: -1, Signed: true}),
		"8@#7":                  at(Place{Add: 7}),
		"-4@[x8]":               at(Place{Base: 64, Memory: true, Bits: 32, Signed: true}),
		"8@[sp, 16]":            at(Place{Add: 16, Base: 248, Memory: true}),
		"8@[x19, #-8]":          at(Place{Add: -8, Base: 152, Memory: true}),
		"1@[x4, x1]":            at(Place{Base: 32, Index: 8, Memory: true, Bits: 8}),
		"8@[x4, x1, lsl 3]":     at(Place{Base: 32, Index: 8, Shift: 3, Memory: true}),
		"8@[x4, x1, lsl #2]":    at(Place{Base: 32, Index: 8, Shift: 2, Memory: true}),
		"4f@[x3, #:lo12:table]": at(Place{Add: 0x123, Base: 24, Memory: true, Bits: 32}),
		"8@[x3, :lo12:table+8]": at(Place{Add: 0x12b, Base: 24, Memory: true}),
	},
}

// program is one with those symbols.
func program(t testing.TB, m elf.Machine, fixed bool) *File {
	i := image{machine: m, fixed: fixed}
	i.symbol("counter", elf.STT_OBJECT, 0x3010)
	i.symbol("counter", elf.STT_OBJECT, 0x3010) // as in both tables
	i.symbol("table", elf.STT_OBJECT, 0x3123)
	i.symbol("same", elf.STT_OBJECT, 0x3010)
	i.symbol("same", elf.STT_OBJECT, 0x3018)
	i.symbol("own", elf.STT_TLS, 0x10)
	return i.open(t)
}

func TestOperandsAreReadAsAssemblersDo(t *testing.T) {
	for machine, all := range operands {
		f := program(t, machine, false)
		for text, want := range all {
			got, err := f.place(text, 0x1010)
			if err != nil {
				t.Errorf("%v: %s: %v", machine, text, err)
				continue
			}
			// Where r15 and x0 are is 0, which at() takes for none.
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%v: %s differs (-want +got):\n%s", machine, text, diff)
			}
		}
	}
	if got, err := program(t, elf.EM_X86_64, false).place("8@(%r15)", 0); err != nil || got.Base != 0 || !got.Memory {
		t.Errorf("8@(%%r15): got %+v, %v", got, err)
	}
	if got, err := program(t, elf.EM_AARCH64, false).place("8@[x1, x0]", 0); err != nil || got.Index != 0 {
		t.Errorf("8@[x1, x0]: got %+v, %v", got, err)
	}
}

// Only in a file whose addresses are fixed can a symbol be added to a register.
func TestAddressesAreAbsoluteWhereTheyAreFixed(t *testing.T) {
	want := at(Place{Add: 0x3010, Base: 104, Index: 104, Memory: true, Bits: 16, Signed: true})
	if got, err := program(t, elf.EM_X86_64, true).place("-2@counter(%rsi,%rsi)", 0x1010); err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	if got, err := program(t, elf.EM_X86_64, false).place("-2@counter(%rsi,%rsi)", 0x1010); err == nil {
		t.Errorf("got %+v, want an error", got)
	}
}

func TestOperandsThatNoProbeCanReadAreAnError(t *testing.T) {
	const unlike = "that is not understood"
	const unseen = "no probe sees such a register"
	for machine, all := range map[elf.Machine]map[string]string{
		elf.EM_X86_64: {
			"8f@%xmm0":                 unseen,
			"4@%fs:own@tpoff":          unseen,
			"8@(%eax)":                 unseen,
			"8@(%ah)":                  unseen,
			"8@.LC0(%rip)":             "the file, which may be stripped, has no symbol .LC0",
			"4@own(%rip)":              "the file, which may be stripped, has no symbol own",
			"4@same(%rip)":             "the file has several symbols same",
			"8@counter@GOTPCREL(%rip)": unlike,
			"8@8(%rip)":                unlike,
			"8@(%rip)":                 unlike,
			"3@%rax":                   unlike,
			"16@%rax":                  unlike,
			"-f@%rax":                  unlike,
			"x@%rax":                   unlike,
			"8@":                       unlike,
			"8@$":                      unlike,
			"8@()":                     unlike,
			"8@(":                      unlike,
			"8@(%rax":                  unlike,
			"8@(,,)":                   unlike,
			"8@(%rax,%rbx,3)":          unlike,
			"8@(%rax,%rbx,4,1)":        unlike,
			"8@[sp, 16]":               unlike,
			"8@counter+counter":        unlike,
		},
		elf.EM_AARCH64: {
			"8f@d0":                unseen,
			"4f@v31":               unseen,
			"8@x31":                unseen,
			"8@x01":                unseen,
			"8@[w1]":               unseen,
			"8@[x0, w1, sxtw 2]":   unseen,
			"8@[x0, x1, sxtx 2]":   unlike,
			"8@[x0, x1, lsl 9]":    unlike,
			"8@[x0":                unlike,
			"8@[]":                 unseen,
			"8@":                   unlike,
			"8@[x0, 16]!":          unlike,
			"8@[x0, #:lo12:.LC0]":  "the file, which may be stripped, has no symbol .LC0",
			"8@[x0, :got_lo12:gg]": unlike,
			"8@-4(%rbp)":           unlike,
		},
		elf.EM_RISCV: {"8@a0": "operands of EM_RISCV are not understood"},
	} {
		f := program(t, machine, false)
		for text, want := range all {
			if got, err := f.place(text, 0x1010); err == nil || err.Error() != want {
				t.Errorf("%v: %s: got %+v, %v, want %s", machine, text, got, err, want)
			}
		}
	}
}

func TestAnErrorNamesTheArgument(t *testing.T) {
	f := program(t, elf.EM_X86_64, false)
	s := &Site{Name: "shop:served", args: arguments("8@%rdi 8f@%xmm0")}
	for n, want := range map[int]string{
		2: "arg2 of shop:served is 8f@%xmm0: no probe sees such a register",
		3: "shop:served has no arg3; it has 2",
		0: "shop:served has no arg0; it has 2",
	} {
		if _, err := f.Place(s, n); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// The program reads what bpf/include/usdt.h says.
func TestAPlaceIsAStructOfTheProgram(t *testing.T) {
	got := Place{Add: -2, Base: 80, Index: none, Shift: 3, Memory: true, Bits: 32, Signed: true}.Append([]byte{9})
	want := []byte{9, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 80, 0, 0xff, 0xff, 3, 1, 32, 1}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("bytes differ (-want +got):\n%s", diff)
	}
}

// FuzzPlace reads operands: whatever is in them, a register is one of the
// context, and memory is as wide as a program can read.
func FuzzPlace(f *testing.F) {
	for _, all := range operands {
		for text := range all {
			f.Add(text)
		}
	}
	files := []*File{program(f, elf.EM_X86_64, false), program(f, elf.EM_X86_64, true), program(f, elf.EM_AARCH64, false)}
	f.Fuzz(func(t *testing.T, text string) {
		for _, word := range arguments(text) {
			for i, size := range []int16{168, 168, 272} { // of the context
				p, err := files[i].place(word, 0x1010)
				if err != nil {
					continue
				}
				for _, register := range []int16{p.Base, p.Index} {
					if register < none || register > size-7 {
						t.Errorf("%s: register at %d", word, register)
					}
				}
				if p.Bits != 8 && p.Bits != 16 && p.Bits != 32 && p.Bits != 64 || p.Shift > 4 {
					t.Errorf("%s: %+v", word, p)
				}
			}
		}
	})
}
