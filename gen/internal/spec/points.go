// SPDX-License-Identifier: Apache-2.0

package spec

import (
	"cmp"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/redsift/ingraind/gen/internal/diag"
	"gopkg.in/yaml.v3"
)

// Point is a place in the kernel, or in a program, where a probe runs. Text is
// all of it as written: KIND/PLACE, or KIND alone.
type Point struct {
	Value
	Kind     Kind
	Category string // of a tracepoint: sched
	Binary   string // of a point in a program: /usr/bin/bash, or a bare name such as libc.so.6
	Target   string // the tracepoint, system call, function, symbols, PROVIDER:PROBE, or whatever else stands for PLACE
}

// Pattern reports whether a point is at all functions that its Target lists or
// matches.
func (pt *Point) Pattern() bool { return strings.ContainsAny(pt.Target, "*,") }

// Kind is the first word of a probe point.
type Kind string

// The kinds of probe point.
const (
	Tracepoint    Kind = "tracepoint"
	RawTP         Kind = "raw_tp"
	TPBTF         Kind = "tp_btf"
	Syscall       Kind = "syscall"
	SyscallReturn Kind = "syscall_return"
	Entry         Kind = "entry"
	Return        Kind = "return"
	Fentry        Kind = "fentry"
	Fexit         Kind = "fexit"
	Kprobe        Kind = "kprobe"
	Kretprobe     Kind = "kretprobe"
	Uprobe        Kind = "uprobe"
	Uretprobe     Kind = "uretprobe"
	USDT          Kind = "usdt"
	CgroupSKB     Kind = "cgroup_skb"
	Cgroup        Kind = "cgroup"
	XDP           Kind = "xdp"
	TCX           Kind = "tcx"
	Socket        Kind = "socket"
	Sockops       Kind = "sockops"
	SkLookup      Kind = "sk_lookup"
	PerfEvent     Kind = "perf_event"
	Iter          Kind = "iter"
	LSM           Kind = "lsm"
	FmodRet       Kind = "fmod_ret"
)

// shape is how what follows KIND/ is written, in words and as a pattern whose
// groups are named after Point's fields, or as all the places there are. With
// none of these nothing follows, not even the slash.
type shape struct {
	words   string
	pattern *regexp.Regexp
	places  []string
	many    bool // a * stands for any letters
}

var (
	tracepoint = shape{words: "CATEGORY/NAME", pattern: regexp.MustCompile(`^(?P<Category>[\w-]+)/(?P<Target>\w+)$`)}
	rawPoint   = shape{words: "NAME", pattern: regexp.MustCompile(`^(?P<Target>\w+)$`)}
	systemCall = shape{words: "NAME", pattern: regexp.MustCompile(`^(?P<Target>[a-z_][a-z0-9_]*)$`)}
	functions  = shape{words: "FUNCTION", pattern: regexp.MustCompile(`^(?P<Target>[A-Za-z_*][\w.*]*)$`), many: true}
	function   = shape{words: "FUNCTION", pattern: regexp.MustCompile(`^(?P<Target>[A-Za-z_][\w.]*)$`)}
	hook       = shape{words: "HOOK", pattern: regexp.MustCompile(`^(?P<Target>[a-z][a-z0-9_]*)$`)}
	symbols    = shape{words: "BINARY:SYMBOL", pattern: regexp.MustCompile(`^(?P<Binary>[\w./+@-]+):(?P<Target>[A-Za-z_*][\w./$*]*(?:,[A-Za-z_*][\w./$*]*)*)$`), many: true}
	static     = shape{words: "BINARY:PROVIDER:PROBE", pattern: regexp.MustCompile(`^(?P<Binary>[\w./+@-]+):(?P<Target>[\w.$-]+:[\w.$-]+)$`)}
)

// oneOf is the shape of a kind that has these places.
func oneOf(places string) shape { return shape{places: words(places)} }

var shapes = map[Kind]shape{
	Tracepoint: tracepoint, RawTP: rawPoint, TPBTF: rawPoint,
	Syscall: systemCall, SyscallReturn: systemCall,
	Entry: functions, Return: function, Fentry: function, Fexit: function,
	Kprobe: functions, Kretprobe: function,
	Uprobe: symbols, Uretprobe: symbols, USDT: static,
	CgroupSKB: oneOf("ingress egress"),
	Cgroup:    oneOf("connect4 connect6 sock_create"),
	XDP:       {},
	TCX:       oneOf("ingress egress"),
	Socket:    {},
	Sockops:   {},
	SkLookup:  {},
	PerfEvent: oneOf("cpu-clock cycles"),
	Iter:      oneOf("task task_file task_vma tcp udp unix netlink ipv6_route bpf_map bpf_prog bpf_link ksym"),
	LSM:       hook, FmodRet: function,
}

// kindNames are all kinds as a point begins with them, in the order in which
// suggestions are looked for.
var kindNames = words(`tracepoint/ raw_tp/ tp_btf/ syscall/ syscall_return/ entry/ return/
	fentry/ fexit/ kprobe/ kretprobe/ uprobe/ uretprobe/ usdt/ cgroup_skb/ cgroup/ xdp tcx/ socket
	sockops sk_lookup perf_event/ iter/ lsm/ fmod_ret/`)

