// SPDX-License-Identifier: Apache-2.0

// Package kernel says from a kernel's BTF alone whether programs would load
// and find their places there: functions, tracepoints and their arguments by
// name, relocations, helpers and types of maps. What a BTF cannot tell (how
// the verifier judges, what a security module forbids) it does not claim.
package kernel

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf/btf"
)

// Kernel is one kernel's types.
type Kernel struct {
	Name string // the file they come from
	Arch string // its GOARCH, or "" when that is not one of ours

	types   *btf.Spec
	helpers map[uint64]string // bpf_func_id: what BPF_FUNC_ names there are
	maps    map[uint64]bool   // bpf_map_type
}

// New is the kernel that types describe. The error says what they lack to be
// those of a kernel.
func New(name string, types *btf.Spec) (*Kernel, error) {
	k := &Kernel{Name: name, types: types, helpers: map[uint64]string{}, maps: map[uint64]bool{}}
	var helpers, maps *btf.Enum
	if err := types.TypeByName("bpf_func_id", &helpers); err != nil {
		return nil, errors.New("no kernel's BTF: it has no enum bpf_func_id")
	}
	if err := types.TypeByName("bpf_map_type", &maps); err != nil {
		return nil, errors.New("no kernel's BTF: it has no enum bpf_map_type")
	}
	for _, v := range helpers.Values {
		k.helpers[v.Value] = v.Name
	}
	for _, v := range maps.Values {
		k.maps[v.Value] = true
	}
	k.Arch = k.arch()
	return k, nil
}

// arch tells the architecture by the registers that a system call saves.
func (k *Kernel) arch() string {
	var regs *btf.Struct
	if err := k.types.TypeByName("pt_regs", &regs); err != nil {
		return ""
	}
	for _, m := range regs.Members {
		switch m.Name {
		case "r10":
			return "amd64"
		case "orig_x0", "syscallno":
			return "arm64"
		}
	}
	return ""
}

// The three that follow judge by types that the kernel has only when it was
// built so. Older BTF leaves many functions out, but no type.

// Trampolines reports why fentry and fexit cannot be attached, nil when
// nothing speaks against it: they need ftrace's direct calls
// (kernel/trace/ftrace.c; arm64 has them since 6.4).
func (k *Kernel) Trampolines() error {
	var ops *btf.Struct
	if k.types.TypeByName("ftrace_ops", &ops) == nil {
		for _, m := range ops.Members {
			if m.Name == "direct_call" { // since 6.3
				return nil
			}
		}
	}
	if k.hasStruct("ftrace_direct_func") { // up to 6.2
		return nil
	}
	return errors.New("no trampolines (CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS)")
}

// Kprobes reports why kprobes cannot be attached (kernel/trace/trace_kprobe.c).
func (k *Kernel) Kprobes() error {
	if !k.hasStruct("trace_kprobe") {
		return errors.New("no kprobes (CONFIG_KPROBE_EVENTS)")
	}
	return nil
}

// Uprobes reports why uprobes cannot be attached (kernel/trace/trace_uprobe.c).
func (k *Kernel) Uprobes() error {
	if !k.hasStruct("trace_uprobe") {
		return errors.New("no uprobes (CONFIG_UPROBE_EVENTS)")
	}
	return nil
}

func (k *Kernel) hasStruct(name string) bool {
	var s *btf.Struct
	return !errors.Is(k.types.TypeByName(name, &s), btf.ErrNotFound)
}

// attachTypes are the names of enum bpf_attach_type (include/uapi/linux/bpf.h)
// for points that are neither functions nor tracepoints.
var attachTypes = map[string]string{
	"cgroup_skb/ingress": "BPF_CGROUP_INET_INGRESS",
	"cgroup_skb/egress":  "BPF_CGROUP_INET_EGRESS",
	"cgroup/connect4":    "BPF_CGROUP_INET4_CONNECT",
	"cgroup/connect6":    "BPF_CGROUP_INET6_CONNECT",
	"cgroup/sendmsg4":    "BPF_CGROUP_UDP4_SENDMSG",
	"cgroup/sendmsg6":    "BPF_CGROUP_UDP6_SENDMSG",
	"cgroup/recvmsg4":    "BPF_CGROUP_UDP4_RECVMSG",
	"cgroup/recvmsg6":    "BPF_CGROUP_UDP6_RECVMSG",
	"cgroup/sock_create": "BPF_CGROUP_INET_SOCK_CREATE",
	"sockops":            "BPF_CGROUP_SOCK_OPS",
	"sk_lookup":          "BPF_SK_LOOKUP",
	"xdp":                "BPF_XDP",
	"tcx/ingress":        "BPF_TCX_INGRESS",
	"tcx/egress":         "BPF_TCX_EGRESS",
}

// Attaches reports why programs cannot be attached at a point of that sort.
func (k *Kernel) Attaches(point string) error {
	var types *btf.Enum
	if err := k.types.TypeByName("bpf_attach_type", &types); err != nil {
		return err
	}
	for _, v := range types.Values {
		if v.Name == attachTypes[point] {
			return nil
		}
	}
	return fmt.Errorf("no %s programs", point)
}
