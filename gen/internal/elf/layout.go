// SPDX-License-Identifier: Apache-2.0

package elf

import (
	"bytes"
	"fmt"

	"github.com/cilium/ebpf/btf"
)

// Layouts are the structs of a C file as the compiler laid them out.
type Layouts struct {
	spec *btf.Spec
}

// ReadLayouts reads them from an object's BTF.
func ReadLayouts(object []byte) (*Layouts, error) {
	spec, err := btf.LoadSpecFromReader(bytes.NewReader(object))
	if err != nil {
		return nil, fmt.Errorf("read the BTF of a compiled object: %w", err)
	}
	return &Layouts{spec}, nil
}

// Struct returns the layout of the struct called name; nil when there is none.
func (l *Layouts) Struct(name string) *btf.Struct {
	var s *btf.Struct
	if err := l.spec.TypeByName(name, &s); err != nil {
		return nil
	}
	return s
}
