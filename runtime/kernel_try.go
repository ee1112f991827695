// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/link"
)

// tryAtomics loads a program with an atomic exchange (since 5.12; on arm64 a
// kernel that always compiles programs knows it since 5.18).
func tryAtomics() error {
	exchange := asm.Xchg.Mem(asm.RFP, asm.R0, asm.Word, -8)
	exchange.Constant = 0xe1 // BPF_XCHG: ebpf v0.22 writes the constant, and only reads what Mem sets
	prog, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Name:    "ingrain_try",
		Type:    ebpf.SocketFilter,
		License: "Dual BSD/GPL",
		Instructions: asm.Instructions{
			asm.StoreImm(asm.RFP, -8, 0, asm.Word),
			asm.Mov.Imm(asm.R0, 0),
			exchange,
			asm.Mov.Imm(asm.R0, 0),
			asm.Return(),
		},
	})
	if err != nil {
		return fmt.Errorf("no atomics that return the old value: %s", explain(err))
	}
	return prog.Close()
}

// tryTrampoline loads an empty program for function, attaches and detaches
// it: on arm64 before 6.4 loading works and attaching does not.
func tryTrampoline(m Mechanism, function string, cache *btf.Cache) error {
	attach := map[Mechanism]ebpf.AttachType{
		Fentry: ebpf.AttachTraceFEntry, Fexit: ebpf.AttachTraceFExit, FmodRet: ebpf.AttachModifyReturn, LSM: ebpf.AttachLSMMac,
	}[m]
	kind := ebpf.Tracing
	if m == LSM {
		kind = ebpf.LSM
	}
	spec := &ebpf.CollectionSpec{Programs: map[string]*ebpf.ProgramSpec{"ingrain_try": {
		Name:         "ingrain_try",
		Type:         kind,
		AttachType:   attach,
		AttachTo:     function,
		License:      "Dual BSD/GPL",
		Instructions: asm.Instructions{asm.Mov.Imm(asm.R0, 0), asm.Return()},
	}}}
	loaded, err := ebpf.NewCollectionWithOptions(spec, ebpf.CollectionOptions{Cache: cache})
	switch {
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("this kernel forbids %s programs", m)
	case err != nil:
		return fmt.Errorf("a program does not load: %s", explain(err))
	}
	defer loaded.Close()
	attached, err := attachTrampoline(loaded.Programs["ingrain_try"], attach)
	switch {
	case errors.Is(err, link.ErrNotSupported):
		return errors.New("this kernel has no trampolines (arm64 has them since 6.4)")
	case err != nil:
		return fmt.Errorf("a program loads but does not attach: %s", explain(err))
	}
	return attached.Close()
}

func attachTrampoline(program *ebpf.Program, attach ebpf.AttachType) (link.Link, error) {
	if attach == ebpf.AttachLSMMac {
		return link.AttachLSM(link.LSMOptions{Program: program})
	}
	return link.AttachTracing(link.TracingOptions{Program: program, AttachType: attach})
}

// haveProbes looks for the two ways to make a kprobe or uprobe: the perf
// event source, or a file of tracefs.
func haveProbes(kind, config string) error {
	if _, err := os.Stat(filepath.Join("/sys/bus/event_source/devices", kind, "type")); err == nil {
		return nil
	}
	for _, dir := range traceDirs() {
		if _, err := os.Stat(filepath.Join(dir, kind+"_events")); err == nil {
			return nil
		}
	}
	return fmt.Errorf("this kernel has no %ss (%s)", kind, config)
}

// haveMulti asks for a link that is at many places. A kernel may be new enough
// and still lack it.
func haveMulti(m Mechanism, has func() error, needs string) error {
	switch err := has(); {
	case errors.Is(err, ebpf.ErrNotSupported):
		return fmt.Errorf("this kernel has no %s (%s)", m, needs)
	case err != nil:
		return fmt.Errorf("%s: %s", m, explain(err))
	}
	return nil
}
