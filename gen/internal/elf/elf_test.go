// SPDX-License-Identifier: Apache-2.0

package elf

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const program = `
#define SEC(name) __attribute__((section(name), used))
#include "shared.h"
struct pair { int a, b; } pair;
SEC("socket") int p(void *ctx) { return SHARED + pair.a; }
char LICENSE[] SEC("license") = "Dual BSD/GPL";
`

// folder is a site with one C file and its headers, and what compiles it.
func folder(t *testing.T) (*Compiler, Source) {
	t.Helper()
	c, err := Find("", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	put(t, root, "bpf/x.bpf.c", program)
	put(t, root, "bpf/shared.h", "#define SHARED 1\n")
	put(t, root, "headers/x.grain.h", "")
	put(t, root, "include/ingrain.h", "")
	return c, Source{Root: root, File: "bpf/x.bpf.c", Headers: filepath.Join(root, "headers"), As: "generated/x", Include: filepath.Join(root, "include"), Target: "amd64"}
}

func put(t *testing.T, root, name, text string) {
	t.Helper()
	file := filepath.Join(root, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func compile(t *testing.T, c *Compiler, s Source) []byte {
	t.Helper()
	object, err := c.Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	return object
}

func objects(t *testing.T, c *Compiler) int {
	t.Helper()
	kept, err := filepath.Glob(filepath.Join(c.Cache, "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return len(kept)
}

func TestAnObjectIsMadeAnewWhenAnyInputChanges(t *testing.T) {
	c, s := folder(t)
	first := compile(t, c, s)
	if again := compile(t, c, s); !bytes.Equal(first, again) || objects(t, c) != 1 {
		t.Errorf("got %d objects, equal %v, want the one that was kept", objects(t, c), bytes.Equal(first, again))
	}
	want := 1
	for _, change := range []func(){
		func() { put(t, s.Root, "bpf/shared.h", "#define SHARED 2\n") },
		func() { put(t, s.Root, "bpf/deep/other.h", "") },
		func() { put(t, s.Root, "headers/x.grain.h", "/* changed */\n") },
		func() { put(t, s.Root, "include/ingrain.h", "/* changed */\n") },
		func() { s.Target = "arm64" },
		func() { s.Flags = []string{"-DX"} },
		func() { c.tools += "another clang" },
	} {
		change()
		compile(t, c, s)
		if want++; objects(t, c) != want {
			t.Fatalf("got %d objects, want %d, one more for each change", objects(t, c), want)
		}
	}
	if c.Cache = ""; !bytes.Equal(compile(t, c, s), compile(t, c, s)) {
		t.Error("got two different objects without a cache, want equal bytes")
	}
}

// What a header of the system says is not in the key.
func TestAnObjectOfAStrangersHeaderIsNotKept(t *testing.T) {
	c, s := folder(t)
	put(t, s.Root, "elsewhere/strange.h", "#define SHARED 1\n")
	put(t, s.Root, "bpf/shared.h", "#include \"../elsewhere/strange.h\"\n")
	compile(t, c, s)
	if got := objects(t, c); got != 0 {
		t.Errorf("got %d objects kept, want none", got)
	}
}

func TestLayoutsAreReadByName(t *testing.T) {
	c, s := folder(t)
	l, err := ReadLayouts(compile(t, c, s))
	if err != nil {
		t.Fatal(err)
	}
	if pair := l.Struct("pair"); pair == nil || pair.Size != 8 || len(pair.Members) != 2 {
		t.Errorf("got %v, want struct pair of two members in 8 bytes", pair)
	}
	if none := l.Struct("none"); none != nil {
		t.Errorf("got %v, want nil for a struct that is not there", none)
	}
	if _, err := ReadLayouts([]byte("no object")); err == nil {
		t.Error("got no error, want one for what is no object")
	}
}

func TestMissingToolsAreNamedWithWhatToInstall(t *testing.T) {
	empty := t.TempDir()
	put(t, empty, "clang-19", "")
	if err := os.Chmod(filepath.Join(empty, "clang-19"), 0o755); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		t.TempDir(): "no clang-19 in PATH: generating needs clang and llvm-strip (apt-get install clang-19 llvm-19)",
		empty:       "clang-19 is here, but not its llvm-strip (apt-get install llvm-19)",
	} {
		t.Setenv("PATH", path)
		if _, err := Find("", ""); err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
