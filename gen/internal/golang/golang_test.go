// SPDX-License-Identifier: Apache-2.0

package golang

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/redsift/ingraind/gen/internal/diag"
)

// read reads a package of the given files.
func read(t testing.TB, files map[string]string) (*Package, string) {
	t.Helper()
	root := t.TempDir()
	for name, code := range files {
		file := filepath.Join(root, "grains/x", name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(code), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	p, mistakes, err := Read(root, "grains/x")
	if err != nil {
		t.Fatal(err)
	}
	if err := mistakes.Err(); err != nil {
		return p, err.Error()
	}
	return p, ""
}

func TestFunctionsAndStructsAreReadWithTheirPlaces(t *testing.T) {
	got, mistakes := read(t, map[string]string{
		"a.go": "// Package x.\npackage x\n\n" +
			"func Read(b []byte, to *Words) bool { return true }\n" +
			"func (w *Words) Method()           {}\n" +
			"func Generic[T any](t T)           {}\n" +
			"func two(a, b int) (string, error) { return \"\", nil }\n",
		"b.go": "package x\n\ntype Words struct {\n\tFirst, Last []byte\n\tport [4]uint16 // a port\n\tWords\n}\n\ntype Other = int\n" +
			"type Many[T any] struct{ A T }\n",
		"a_test.go":      "package x\n\nfunc Tested() {}\n",
		"a_windows.go":   "package x\n\nfunc Elsewhere() {}\n",
		"testdata/c.go":  "package y\n\nfunc Below() {}\n",
		"notes.txt":      "nothing",
		"ignored_doc.go": "//go:build ignore\n\npackage main\n",
	})
	if mistakes != "" {
		t.Fatal(mistakes)
	}
	at := func(file string, line, col int) diag.Pos {
		return diag.Pos{File: "grains/x/" + file, Line: line, Col: col}
	}
	want := &Package{
		Dir: "grains/x", Name: "x", Pos: at("a.go", 2, 9),
		Funcs: []Func{
			{"Read", at("a.go", 4, 6), []string{"[]byte", "*Words"}, []string{"bool"}},
			{"two", at("a.go", 7, 6), []string{"int", "int"}, []string{"string", "error"}},
		},
		Structs: []Struct{{"Words", at("b.go", 3, 6), []Field{
			{"First", "[]byte", at("b.go", 4, 2)}, {"Last", "[]byte", at("b.go", 4, 9)}, {"port", "[4]uint16", at("b.go", 5, 2)},
		}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestNoGoIsNoPackage(t *testing.T) {
	for _, files := range []map[string]string{nil, {"testdata.txt": ""}, {"x_test.go": "package x\n"}} {
		if p, mistakes := read(t, files); p != nil || mistakes != "" {
			t.Errorf("%v: got %v, %q, want neither", files, p, mistakes)
		}
	}
}

func TestWhatTheParserSaysHasItsPlace(t *testing.T) {
	p, mistakes := read(t, map[string]string{"x.go": "package x\n\nfunc Read(b []byte, to *Words bool {\n}\n\nfunc Line() bool { return true }\n"})
	if want := "grains/x/x.go:3:31: missing ',' in parameter list"; !strings.HasPrefix(mistakes, want) || !p.Broken {
		t.Errorf("got %q, broken %v, want %q and true", mistakes, p.Broken, want)
	}
}

// FuzzRead feeds anything: mistakes have a place, and nothing panics.
func FuzzRead(f *testing.F) {
	f.Add("package x\n\ntype T struct{ A, b []byte }\n\nfunc F(b []byte, t *T) bool { return true }\n")
	f.Add("package main\n")
	f.Add("")
	f.Add("package x\nfunc (")
	f.Add("package x\ntype T struct{ A struct{ B [len(\"x\")]func(...int) chan<- T } }")
	f.Fuzz(func(t *testing.T, code string) {
		_, mistakes := read(t, map[string]string{"x.go": code})
		if mistakes != "" && !strings.HasPrefix(mistakes, "grains/x/x.go:") {
			t.Errorf("got %q, want a place", mistakes)
		}
	})
}
