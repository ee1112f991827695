// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"bytes"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/btf"
)

var (
	integer = &btf.Int{Name: "int", Size: 4, Encoding: btf.Signed}
	pointer = &btf.Pointer{Target: &btf.Void{}}
	large   = &btf.Struct{Name: "large", Size: 24, Members: []btf.Member{{Name: "a", Type: &btf.Array{Type: integer, Index: integer, Nelems: 6}}}}
	small   = &btf.Struct{Name: "small", Size: 16, Members: []btf.Member{{Name: "a", Type: &btf.Array{Type: integer, Index: integer, Nelems: 4}}}}
)

func function(name string, result btf.Type, params ...btf.FuncParam) btf.Type {
	return &btf.Func{Name: name, Type: &btf.FuncProto{Return: result, Params: params}, Linkage: btf.StaticFunc}
}

// pretend is a kernel made of types, with an enum of helpers and one of maps.
func pretend(t *testing.T, types ...btf.Type) *Kernel {
	t.Helper()
	b, err := btf.NewBuilder(append([]btf.Type{
		&btf.Enum{Name: "bpf_func_id", Size: 4, Values: []btf.EnumValue{{Name: "BPF_FUNC_map_lookup_elem", Value: 1}, {Name: "BPF_FUNC_ktime_get_ns", Value: 5}}},
		&btf.Enum{Name: "bpf_map_type", Size: 4, Values: []btf.EnumValue{{Name: "BPF_MAP_TYPE_HASH", Value: 1}}},
	}, types...), nil)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := b.Marshal(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	spec, err := btf.LoadSpecFromReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	k, err := New("pretended", spec)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestArgumentsAreFoundByTheirNames(t *testing.T) {
	k := pretend(t,
		function("plain", integer, btf.FuncParam{Name: "sk", Type: pointer}, btf.FuncParam{Name: "size", Type: integer}),
		function("nothing", &btf.Void{}),
		function("by_value", &btf.Void{}, btf.FuncParam{Name: "s", Type: small}, btf.FuncParam{Name: "after", Type: integer}),
		function("too_large", &btf.Void{}, btf.FuncParam{Name: "s", Type: large}),
		function("wide", small),
		function("seven", integer, btf.FuncParam{Name: "a", Type: integer}, btf.FuncParam{Name: "b", Type: integer}, btf.FuncParam{Name: "c", Type: integer},
			btf.FuncParam{Name: "d", Type: integer}, btf.FuncParam{Name: "e", Type: integer}, btf.FuncParam{Name: "f", Type: integer}, btf.FuncParam{Name: "g", Type: integer}),
		&btf.Typedef{Name: "btf_trace_point", Type: pointer},
		function("__traceiter_point", integer, btf.FuncParam{Name: "__data", Type: pointer}, btf.FuncParam{Name: "p", Type: pointer}, btf.FuncParam{Name: "s", Type: large}),
		&btf.Typedef{Name: "btf_trace_older", Type: pointer},
		function("__bpf_trace_older", &btf.Void{}, btf.FuncParam{Name: "__data", Type: pointer}, btf.FuncParam{Name: "p", Type: pointer}),
		&btf.Typedef{Name: "btf_trace_nameless", Type: pointer},
	)
	for name, c := range map[string]struct {
		got  error
		want string // "" for none
	}{
		"words":                       {k.Words("plain", []string{"size", "sk"}, false), ""},
		"words with the result":       {k.Words("plain", []string{"ret", "sk"}, true), ""},
		"words of what is not there":  {k.Words("plan", nil, false), "no function plan"},
		"words of no such name":       {k.Words("plain", []string{"len"}, false), `plain has no argument "len"; it has sk, size`},
		"words without arguments":     {k.Words("nothing", []string{"sk"}, false), `nothing has no argument "sk"; it has none`},
		"ret is a name at the entry":  {k.Words("plain", []string{"ret"}, false), `plain has no argument "ret"; it has sk, size`},
		"words without a result":      {k.Words("nothing", []string{"ret"}, true), "nothing returns nothing"},
		"words with a wide result":    {k.Words("wide", []string{"ret"}, true), "the result of wide is wider than a register"},
		"words behind two":            {k.Words("by_value", []string{"after"}, false), ""},
		"words of a large struct":     {k.Words("too_large", nil, false), `argument "s" of too_large is a structure of 24 bytes, which no trampoline passes on`},
		"registers":                   {k.Registers("plain", []string{"size"}, false), ""},
		"registers behind a struct":   {k.Registers("by_value", []string{"after"}, false), `argument "s" of by_value is not in a register of its own, so "after" cannot be found by a kprobe`},
		"a seventh register":          {k.Registers("seven", []string{"g"}, false), `argument "g" of seven is number 7; a kprobe sees the first 6`},
		"a tracepoint":                {k.Tracepoint("point", []string{"p", "s"}), ""},
		"a tracepoint's own argument": {k.Tracepoint("point", []string{"__data"}), `tracepoint point has no argument "__data"; it has p, s`},
		"an older tracepoint":         {k.Tracepoint("older", []string{"p"}), ""},
		"no tracepoint":               {k.Tracepoint("pint", nil), "no tracepoint pint"},
		"a tracepoint without names":  {k.Tracepoint("nameless", nil), "the arguments of tracepoint nameless have no names"},
		"kprobes":                     {k.Kprobes(), "no kprobes (CONFIG_KPROBE_EVENTS)"},
		"uprobes":                     {k.Uprobes(), "no uprobes (CONFIG_UPROBE_EVENTS)"},
		"kprobe.multi":                {k.KprobeMulti(), "no kprobe.multi (since 5.18, CONFIG_FPROBE)"},
		"uprobe.multi":                {k.UprobeMulti(), "no uprobe.multi (since 6.6, CONFIG_UPROBES)"},
		"a pattern":                   {k.Matching("p*n", []string{"sk"}), ""},
		"a pattern without a match":   {k.Matching("plan*", nil), "no function matches plan*"},
		"a pattern without the name":  {k.Matching("pla*", []string{"len"}), `no function that matches pla* will do; the last: plain has no argument "len"; it has sk, size`},
		"trampolines":                 {k.Trampolines(), "no trampolines (CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS)"},
	} {
		got := ""
		if c.got != nil {
			got = c.got.Error()
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestWhatIsBuiltInShowsInTypes(t *testing.T) {
	void := &btf.Struct{Name: "trace_kprobe", Size: 4, Members: []btf.Member{{Name: "a", Type: integer}}}
	uprobe := &btf.Struct{Name: "trace_uprobe", Size: 4, Members: void.Members}
	ops := &btf.Struct{Name: "ftrace_ops", Size: 4, Members: []btf.Member{{Name: "direct_call", Type: integer}}}
	regs := &btf.Struct{Name: "pt_regs", Size: 4, Members: []btf.Member{{Name: "syscallno", Type: integer}}}
	multi := &btf.Struct{Name: "bpf_kprobe_multi_link", Size: 4, Members: void.Members}
	multiUser := &btf.Struct{Name: "bpf_uprobe_multi_link", Size: 4, Members: void.Members}
	k := pretend(t, void, uprobe, ops, regs, multi, multiUser)
	for name, err := range map[string]error{"kprobe.multi": k.KprobeMulti(), "uprobe.multi": k.UprobeMulti(), "kprobes": k.Kprobes(), "uprobes": k.Uprobes(), "trampolines": k.Trampolines()} {
		if err != nil {
			t.Errorf("%s: got %v, want none against it", name, err)
		}
	}
	if k.Arch != "arm64" {
		t.Errorf("got architecture %q, want arm64", k.Arch)
	}
}

func TestProgramsNeedTheirHelpersAndMaps(t *testing.T) {
	k := pretend(t)
	object := func(code ...asm.Instruction) *ebpf.CollectionSpec {
		return &ebpf.CollectionSpec{
			Programs: map[string]*ebpf.ProgramSpec{"p": {Instructions: append(asm.Instructions(code), asm.Return())}},
			Maps: map[string]*ebpf.MapSpec{
				"hash": {Name: "hash", Type: ebpf.Hash}, "ring": {Name: "ring", Type: ebpf.RingBuf},
			},
		}
	}
	load := func(m string) asm.Instruction { return asm.LoadMapPtr(asm.R1, 0).WithReference(m) }
	for name, c := range map[string]struct {
		object *ebpf.CollectionSpec
		want   string
	}{
		"nothing":        {object(), ""},
		"a helper":       {object(asm.FnKtimeGetNs.Call()), ""},
		"no helper":      {object(asm.FnGetCurrentTaskBtf.Call(), asm.FnGetCurrentTaskBtf.Call()), "no helper bpf_get_current_task_btf"},
		"a map":          {object(load("hash")), ""},
		"no map, helper": {object(load("ring"), asm.FnRingbufOutput.Call()), "no maps of type RingBuf, as ring is, no helper bpf_ringbuf_output"},
		"a dead helper":  {object(asm.Ja.Label("end"), asm.FnRingbufOutput.Call(), asm.Mov.Imm(asm.R0, 0).WithSymbol("end")), ""},
	} {
		spec := c.object.Programs["p"]
		offsets(spec.Instructions)
		got := ""
		if err := k.Program(c.object, "p"); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
	if err := k.Program(object(), "q"); err == nil {
		t.Error("got no error, want one for a program that is not there")
	}
}
