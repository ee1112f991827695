// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"errors"
	"fmt"
	goruntime "runtime"
	"sync"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/features"
	"github.com/cilium/ebpf/rlimit"
)

// Kernel is what a kernel can do. Each function answers nil for "yes", or why
// not, in words for a user. RunningKernel's find out by trying, when they are
// first asked, and remember; tests bring answers of their own.
type Kernel struct {
	Types     Types // functions and tracepoints, with the names of their parameters
	CPUs      int   // that may ever exist
	Registers int   // that hold arguments at a function's entry

	RingBuffer  func() error
	Atomics     func() error                                     // atomics that return the old value
	Trampoline  func(mechanism Mechanism, function string) error // Fentry, Fexit, FmodRet on that function, or LSM on that hook
	Kprobes     func() error
	KprobeMulti func() error // one link at many functions
	// Functions are the kernel's own that can be probed, without modules'.
	// One of which there are several of that name is not among them.
	Functions   func() ([]string, error)
	Uprobes     func() error
	UprobeMulti func() error                 // one link at many places in programs
	Programs    func(ebpf.ProgramType) error // programs of that type
	TCX         func() error
	LSM         func() error // programs are asked where security modules are
	// Symbols are the kernel's functions whose names begin with prefix, at
	// most a dozen, the likeliest first.
	Symbols func(prefix string) []string

	// NoTypes, when not nil, says that Types are not the kernel's own: mechanisms
	// that need those do without.
	NoTypes error

	cache *btf.Cache
	given *btf.Spec // Types, when they are not the kernel's own
}

// Types looks up the kernel's types by name, as btf.Spec does.
type Types interface {
	TypeByName(name string, typ any) error
}

// RunningKernel is the kernel below this process. One that was built without its
// types, BTF, gets them from a file of its own, or of its release in a folder;
// without both nothing here works.
func RunningKernel(types string) (*Kernel, error) {
	cache := btf.NewCache()
	given, err := typesOf(cache, types)
	if err != nil {
		return nil, err
	}
	cpus, err := ebpf.PossibleCPU()
	if err != nil {
		return nil, fmt.Errorf("count CPUs: %w", err)
	}
	raiseLimits()
	k := &Kernel{
		Types:     kernelTypes{cache},
		CPUs:      cpus,
		Registers: argumentRegisters(goruntime.GOARCH),
		Kprobes:   sync.OnceValue(func() error { return haveProbes("kprobe", "CONFIG_KPROBE_EVENTS") }),
		KprobeMulti: sync.OnceValue(func() error {
			return haveMulti(KprobeMulti, features.HaveBPFLinkKprobeMulti, "since 5.18, CONFIG_FPROBE")
		}),
		Functions: sync.OnceValues(probeable),
		Uprobes:   sync.OnceValue(func() error { return haveProbes("uprobe", "CONFIG_UPROBE_EVENTS") }),
		UprobeMulti: sync.OnceValue(func() error {
			return haveMulti(UprobeMulti, features.HaveBPFLinkUprobeMulti, "since 6.6, CONFIG_UPROBES")
		}),
		Atomics:  sync.OnceValue(tryAtomics),
		Programs: havePrograms,
		TCX:      sync.OnceValue(haveTCX),
		LSM:      sync.OnceValue(haveLSM),
		Symbols:  kallsyms,
		cache:    cache,
	}
	if given != nil {
		k.Types, k.given = given, given
		k.NoTypes = errors.New("the kernel has no types of its own (CONFIG_DEBUG_INFO_BTF)")
	}
	k.RingBuffer = sync.OnceValue(haveRingBuffers)
	k.Trampoline = remember(func(m Mechanism, function string) error { return tryTrampoline(m, function, cache) })
	return k, nil
}

// raiseLimits lets maps and programs be as large as they are: before 5.11 they
// count against the limit of locked memory. Where raising it is refused they
// may still fit, and the error that follows if they do not names it.
func raiseLimits() { _ = rlimit.RemoveMemlock() }

func havePrograms(t ebpf.ProgramType) error {
	switch err := features.HaveProgramType(t); {
	case errors.Is(err, ebpf.ErrNotSupported):
		return fmt.Errorf("this kernel has no programs of type %s", t)
	case err != nil:
		return fmt.Errorf("programs of type %s: %s", t, explain(err))
	}
	return nil
}

func haveRingBuffers() error {
	if err := features.HaveMapType(ebpf.RingBuf); err != nil {
		return fmt.Errorf("no ring buffers: %s", explain(err))
	}
	return nil
}

// argumentRegisters is how many registers hold arguments: the system V ABI's
// for x86-64, AAPCS64's for arm64.
func argumentRegisters(arch string) int {
	if arch == "arm64" {
		return 8
	}
	return 6
}

// remember makes try run once for each function.
func remember(try func(Mechanism, string) error) func(Mechanism, string) error {
	type question struct {
		mechanism Mechanism
		function  string
	}
	var mu sync.Mutex
	answers := map[question]error{}
	return func(m Mechanism, function string) error {
		mu.Lock()
		defer mu.Unlock()
		q := question{m, function}
		err, ok := answers[q]
		if !ok {
			err = try(m, function)
			answers[q] = err
		}
		return err
	}
}

// kernelTypes are the types of the running kernel and of its modules.
type kernelTypes struct{ cache *btf.Cache }

func (t kernelTypes) TypeByName(name string, typ any) error {
	spec, err := t.cache.Kernel()
	if err != nil {
		return err
	}
	missing := spec.TypeByName(name, typ)
	if !errors.Is(missing, btf.ErrNotFound) {
		return missing
	}
	modules, err := t.cache.Modules()
	if err != nil {
		return missing
	}
	for _, module := range modules {
		spec, err := t.cache.Module(module)
		if err != nil {
			continue
		}
		if err := spec.TypeByName(name, typ); !errors.Is(err, btf.ErrNotFound) {
			return err
		}
	}
	return missing
}