// otherNames are what libbpf, bpftrace and systemtap call our kinds.
var otherNames = map[string]Kind{
	"tp": Tracepoint, "raw_tracepoint": RawTP, "rawtracepoint": RawTP,
	"ksyscall": Syscall, "kretsyscall": SyscallReturn,
	"kfunc": Fentry, "kretfunc": Fexit, "fprobe": Fentry,
	"tc": TCX, "classifier": TCX, "socket_filter": Socket,
	"sdt": USDT, "mark": USDT,
	"profile": PerfEvent, "hardware": PerfEvent, "software": PerfEvent,
}

// entryPoint finds a kernel's function behind the name of a system call.
var entryPoint = regexp.MustCompile(`^(?:__(?:x64|ia32|arm64|se)_)?sys_(\w+)$`)

// point reads one probe point; nil when it is none, which is reported.
func (p *parser) point(n *yaml.Node) *Point {
	v, ok := p.scalar(n, "a probe point")
	if !ok {
		return nil
	}
	point, err := parsePoint(v.Text)
	if err != nil {
		p.mistakes.Add(v.Pos, "%v", err)
		return nil
	}
	point.Value = v
	return point
}

// parsePoint takes a point apart. Its error is a whole mistake.
func parsePoint(text string) (*Point, error) {
	kind, rest, slash := strings.Cut(text, "/")
	shape, known := shapes[Kind(kind)]
	switch {
	case !known:
		return nil, fmt.Errorf("unknown probe point %q%s", text, suggestKind(kind, slash))
	case shape.pattern == nil:
		return shape.place(Kind(kind), text, rest, slash)
	case strings.Contains(rest, "*") && !shape.many:
		return nil, fmt.Errorf("not supported yet: a pattern (*) in %s/; entry/, kprobe/, uprobe/ and uretprobe/ take them", kind)
	}
	groups := shape.pattern.FindStringSubmatch(rest)
	if groups == nil {
		return nil, fmt.Errorf("probe point %q must be written %s/%s", text, kind, shape.words)
	}
	point := &Point{Kind: Kind(kind)}
	for i, name := range shape.pattern.SubexpNames() {
		switch name {
		case "Category":
			point.Category = groups[i]
		case "Binary":
			point.Binary = groups[i]
		case "Target":
			point.Target = groups[i]
		}
	}
	return point, point.check(text)
}

// place is the point of a kind whose places are all known.
func (s shape) place(kind Kind, text, rest string, slash bool) (*Point, error) {
	switch {
	case s.places == nil && slash:
		return nil, fmt.Errorf("probe point %q must be written %s", text, kind)
	case s.places == nil || slash && slices.Contains(s.places, rest):
		return &Point{Kind: kind, Target: rest}, nil
	case rest != "" && len(s.places) > 3:
		return nil, fmt.Errorf("unknown probe point %q%s", text, cmp.Or(diag.DidYouMean(rest, s.places), "; after "+string(kind)+"/ comes "+strings.Join(s.places, ", ")))
	}
	var all []string
	for _, place := range s.places {
		all = append(all, string(kind)+"/"+place)
	}
	if near := diag.DidYouMean(text, all); near != "" && rest != "" {
		return nil, fmt.Errorf("unknown probe point %q%s", text, near)
	}
	return nil, fmt.Errorf("probe point %q must be written %s", text, strings.Join(all, " or "))
}

// check refuses what has the right shape and cannot be meant.
func (pt *Point) check(text string) error {
	call := entryPoint.FindStringSubmatch(pt.Target)
	switch {
	case pt.Pattern() && slices.ContainsFunc(strings.Split(pt.Target, ","), vague):
		return fmt.Errorf("probe point %q must say more of the functions' names: all of them are too many", text)
	case pt.Binary == "":
	case strings.Contains(pt.Binary, "/") && !path.IsAbs(pt.Binary):
		return fmt.Errorf("probe point %q must have an absolute path, or a bare name such as libc.so.6", text)
	case path.Clean(pt.Binary) != pt.Binary, pt.Binary == "/", pt.Binary == ".", pt.Binary == "..":
		return fmt.Errorf("probe point %q must have a path without empty, . and .. parts", text)
	}
	if call != nil && (pt.Kind == Syscall || pt.Kind == SyscallReturn) {
		return fmt.Errorf("probe point %q must name the system call as its manual page does: %s/%s", text, pt.Kind, call[1])
	}
	return nil
}

// vague reports whether a pattern of functions says next to nothing.
func vague(pattern string) bool {
	return strings.Contains(pattern, "*") && len(strings.Trim(pattern, "*_.")) < 2
}

// suggestKind ends "unknown probe point" with the kind that may be meant.
func suggestKind(kind string, slash bool) string {
	if other, ok := otherNames[kind]; ok {
		return fmt.Sprintf("; did you mean %q?", kindNames[slices.IndexFunc(kindNames, func(name string) bool {
			return strings.TrimSuffix(name, "/") == string(other)
		})])
	}
	for _, written := range []string{kind + "/", kind} {
		if near := diag.DidYouMean(written, kindNames); near != "" {
			return near
		}
	}
	if !slash {
		return "; a point is KIND/PLACE, such as entry/tcp_connect"
	}
	return "; the kinds are " + enumerate(kindNames)
}
