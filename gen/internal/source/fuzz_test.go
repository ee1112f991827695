// SPDX-License-Identifier: Apache-2.0

package source

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/redsift/ingraind/gen/internal/diag"
)

// FuzzScan feeds Scan anything: it never panics, each position lies within the
// file, and each name stands where its position says.
func FuzzScan(f *testing.F) {
	files, err := filepath.Glob("testdata/mistakes/*.c")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range files {
		src, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(src))
	}
	f.Add("#include \"a.h\"\nstruct s { union { int a : 3; } u; int (*f)(void), b[2]; text(4) t; };\nPROBE(p, struct a *const b) {}\r\n")
	f.Add("#if 0\n'\n#else\n\"\\\n\"\n#endif\n/* */ #define X \\\n{")
	f.Add("static int f(int a) __attribute__((x)) { return g(h()); }\n#define F f(\n")
	f.Add("struct{struct{struct a{typeof(*x) y;};}z;PROBE(")

	f.Fuzz(func(t *testing.T, src string) {
		file, mistakes := Scan("a.c", []byte(src))
		lines := strings.Split(src, "\n")
		within := func(pos diag.Pos, name string) {
			t.Helper()
			if pos.File != "a.c" || pos.Line < 1 || pos.Line > len(lines) || pos.Col < 1 || pos.Col > len(lines[pos.Line-1])+1 {
				t.Fatalf("got %v, want a position within the file", pos)
			}
			if !strings.HasPrefix(lines[pos.Line-1][pos.Col-1:], name) {
				t.Fatalf("got %v for %q, want where it stands", pos, name)
			}
		}
		for _, m := range mistakes.Mistakes() {
			within(m.Pos, "")
		}
		for _, i := range file.Includes {
			within(i.Pos, `"`)
		}
		for _, p := range file.Probes {
			within(p.Pos, p.Name)
			if p.Name == "" {
				t.Fatalf("got a probe without a name at %v", p.Pos)
			}
			for _, a := range p.Params {
				within(a.Pos, a.Name)
				if a.Name == "" || a.Type == "" {
					t.Fatalf("%s: got parameter %q of type %q", p.Name, a.Name, a.Type)
				}
			}
		}
		for word, pos := range file.Words {
			within(pos, word)
		}
		for _, f := range file.Funcs {
			within(f.Pos, f.Name)
			for _, c := range f.Calls {
				within(c.Pos, c.Name)
			}
		}
		for _, s := range file.Structs {
			within(s.Pos, s.Name)
			for _, m := range s.Members {
				within(m.Pos, m.Name[strings.LastIndexByte(m.Name, '.')+1:])
			}
		}
	})
}

// A hostile file neither exhausts the stack nor takes time out of proportion:
// then this test would not end.
func TestScanEndsOnEndlessRepetition(t *testing.T) {
	for _, piece := range []string{
		"(", "{", "((]", "/*", "#if 0\n", "PROBE(", "PROBE(a, int __packed", "int a, ", "int (*", "__packed ", "__attribute__(",
		"struct {", "struct a {", "struct { struct x *a; } b;",
	} {
		many := strings.Repeat(piece, 20_000)
		Scan("a.c", []byte(many))
		if f, _ := Scan("a.c", []byte("PROBE(p, "+many)); f.Probe("p") == nil && !strings.HasPrefix(piece, "/*") {
			t.Errorf("PROBE(p, and 20,000 times %q: got no probe p", piece)
		}
	}
}
