// SPDX-License-Identifier: Apache-2.0

package vm

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/ulikunitz/xz"
)

// elfModule is the smallest ELF file with this .modinfo section.
func elfModule(t *testing.T, info string) []byte {
	t.Helper()
	const names = "\x00.modinfo\x00.shstrtab\x00"
	head := elf.Header64{
		Ident: [elf.EI_NIDENT]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
		Type:  uint16(elf.ET_REL), Machine: uint16(elf.EM_X86_64), Version: uint32(elf.EV_CURRENT),
		Shoff: 64, Ehsize: 64, Shentsize: 64, Shnum: 3, Shstrndx: 2,
	}
	data := uint64(64 + 3*64)
	sections := []elf.Section64{
		{},
		{Name: 1, Type: uint32(elf.SHT_PROGBITS), Off: data, Size: uint64(len(info))},
		{Name: 10, Type: uint32(elf.SHT_STRTAB), Off: data + uint64(len(info)), Size: uint64(len(names))},
	}
	var b bytes.Buffer
	for _, part := range []any{head, sections, []byte(info), []byte(names)} {
		if err := binary.Write(&b, binary.LittleEndian, part); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

func TestModinfoIsParsed(t *testing.T) {
	for _, test := range []struct {
		name, data string
		want       []string
	}{
		{"no dependency", "license=GPL\x00depends=\x00name=veth\x00", nil},
		{"one", "depends=inet_diag\x00name=tcp_diag\x00", []string{"inet_diag"}},
		{"several, dashes become underscores", "a=b\x00\x00depends=nf-tables,libcrc32c\x00", []string{"nf_tables", "libcrc32c"}},
		{"cut off in the middle", "license=GPL\x00depends=a", []string{"a"}},
		{"no key at all", "rubbish\x00\xff\xfe", nil},
		{"empty", "", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, dependsOf(parseModinfo([]byte(test.data)))); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// kernelWith is a kernel's folder with these modules: name -> depends.
func kernelWith(t *testing.T, modules map[string]string) Kernel {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "test-amd64")
	if err := os.MkdirAll(filepath.Join(dir, "modules/kernel/net"), 0o755); err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{"modules/modules.builtin": []byte("kernel/fs/tracefs/tracefs.ko\nkernel/lib/built-in.ko\n"), "version": []byte("test 1\n")}
	for file, depends := range modules {
		image := elfModule(t, "license=GPL\x00depends="+depends+"\x00")
		if strings.HasSuffix(file, ".xz") {
			image = compressed(t, image)
		}
		files["modules/kernel/net/"+file] = image
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return Kernel{Name: "test", Arch: "amd64", Dir: dir}
}

func compressed(t *testing.T, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := xz.NewWriter(&b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestModulesComeAfterWhatTheyNeed(t *testing.T) {
	k := kernelWith(t, map[string]string{
		"a.ko": "b,built-in", "b.ko.xz": "c-d", "c-d.ko": "", "lonely.ko": "gone", "loop.ko": "loop", "other.ko": "b",
	})
	set, err := readModuleSet(k)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name  string
		asked []string
		want  string
		err   string
	}{
		{"dependencies first", []string{"a"}, "c_d b a", ""},
		{"each once", []string{"a", "other", "b", "c_d"}, "c_d b a other", ""},
		{"a dash is an underscore", []string{"c_d"}, "c_d", ""},
		{"parameters are kept", []string{"c-d x=1 y=2", "b"}, "c_d(x=1 y=2) b", ""},
		{"what is built in is there", []string{"tracefs", "built_in"}, "", ""},
		{"a circle ends", []string{"loop"}, "loop", ""},
		{"an unknown one is an error", []string{"nosuch"}, "", "the kernel has no module nosuch, nor is it built in"},
		{"so is an unknown dependency", []string{"lonely"}, "", "lonely depends on gone: the kernel has no module gone, nor is it built in"},
	} {
		t.Run(test.name, func(t *testing.T) {
			modules, err := set.order(test.asked)
			var got []string
			for _, m := range modules {
				name := m.name
				if m.params != "" {
					name += "(" + m.params + ")"
				}
				got = append(got, name)
			}
			if strings.Join(got, " ") != test.want || errText(err) != test.err {
				t.Errorf("got %q, %v; want %q, %s", got, err, test.want, test.err)
			}
		})
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
