// SPDX-License-Identifier: Apache-2.0

// Package runtime runs generated grains: it loads their eBPF programs,
// attaches them where the running kernel can, reads what they send, and hands
// rows to sinks.
package runtime

import (
	"time"

	"github.com/cilium/ebpf"
)

// Grain is one self-contained monitor, as its generated New describes it.
// Nothing writes to a Grain after that.
type Grain struct {
	Name   string
	Help   string
	Params []Param
	Probes []Probe
	Events []Event
	Tables []Table

	// Load parses the embedded object for this architecture. The loader
	// calls it each time it needs a fresh specification to edit.
	Load func() (*ebpf.CollectionSpec, error)
}

// Param is a knob of a grain: set at start, a constant inside its programs,
// where it is the variable "ingrain_param_" + Name, of 8 bytes, of 64 for
// Syscalls, and struct ingrain_paths for Paths.
type Param struct {
	Name     string
	Help     string
	Type     ParamType
	Default  int64
	Min, Max int64    // inclusive; both 0 means unbounded
	Paths    []string // the default of one of type Paths
}

// ParamType says how a param is written: 64, 64KiB, 10ms, true.
type ParamType string

// The types of params. A duration counts nanoseconds.
const (
	Integer  ParamType = "integer"
	Bytes    ParamType = "bytes"
	Duration ParamType = "duration"
	Bool     ParamType = "bool"
	Syscalls ParamType = "syscalls" // a set of system calls: openat,read; or all. Its value is a Calls
	Paths    ParamType = "paths"    // folders: /etc,/srv/data. Its value is a list
)

// Probe is a C function, PROBE(Name, ...), and the points where it runs.
type Probe struct {
	Name string
	// Unless are probes of the same grain that this one stands in for: it runs
	// only where one of them cannot, and then none of them does.
	Unless   []string
	Optional bool     // the grain does without it where it cannot run
	Decides  bool     // what it returns is done: it may drop, refuse or redirect
	Args     []string // the names of the function's parameters, in its order
	Points   []Point
}

// Placed reports whether the probe is at interfaces, cgroups or a network
// namespace, which Options.On can choose.
func (p *Probe) Placed() bool {
	for i := range p.Points {
		for _, w := range p.Points[i].Ways {
			switch w.Mechanism {
			case Cgroup, XDP, TCX, Clsact, Socket, SkLookup:
				return true
			}
		}
	}
	return false
}

// Point is one place of the kernel, or of a program, where a probe runs.
type Point struct {
	At      string        // as the YAML says it: "return/tcp_sendmsg"
	Bind    string        // the variable (struct ingrain_at; with Find, struct ingrain_place for each) that says where arguments are; "" when that is known now
	Find    Finder        // where in programs its ways lead; nil: the kernel says that
	Ways    []Way         // the mechanisms that can serve it, best first
	Returns bool          // the parameter "ret" is the result
	Except  []string      // GOARCHs that have no such system call
	On      []string      // which cgroups it is at, patterns for names of interfaces, or network namespaces; none: all, or the agent's
	Every   time.Duration // between two visits of an iterator, or two samples; 0: our choice
}

// Way is one mechanism that can serve a point.
type Way struct {
	Mechanism Mechanism
	Target    string   // kernel function, a pattern (*) of such, or tracepoint; for user programs what Point.Find takes; else the point
	Programs  []string // names in the object: one, or for Pair the entry's and the return's
}

// Mechanism is how a program is attached, and what its context is.
type Mechanism string

// The mechanisms. Arguments of the first four are an array of 64-bit words;
// of the next, up to UretprobeMulti, the registers at entry or return. Those behind
// have a context of their own.
const (
	TPBTF       Mechanism = "tp_btf"
	RawTP       Mechanism = "raw_tp"
	Fentry      Mechanism = "fentry"
	Fexit       Mechanism = "fexit"
	Kprobe      Mechanism = "kprobe"
	KprobeMulti Mechanism = "kprobe.multi" // one link at all functions that a pattern matches
	Kretprobe   Mechanism = "kretprobe"
	Pair        Mechanism = "pair" // a kprobe that keeps the arguments, and the kretprobe that takes them
	Uprobe      Mechanism = "uprobe"
	Uretprobe   Mechanism = "uretprobe"
	// One link at all places in a program that a list or pattern means, or a name in notes.
	UprobeMulti    Mechanism = "uprobe.multi"
	UretprobeMulti Mechanism = "uretprobe.multi"
	Cgroup         Mechanism = "cgroup"
	XDP            Mechanism = "xdp"
	TCX            Mechanism = "tcx"
	Clsact         Mechanism = "clsact" // where tcx is not: a filter of the qdisc of that name
	Socket         Mechanism = "socket" // a packet socket
	SkLookup       Mechanism = "sk_lookup"
	PerfEvent      Mechanism = "perf_event"
	Iter           Mechanism = "iter"
	LSM            Mechanism = "lsm"
	FmodRet        Mechanism = "fmod_ret"
)
