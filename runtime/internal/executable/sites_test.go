// SPDX-License-Identifier: Apache-2.0

package executable

import (
	"debug/elf"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// compare looks at what a site says, also to this package.
var compare = cmp.Options{cmp.AllowUnexported(Site{}), cmpopts.EquateEmpty()}

func TestSitesAreWhereTheirNotesSay(t *testing.T) {
	i := image{machine: elf.EM_X86_64, base: 0x2000}
	i.raw("GNU\x00", 3, []byte("another's"))
	i.raw("stapsdt\x00", 2, []byte("an older one"))
	i.note(0x1010, 0x2000, 0x3002, "shop", "served", "8@%rdi -4@$5 4@[sp, 16]")
	i.note(0x1010, 0x2000, 0x3002, "shop", "served", "8@%rdi -4@$5 4@[sp, 16]") // once more
	i.note(0, 0x2000, 0x3002, "shop", "served", "")                             // the linker left its code out
	i.note(0x10ff, 0, 0, "a", "b", "")
	i.note(0x0020, 0x1000, 0x2004, "moved", "since", "-1@%al") // .stapsdt.base was at 0x1000 then
	got, err := i.open(t).Sites()
	if err != nil {
		t.Fatal(err)
	}
	want := []Site{
		{Name: "shop:served", Offset: 0x210, Semaphore: 0x302, address: 0x1010, args: []string{"8@%rdi", "-4@$5", "4@[sp, 16]"}},
		{Name: "a:b", Offset: 0x2ff, address: 0x10ff},
		{Name: "moved:since", Offset: 0x220, Semaphore: 0x304, address: 0x1020, args: []string{"-1@%al"}},
	}
	if diff := cmp.Diff(want, got, compare); diff != "" {
		t.Errorf("sites differ (-want +got):\n%s", diff)
	}
}

func TestAFileWithoutNotesHasNoSites(t *testing.T) {
	sites, err := (&image{machine: elf.EM_X86_64}).open(t).Sites()
	if err != nil || len(sites) > 0 {
		t.Errorf("got %v, %v, want none", sites, err)
	}
}

func TestDamagedNotesAreAnError(t *testing.T) {
	whole := image{}
	whole.note(0x1010, 0x2000, 0, "shop", "served", "8@%rdi")
	for name, damage := range map[string]func(*image){
		"cut short":          func(i *image) { i.notes = i.notes[:len(i.notes)-8] },
		"an owner too long":  func(i *image) { i.notes[1] = 1 },
		"a note too long":    func(i *image) { i.notes[6] = 1 },
		"a note too short":   func(i *image) { i.notes = nil; i.raw("stapsdt\x00", 3, make([]byte, 23)) },
		"names without ends": func(i *image) { i.notes = nil; i.raw("stapsdt\x00", 3, make([]byte, 26)) },
		"a semaphore in code": func(i *image) {
			i.notes = nil
			i.note(0x1010, 0x2000, 0x1020, "shop", "served", "8@%rdi")
		},
		"a semaphore that the file does not have": func(i *image) {
			i.notes = nil
			i.note(0x1010, 0x2000, 0x3020, "shop", "served", "8@%rdi")
		},
	} {
		i := image{base: 0x2000, notes: append([]byte(nil), whole.notes...)}
		damage(&i)
		sites, err := i.open(t).Sites()
		if err == nil {
			t.Errorf("%s: got %v, want an error", name, sites)
			continue
		}
		want := errNotes.Error()
		if strings.HasPrefix(name, "a semaphore") {
			want = "the semaphore of shop:served is not in its data"
		}
		if err.Error() != want {
			t.Errorf("%s: got %v, want %s", name, err, want)
		}
	}
}

func TestOnlyFilesOfTheRightKindAreRead(t *testing.T) {
	whole := (&image{machine: elf.EM_X86_64}).bytes(t)
	edited := func(at int, b byte) []byte {
		raw := append([]byte(nil), whole...)
		raw[at] = b
		return raw
	}
	for want, raw := range map[string][]byte{
		"is no ELF file": []byte("#!/bin/sh\n" + strings.Repeat("# a script\n", 10)),
		"is for no 64-bit, little-endian machine":    edited(elf.EI_CLASS, byte(elf.ELFCLASS32)),
		"is damaged: it has no 112 bytes at 6553664": edited(0x22, 100),
	} {
		if _, err := file(raw); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	for n := range whole[:len(whole)-1] {
		if f, err := file(whole[:n]); err == nil && len(f.sections) > 0 {
			t.Fatalf("a file of which %d bytes are missing is whole", len(whole)-n)
		}
	}
	dir := t.TempDir()
	if _, _, err := Open(dir); err == nil || err.Error() != dir+" is no file" {
		t.Errorf("of a folder: %v", err)
	}
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte("no program"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Open(text); err == nil || err.Error() != text+" is no ELF file" {
		t.Errorf("of a text: %v", err)
	}
}

func TestFunctionsAreThoseOfTheFileItself(t *testing.T) {
	i := image{machine: elf.EM_X86_64}
	i.symbol("serve", elf.STT_FUNC, 0x1010)
	i.symbol("counter", elf.STT_OBJECT, 0x3000)
	i.symbol("sell", elf.STT_FUNC, 0x1010)
	i.symbol("nowhere", elf.STT_FUNC, 0x5000)
	i.symbol("of another file", elf.STT_FUNC, 0x1020)
	i.symbols[len(i.symbols)-1].Shndx = uint16(elf.SHN_UNDEF)
	i.symbol("", elf.STT_FUNC, 0x1030)
	i.symbols = append(i.symbols, elf.Sym64{Name: 1 << 20, Info: byte(elf.STT_FUNC), Shndx: 1, Value: 0x1040})
	got := map[string]uint64{}
	if err := i.open(t).Functions(func(name []byte, offset uint64) { got[string(name)] = offset }); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]uint64{"serve": 0x210, "sell": 0x210}, got); diff != "" {
		t.Errorf("functions differ (-want +got):\n%s", diff)
	}
}

// FuzzFile reads what claims to be a program.
func FuzzFile(f *testing.F) {
	i := image{machine: elf.EM_X86_64, base: 0x2000}
	i.note(0x1010, 0x2000, 0x3002, "shop", "served", "8@%rdi -4@$5 4@counter(%rip)")
	i.symbol("counter", elf.STT_OBJECT, 0x3000)
	i.symbol("serve", elf.STT_FUNC, 0x1010)
	f.Add(i.bytes(f))
	i.machine = elf.EM_AARCH64
	f.Add(i.bytes(f))
	f.Fuzz(func(t *testing.T, raw []byte) {
		f, err := file(raw)
		if err != nil {
			return
		}
		if err := f.Functions(func(name []byte, offset uint64) {
			if len(name) == 0 || len(name) > longestName || offset == 0 {
				t.Errorf("function %q at %d", name, offset)
			}
		}); err != nil {
			return
		}
		sites, err := f.Sites()
		if err != nil {
			return
		}
		for i := range sites[:min(len(sites), 100)] {
			for n := range 13 {
				_, _ = f.Place(&sites[i], n)
			}
		}
	})
}

// FuzzNotes reads notes of a file whose headers are whole.
func FuzzNotes(f *testing.F) {
	seed := image{}
	seed.note(0x1010, 0x2000, 0x3002, "shop", "served", "8@%rdi -4@$5 4@counter(%rip)")
	seed.note(0x1020, 0, 0, "shop", "sold", "")
	f.Add(seed.notes)
	f.Fuzz(func(t *testing.T, notes []byte) {
		i := image{machine: elf.EM_X86_64, base: 0x2000, notes: notes}
		f := i.open(t)
		sites, err := f.Sites()
		if err != nil {
			return
		}
		for _, s := range sites {
			if s.Offset < 0x200 || s.Offset >= 0x300 || s.Semaphore != 0 && (s.Semaphore < 0x300 || s.Semaphore >= 0x310) {
				t.Errorf("%+v is not in the file's segments", s)
			}
			for n := range min(len(s.args), 20) {
				_, _ = f.Place(&s, n+1)
			}
		}
	})
}
