// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/btf"
)

// Program reports what a program of an object needs and this kernel lacks:
// types and members that it reads, helpers that it calls, types of the maps
// that it uses. Only instructions count that it can reach here: what stands
// behind a bpf_core_..._exists that is false is dead, as it is to the
// verifier. See reachable for what that follows.
func (k *Kernel) Program(object *ebpf.CollectionSpec, name string) error {
	program := object.Programs[name]
	if program == nil {
		return fmt.Errorf("its object has no program %s", name)
	}
	code, missing, err := k.relocate(object, program)
	if err != nil {
		return err
	}
	var lacks []string
	lack := func(format string, args ...any) {
		if text := fmt.Sprintf(format, args...); !slices.Contains(lacks, text) {
			lacks = append(lacks, text)
		}
	}
	for i, live := range reachable(code) {
		ins := &code[i]
		switch {
		case !live:
		case missing[i] != "":
			lack("no %s", missing[i])
		case ins.IsBuiltinCall():
			if _, ok := k.helpers[uint64(ins.Constant)]; !ok {
				lack("no helper %s", helperName(ins))
			}
		case ins.IsLoadFromMap():
			if m := object.Maps[ins.Reference()]; m != nil && !k.maps[uint64(m.Type)] {
				lack("no maps of type %s, as %s is", m.Type, m.Name)
			}
		}
	}
	if lacks == nil {
		return nil
	}
	return errors.New(strings.Join(lacks, ", "))
}

// relocate returns the instructions of a program as they would be on this
// kernel, and of each that cannot be what it wants to know.
func (k *Kernel) relocate(object *ebpf.CollectionSpec, program *ebpf.ProgramSpec) (asm.Instructions, map[int]string, error) {
	code := slices.Clone(program.Instructions)
	var relocations []*btf.CORERelocation
	var at []int
	for i := range code {
		if r := btf.CORERelocationMetadata(&code[i]); r != nil {
			relocations, at = append(relocations, r), append(at, i)
		}
	}
	local := func(t btf.Type) (btf.TypeID, error) { return object.Types.TypeID(t) }
	fixups, err := btf.CORERelocate(relocations, []*btf.Spec{k.types}, binary.ByteOrder(binary.LittleEndian), local)
	if err != nil {
		return nil, nil, err
	}
	missing := map[int]string{}
	for n, i := range at {
		wide := code[i].OpCode.IsDWordLoad()
		if err := fixups[n].Apply(&code[i]); err != nil {
			return nil, nil, err
		}
		if code[i].Constant == btf.COREBadRelocationSentinel && (wide || code[i].IsBuiltinCall()) {
			missing[i] = wanted(object.Types, relocations[n])
		}
	}
	return code, missing, nil
}

// helperName is a helper as its manual page calls it.
func helperName(ins *asm.Instruction) string {
	var b strings.Builder
	for _, c := range strings.TrimPrefix(asm.BuiltinFunc(ins.Constant).String(), "Fn") {
		if c >= 'A' && c <= 'Z' {
			b.WriteByte('_')
			c += 'a' - 'A'
		}
		b.WriteRune(c)
	}
	return "bpf" + b.String()
}
