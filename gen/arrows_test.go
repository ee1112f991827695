// SPDX-License-Identifier: Apache-2.0

package gen_test

import (
	"errors"
	"go/build"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	ebpf     = "github.com/cilium/ebpf"
	cel      = "cel.dev/cel-go"
	project  = "github.com/redsift/ingraind/"
	internal = project + "gen/internal/"
)

// arrows are what each package of the generator may import beside the standard
// library, and why not more. Nothing of runtime: generated code imports it, by
// a path that package emit knows as a string.
var arrows = map[string]struct {
	allowed []string
	reason  string
}{
	".": {
		[]string{ebpf, ebpf + "/cmd/bpf2go/gen", project + "bpf/include", internal + "diag", internal + "elf", internal + "emit", internal + "golang", internal + "kernel", internal + "model", internal + "source", internal + "spec", internal + "write"},
		"it runs the stages, and is the only one that knows all of them",
	},
	"cmd/ingrain":   {[]string{project + "gen", internal + "diag"}, "a thin skin over package gen; diag for its did-you-mean"},
	"internal/diag": {nil, "everybody's, so nobody's"},
	"internal/elf":  {[]string{ebpf + "/btf", ebpf + "/cmd/bpf2go/gen"}, "it compiles C and reads layouts; what they mean is package model's affair"},
	"internal/emit": {[]string{"github.com/dave/jennifer/jen", internal + "expr", internal + "model"}, "it prints a model and decides nothing"},
	"internal/expr": {
		[]string{cel + "/common", cel + "/common/ast", cel + "/common/operators", cel + "/common/types", cel + "/parser", internal + "diag", internal + "syscalls"},
		"it has CEL's grammar by CEL's parser, and names and types of its own; the fields it is told",
	},
	"internal/golang":   {[]string{internal + "diag"}, "it reads Go, and has not heard of YAML"},
	"internal/kernel":   {[]string{ebpf, ebpf + "/asm", ebpf + "/btf", "github.com/ulikunitz/xz"}, "it knows kernels and objects, and no grain"},
	"internal/model":    {[]string{ebpf + "/btf", internal + "diag", internal + "elf", internal + "expr", internal + "golang", internal + "source", internal + "spec", internal + "syscalls"}, "the one place where YAML, C and Go meet"},
	"internal/source":   {[]string{internal + "diag"}, "it reads C, and has not heard of YAML"},
	"internal/spec":     {[]string{"gopkg.in/yaml.v3", internal + "diag"}, "it reads YAML, and has not heard of C"},
	"internal/syscalls": {nil, "a table"},
	"internal/write":    {nil, "it writes files, whatever is in them"},
}

// elsewhere have arrows tests of their own, or make a table once in a while.
var elsewhere = []string{"vm", "vm/cmd/vmtest", "internal/syscalls/mksyscalls", "internal/syscalls/mknames"}

func TestPackagesOfTheGeneratorImportOnlyWhatTheirPlaceAllows(t *testing.T) {
	err := filepath.WalkDir(".", func(dir string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		if d.Name() == "testdata" {
			return fs.SkipDir
		}
		pkg, err := build.ImportDir(dir, 0)
		if none := new(build.NoGoError); errors.As(err, &none) {
			return nil
		}
		if err != nil {
			return err
		}
		name := filepath.ToSlash(dir)
		place, known := arrows[name]
		if !known && !slices.Contains(elsewhere, name) {
			t.Errorf("package %s has no place; give it one in the table, with the reason", name)
		}
		for _, path := range pkg.Imports {
			if path == project+"runtime" || strings.HasPrefix(path, project+"runtime/") || strings.HasPrefix(path, project+"generated/") {
				t.Errorf("%s imports %s: the generator knows nothing of what it generates for", name, path)
			}
			host, _, _ := strings.Cut(path, "/")
			if known && strings.Contains(host, ".") && !slices.Contains(place.allowed, path) {
				t.Errorf("%s imports %s, want only %v: %s", name, path, place.allowed, place.reason)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
