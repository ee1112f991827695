// SPDX-License-Identifier: Apache-2.0

// Package elf compiles a grain's C, through bpf2go's own compiler step, and
// reads the layouts of its structs from the BTF of the object.
package elf

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	bpf2go "github.com/cilium/ebpf/cmd/bpf2go/gen"
)

// Compiler turns C into BPF objects. What it has compiled once it takes from
// its cache, by a hash of everything that went in.
type Compiler struct {
	CC    string // the clang to run
	Strip string // the llvm-strip to run
	Cache string // folder of objects compiled before; "" for none

	tools string // what CC and Strip are, for the hash
}

// clangs are the names clang goes by, the preferred first.
var clangs = []string{"clang-19", "clang", "clang-20", "clang-18", "clang-17", "clang-16"}

// Find looks for clang and the llvm-strip that goes with it, unless cc names
// one.
func Find(cc, cache string) (*Compiler, error) {
	candidates := clangs
	if cc != "" {
		candidates = []string{cc}
	}
	err := fmt.Errorf("no %s in PATH: generating needs clang and llvm-strip (apt-get install clang-19 llvm-19)", candidates[0])
	for _, name := range candidates {
		clang, missing := exec.LookPath(name)
		if missing != nil {
			continue
		}
		strip := stripOf(clang)
		if strip == "" {
			err = fmt.Errorf("%s is here, but not its llvm-strip (apt-get install llvm-19)", clang)
			continue
		}
		c := &Compiler{CC: clang, Strip: strip, Cache: cache}
		return c, c.identify()
	}
	return nil, err
}

// stripOf is the llvm-strip that came with a clang: beside it, or in PATH.
func stripOf(clang string) string {
	name := strings.Replace(filepath.Base(clang), "clang", "llvm-strip", 1)
	for _, place := range []string{filepath.Join(filepath.Dir(clang), name), name} {
		if strip, err := exec.LookPath(place); err == nil {
			return strip
		}
	}
	return ""
}

// identify notes what the tools are, so that others make other objects.
func (c *Compiler) identify() error {
	for _, tool := range []string{c.CC, c.Strip} {
		real, err := filepath.EvalSymlinks(tool)
		if err != nil {
			return err
		}
		info, err := os.Stat(real)
		if err != nil {
			return err
		}
		c.tools += fmt.Sprintf("%s %d %d\n", real, info.Size(), info.ModTime().UnixNano())
	}
	return nil
}

// Source is a C file and what it is compiled with.
type Source struct {
	Root    string // absolute; debug information names files relative to it
	File    string // relative to Root
	Headers string // folder with the generated header, and no other
	As      string // the name of Headers in debug information, relative to Root
	Include string // folder with ingrain.h
	Target  string // a GOARCH
	Flags   []string
}

// stripped is what llvm-strip removes beside what bpf2go has it remove: sections
// that no loader reads, a quarter of an object. They are relocations of BTF, whose
// offsets are right as they are. Without -g it would strip all.
var stripped = []string{"-g", "-R", ".rel.BTF", "-R", ".rel.BTF.ext", "-R", ".llvm_addrsig"}

// Compile returns the object of s, stripped of all debug information but BTF.
// What clang has to say goes to stderr as it is.
func (c *Compiler) Compile(s Source) ([]byte, error) {
	key, err := c.key(s)
	if err != nil {
		return nil, err
	}
	if object := c.kept(key); object != nil {
		return object, nil
	}
	target, _, err := bpf2go.FindTarget(s.Target)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "ingrain-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	object, list := filepath.Join(dir, "o"), filepath.Join(dir, "d")
	err = bpf2go.Compile(bpf2go.CompileArgs{
		CC:      c.CC,
		Strip:   c.Strip,
		Workdir: s.Root,
		Source:  filepath.Join(s.Root, s.File),
		Dest:    object,
		Target:  target,
		Flags: append([]string{
			"-mcpu=v3", "-Wall", "-Werror", "-MD", "-MF", list,
			// Lines of BTF come from what is compiled, and not from what has
			// the same name on disk: a header of an earlier run.
			"-gdwarf-5", "-gembed-source",
			"-I" + s.Headers, "-I" + filepath.Join(s.Root, "bpf", "include"), "-I" + s.Include,
			"-fdebug-prefix-map=" + s.Headers + "=" + s.As,
			"-fdebug-prefix-map=" + s.Include + "=bpf/include",
			"-fdebug-prefix-map=" + s.Root + "/=",
		}, s.Flags...),
	})
	if err != nil {
		return nil, fmt.Errorf("clang %s for %s: %w", s.File, s.Target, err)
	}
	if out, err := exec.Command(c.Strip, append(slices.Clone(stripped), object)...).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%s: %w: %s", c.Strip, err, out)
	}
	bytes, err := os.ReadFile(object)
	if err != nil {
		return nil, err
	}
	if s.known(list) {
		c.keep(key, bytes)
	}
	return bytes, nil
}
