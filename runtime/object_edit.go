// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
)

// poisonedOffset is above the stack.
const poisonedOffset = 8

// poisonAtomics replaces atomics that return the old value. Kernels before
// 5.12 refuse a program that holds one even where it cannot run (kernel/bpf/
// verifier.c, resolve_pseudo_ldimm64: "BPF_STX uses reserved fields"). The
// program asks ingrain_agent.atomics first, so they cannot. What replaces
// them, a store above the stack, is refused by every verifier that finds a
// way to it: a program that does not ask does not load.
func poisonAtomics(spec *ebpf.CollectionSpec) {
	for _, prog := range spec.Programs {
		for i := range prog.Instructions {
			ins := &prog.Instructions[i]
			if op := ins.OpCode.AtomicOp(); op == asm.InvalidAtomic || op == asm.AddAtomic {
				continue
			}
			poison := asm.StoreImm(asm.RFP, poisonedOffset, 0, asm.Word)
			poison.Metadata = ins.Metadata
			*ins = poison
		}
	}
}

// dropUnused removes the maps that no program is left to use, but for the
// books.
func dropUnused(spec *ebpf.CollectionSpec) {
	used := map[string]bool{ledgerMap: true, missedMap: true}
	for _, prog := range spec.Programs {
		for i := range prog.Instructions {
			if ins := &prog.Instructions[i]; ins.IsLoadFromMap() {
				use(spec, used, ins.Reference())
			}
		}
	}
	for name := range spec.Maps {
		if !used[name] {
			delete(spec.Maps, name)
		}
	}
}

// use marks a map as used, and the maps that are its contents.
func use(spec *ebpf.CollectionSpec, used map[string]bool, name string) {
	m := spec.Maps[name]
	if m == nil || used[name] {
		return
	}
	used[name] = true
	for _, kv := range m.Contents {
		if inner, ok := kv.Value.(string); ok {
			use(spec, used, inner)
		}
	}
}

// foldVariables writes the values of variables into the maps that they are
// parts of, and forgets them: those that are left when a collection is loaded
// are mapped into memory, which keeps their maps alive until the garbage
// collector comes by.
func foldVariables(spec *ebpf.CollectionSpec) error {
	for name, v := range spec.Variables {
		m := spec.Maps[v.SectionName]
		if m == nil || v.Value == nil {
			continue
		}
		if len(m.Contents) != 1 {
			return fmt.Errorf("variable %s of its object: %s has no contents", name, v.SectionName)
		}
		data, ok := m.Contents[0].Value.([]byte)
		if end := int(v.Offset) + len(v.Value); !ok || end > len(data) {
			return fmt.Errorf("variable %s of its object is not within %s", name, v.SectionName)
		}
		copy(data[v.Offset:], v.Value)
	}
	spec.Variables = nil
	return nil
}
