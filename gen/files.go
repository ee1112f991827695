// SPDX-License-Identifier: Apache-2.0

package gen

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/cilium/ebpf"
	bpf2go "github.com/cilium/ebpf/cmd/bpf2go/gen"

	"github.com/redsift/ingraind/gen/internal/emit"
	"github.com/redsift/ingraind/gen/internal/model"
	"github.com/redsift/ingraind/gen/internal/write"
)

// emit prints everything that belongs into generated/.
func (s *site) emit(models []*model.Grain, objects map[*model.Grain][]object) ([]write.File, error) {
	var files []write.File
	add := func(name string, content []byte) { files = append(files, write.File{Path: name, Content: content}) }
	for _, m := range models {
		dir := "generated/" + m.Name
		add(path.Join(dir, m.Name+".grain.h"), emit.Header(m))
		code, err := emit.Grain(path.Join(s.module, dir), m)
		if err != nil {
			return nil, err
		}
		add(path.Join(dir, m.Name+".go"), code)
		for _, o := range objects[m] {
			stem, loader, err := bindings(m.Name, o)
			if err != nil {
				return nil, err
			}
			add(path.Join(dir, stem+".o"), o.bytes)
			add(path.Join(dir, stem+".go"), loader)
		}
	}
	if s.agent != nil {
		dir := path.Join("generated", s.agent.Name.Text)
		main, err := emit.Main(path.Join(s.module, dir), emit.Agent{
			Name:   s.agent.Name.Text,
			Help:   s.agent.Help.Text,
			YAML:   "grains/agent.yaml",
			Grains: s.grainPaths(), Optional: s.optionalNames(),
			Sinks: s.sinkPaths(), Observe: s.agent.Observe,
		})
		if err != nil {
			return nil, err
		}
		add(path.Join(dir, "main.go"), main)
	}
	return files, nil
}

// bindings is bpf2go's Go for an object, and the stem of both files' names.
func bindings(name string, o object) (string, []byte, error) {
	target, arches, err := bpf2go.FindTarget(o.arch)
	if err != nil {
		return "", nil, err
	}
	spec, err := ebpf.LoadCollectionSpecFromReader(bytes.NewReader(o.bytes))
	if err != nil {
		return "", nil, fmt.Errorf("read the object of grain %s for %s: %w", name, o.arch, err)
	}
	stem := name + "_" + target.Suffix()
	var code bytes.Buffer
	err = bpf2go.Generate(bpf2go.GenerateArgs{
		Package:     name,
		Stem:        name,
		Identifier:  identifiers(spec),
		Constraints: arches.Constraint(),
		Programs:    sortedKeys(spec.Programs),
		Maps:        mapNames(spec),
		Variables:   sortedKeys(spec.Variables),
		ObjectFile:  stem + ".o",
		Output:      &code,
	})
	return stem, code.Bytes(), err
}

// identifiers spells names of C as Go does, ring_size as RingSize, but leaves
// them nearly as they are where two would become one.
func identifiers(spec *ebpf.CollectionSpec) func(string) string {
	count := map[string]int{}
	for _, names := range [][]string{sortedKeys(spec.Programs), mapNames(spec), sortedKeys(spec.Variables)} {
		of := map[string]bool{}
		for _, name := range names {
			if of[camel(name)] {
				count[camel(name)]++
			}
			of[camel(name)] = true
		}
	}
	return func(name string) string {
		if count[camel(name)] > 0 {
			return "C_" + name
		}
		return camel(name)
	}
}

func camel(name string) string {
	var b strings.Builder
	for word := range strings.FieldsFuncSeq(name, func(r rune) bool { return r == '_' }) {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}

// mapNames are the maps of a grain, without the sections of its variables.
func mapNames(spec *ebpf.CollectionSpec) []string {
	return slices.DeleteFunc(sortedKeys(spec.Maps), func(name string) bool { return strings.HasPrefix(name, ".") })
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
