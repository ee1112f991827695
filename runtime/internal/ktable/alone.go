// SPDX-License-Identifier: Apache-2.0

package ktable

import (
	"fmt"
	"slices"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// alone reports whether only one program of an object counts in the table, and
// the kernel does not run that one where it runs already, on the same CPU: then
// nothing comes between the parts of an addition.
func (t *Table) alone(object *ebpf.CollectionSpec) bool {
	var only *ebpf.ProgramSpec
	for _, p := range object.Programs {
		if !t.countedBy(p) {
			continue
		}
		if only != nil {
			return false
		}
		only = p
	}
	return only != nil && Guarded(only)
}

func (t *Table) countedBy(p *ebpf.ProgramSpec) bool {
	for i := range p.Instructions {
		ins := &p.Instructions[i]
		if ins.IsLoadFromMap() && slices.Contains(t.names, ins.Reference()) {
			return true
		}
	}
	return false
}

// Guarded reports whether the kernel keeps a program from interrupting or
// preempting itself: those of raw tracepoints since 6.1 (__bpf_trace_run in
// kernel/trace/bpf_trace.c), those of functions since 5.12 (__bpf_prog_enter
// in kernel/bpf/trampoline.c). It counts how often it did.
func Guarded(p *ebpf.ProgramSpec) bool {
	switch {
	case p.Type == ebpf.RawTracepoint, p.Type == ebpf.Tracing && p.AttachType == ebpf.AttachTraceRawTp:
		return kernelSince(6, 1)
	case p.Type == ebpf.Tracing && (p.AttachType == ebpf.AttachTraceFEntry || p.AttachType == ebpf.AttachTraceFExit):
		return kernelSince(5, 12) && p.Flags&unix.BPF_F_SLEEPABLE == 0
	}
	return false
}

// kernelSince reports whether the running kernel is of this version or newer.
func kernelSince(major, minor int) bool {
	var name unix.Utsname
	var m, n int
	if unix.Uname(&name) != nil {
		return false
	}
	if _, err := fmt.Sscanf(unix.ByteSliceToString(name.Release[:]), "%d.%d", &m, &n); err != nil {
		return false
	}
	return m > major || m == major && n >= minor
}
