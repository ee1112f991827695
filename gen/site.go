// SPDX-License-Identifier: Apache-2.0

package gen

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/redsift/ingraind/bpf/include"
	"github.com/redsift/ingraind/gen/internal/diag"
	"github.com/redsift/ingraind/gen/internal/elf"
	"github.com/redsift/ingraind/gen/internal/golang"
	"github.com/redsift/ingraind/gen/internal/model"
	"github.com/redsift/ingraind/gen/internal/source"
	"github.com/redsift/ingraind/gen/internal/spec"
)

// site is a folder with grains/ and bpf/ while it is being generated from.
type site struct {
	root     string // absolute
	module   string // import path of root
	temp     string
	include  string // folder with ingrain.h
	compiler *elf.Compiler
	only     []string // the grains to look at; none means all
	agent    *spec.Agent
	mistakes diag.List
}

// grain is one grain on its way through the stages.
type grain struct {
	spec    *spec.Grain
	source  *source.File
	broken  bool // clang would only say again what is known
	layouts *elf.Layouts
	beside  *golang.Package // the Go in grains/NAME; nil when there is none
}

// openSite finds the module that root lies in and unpacks the headers.
func openSite(root string) (*site, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	if root, err = filepath.EvalSymlinks(root); err != nil {
		return nil, err
	}
	s := &site{root: root}
	if s.module, err = importPath(root); err != nil {
		return nil, err
	}
	if s.temp, err = os.MkdirTemp("", "ingrain-"); err != nil {
		return nil, err
	}
	s.include = filepath.Join(s.temp, "include")
	if err := os.CopyFS(s.include, include.Files); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *site) close() { os.RemoveAll(s.temp) }

// importPath is that of the Go package in dir, which need not hold one.
func importPath(dir string) (string, error) {
	for at := dir; ; at = filepath.Dir(at) {
		f, err := os.Open(filepath.Join(at, "go.mod"))
		if err == nil {
			defer f.Close()
			lines := bufio.NewScanner(f)
			for lines.Scan() {
				if name, ok := strings.CutPrefix(strings.TrimSpace(lines.Text()), "module "); ok {
					below, err := filepath.Rel(at, dir)
					return path.Join(strings.Trim(strings.TrimSpace(name), `"`), filepath.ToSlash(below)), err
				}
			}
			return "", fmt.Errorf("%s: no module line", filepath.Join(at, "go.mod"))
		}
		if at == filepath.Dir(at) {
			return "", fmt.Errorf("%s lies in no Go module: run `go mod init` first", dir)
		}
	}
}

// read parses all YAML and C.
func (s *site) read() ([]*grain, error) {
	names, err := filepath.Glob(filepath.Join(s.root, "grains", "*.yaml"))
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	if len(names) == 0 {
		return nil, fmt.Errorf("no grains/*.yaml below %s", s.root)
	}
	var grains []*grain
	var known []string // grains that have a YAML file
	for _, name := range names {
		file := "grains/" + filepath.Base(name)
		content, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		if file == "grains/agent.yaml" {
			if len(s.only) == 0 {
				agent, mistakes := spec.ParseAgent(file, content)
				s.agent = agent
				s.mistakes.Join(mistakes)
			}
			continue
		}
		grain := strings.TrimSuffix(filepath.Base(name), ".yaml")
		known = append(known, grain)
		if len(s.only) > 0 && !slices.Contains(s.only, grain) {
			continue
		}
		parsed, mistakes := spec.ParseGrain(file, content)
		s.mistakes.Join(mistakes)
		if parsed == nil || parsed.Name.Text == "" {
			continue
		}
		g, err := s.readC(parsed)
		if err != nil {
			return nil, err
		}
		if g != nil {
			grains = append(grains, g)
		}
	}
	for _, name := range s.only {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("there is no grains/%s.yaml%s", name, diag.DidYouMean(name, known))
		}
	}
	if len(s.only) == 0 {
		s.strangers(known)
		s.checkAgent(known)
	}
	return grains, nil
}

// readC scans the C file of a grain, and the Go beside it; nil when there is no
// C.
func (s *site) readC(parsed *spec.Grain) (*grain, error) {
	g := &grain{spec: parsed}
	file := "bpf/" + strings.TrimSuffix(filepath.Base(parsed.File), ".yaml") + ".bpf.c"
	code, err := os.ReadFile(filepath.Join(s.root, file))
	if errors.Is(err, fs.ErrNotExist) {
		s.mistakes.Add(parsed.Name.Pos, "grain %s has no %s, where its probes would be", parsed.Name.Text, file)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	scanned, mistakes := source.Scan(file, code)
	s.mistakes.Join(mistakes)
	names, compiles := model.Names(parsed, scanned)
	s.mistakes.Join(names)
	g.source, g.broken = scanned, mistakes.Len() > 0 || !compiles
	beside, mistakes, err := golang.Read(s.root, strings.TrimSuffix(parsed.File, ".yaml"))
	s.mistakes.Join(mistakes)
	g.beside = beside
	return g, err
}

// strangers reports C files that no YAML speaks of.
func (s *site) strangers(grains []string) {
	files, _ := filepath.Glob(filepath.Join(s.root, "bpf", "*.bpf.c"))
	slices.Sort(files)
	for _, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), ".bpf.c")
		if !slices.Contains(grains, name) {
			s.mistakes.Add(diag.Pos{File: "bpf/" + filepath.Base(f)}, "no grains/%s.yaml says what to do about it%s", name, diag.DidYouMean(name, grains))
		}
	}
}
