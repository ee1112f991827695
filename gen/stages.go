// SPDX-License-Identifier: Apache-2.0

package gen

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/redsift/ingraind/gen/internal/diag"
	"github.com/redsift/ingraind/gen/internal/elf"
	"github.com/redsift/ingraind/gen/internal/emit"
	"github.com/redsift/ingraind/gen/internal/model"
)

// targets are the architectures that each grain is compiled for.
var targets = []string{"amd64", "arm64"}

// layouts compiles each grain against a stub header, to learn its structs.
func (s *site) layouts(grains []*grain) error {
	return parallel(grains, func(g *grain) error {
		if g.broken {
			return nil
		}
		var params []emit.StubParam
		var events []string
		for _, p := range g.spec.Params {
			params = append(params, emit.StubParam{Name: p.Name.Text, Type: string(p.Type)})
		}
		for _, c := range g.source.Structs {
			if event, ok := strings.CutPrefix(c.Name, "_data_"); ok {
				events = append(events, event)
			}
		}
		object, err := s.clang(g.spec.Name.Text, "stub", emit.Stub(g.spec.File, params, events, model.CallNumbers(g.source)), targets[0], "-Wno-unused")
		if err != nil {
			return err
		}
		g.layouts, err = elf.ReadLayouts(object)
		return err
	}, &s.mistakes)
}

// bind makes a model of each grain, or reports every mistake that was found.
func (s *site) bind(grains []*grain) ([]*model.Grain, error) {
	var models []*model.Grain
	for _, g := range grains {
		if g.layouts == nil {
			continue
		}
		m, mistakes := model.Bind(g.spec, g.source, g.layouts, g.beside)
		s.mistakes.Join(mistakes)
		models = append(models, m)
	}
	return models, s.mistakes.Err()
}

// object is a compiled grain for one architecture.
type object struct {
	arch  string
	bytes []byte
}

// compile makes the objects of each grain, in the order of targets. One target
// after the other: what is wrong is said once.
func (s *site) compile(models []*model.Grain) (map[*model.Grain][]object, error) {
	objects := map[*model.Grain][]object{}
	for _, m := range models {
		objects[m] = make([]object, len(targets))
	}
	for n, target := range targets {
		err := parallel(models, func(m *model.Grain) error {
			code, err := s.clang(m.Name, target, emit.Header(m), target)
			objects[m][n] = object{target, code}
			return err
		}, nil)
		if err != nil {
			return nil, err
		}
	}
	return objects, nil
}

// clang compiles a grain with header as its X.grain.h.
func (s *site) clang(name, purpose string, header []byte, target string, flags ...string) ([]byte, error) {
	dir := filepath.Join(s.temp, purpose, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, name+".grain.h"), header, 0o644); err != nil {
		return nil, err
	}
	return s.compiler.Compile(elf.Source{
		Root:    s.root,
		File:    "bpf/" + name + ".bpf.c",
		Headers: dir,
		As:      "generated/" + name,
		Include: s.include,
		Target:  target,
		Flags:   flags,
	})
}

// parallel runs each item, two at a time and in any order. It returns the
// error of the first item that has one, and with mistakes at hand those too.
func parallel[T any](items []T, run func(T) error, mistakes *diag.List) error {
	errs := make([]error, len(items))
	turn := make(chan struct{}, 2)
	var all sync.WaitGroup
	for i, item := range items {
		all.Go(func() {
			turn <- struct{}{}
			errs[i] = run(item)
			<-turn
		})
	}
	all.Wait()
	for _, err := range errs {
		if err != nil && mistakes != nil && mistakes.Len() > 0 {
			return fmt.Errorf("%w\n%w", mistakes.Err(), err)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
