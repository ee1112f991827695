// SPDX-License-Identifier: Apache-2.0

package btfargs

import (
	"errors"
	"testing"

	"github.com/cilium/ebpf/btf"
)

var (
	charType   = &btf.Int{Name: "char", Size: 1, Encoding: btf.Signed}
	boolType   = &btf.Int{Name: "_Bool", Size: 1, Encoding: btf.Bool}
	shortType  = &btf.Int{Name: "unsigned short", Size: 2}
	intType    = &btf.Int{Name: "int", Size: 4, Encoding: btf.Signed}
	longType   = &btf.Int{Name: "long", Size: 8, Encoding: btf.Signed}
	hugeType   = &btf.Int{Name: "__int128", Size: 16, Encoding: btf.Signed}
	ssizeType  = &btf.Typedef{Name: "ssize_t", Type: longType}
	enumType   = &btf.Enum{Name: "verdict", Size: 4}
	pointer    = &btf.Pointer{Target: &btf.Void{}}
	smallPiece = piece("small", 8)
	pair       = piece("pair", 16)
	large      = piece("large", 24)
	floatType  = &btf.Float{Name: "double", Size: 8}
)

// piece is a structure of size bytes.
func piece(name string, size uint32) *btf.Struct {
	return &btf.Struct{Name: name, Size: size, Members: []btf.Member{{Name: "bytes", Type: &btf.Array{Index: intType, Type: charType, Nelems: size}}}}
}

// function is a kernel function; its parameters are names followed by types.
func function(name string, result btf.Type, params ...any) *btf.Func {
	proto := &btf.FuncProto{Return: result}
	for i := 0; i < len(params); i += 2 {
		proto.Params = append(proto.Params, btf.FuncParam{Name: params[i].(string), Type: params[i+1].(btf.Type)})
	}
	return &btf.Func{Name: name, Type: proto, Linkage: btf.StaticFunc}
}

// tracepoint is the typedef that says that there is one.
func tracepoint(name string) btf.Type {
	return &btf.Typedef{Name: "btf_trace_" + name, Type: &btf.Pointer{Target: &btf.FuncProto{Return: &btf.Void{}}}}
}

func spec(t *testing.T, types ...btf.Type) *btf.Spec {
	t.Helper()
	b, err := btf.NewBuilder(types, nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := b.Spec()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func kernel(t *testing.T) *btf.Spec {
	return spec(t,
		function("tcp_recvmsg", intType, "sk", pointer, "msg", pointer, "len", longType, "flags", intType),
		function("nothing", &btf.Void{}),
		function("with_pair", ssizeType, "first", intType, "value", pair, "last", pointer),
		function("with_small", boolType, "value", smallPiece, "last", charType),
		function("with_large", intType, "value", large, "last", charType),
		function("many", shortType, "a", longType, "b", longType, "c", longType, "d", longType, "e", longType, "f", longType, "g", longType),
		function("too_many", intType, "a", pair, "b", pair, "c", pair, "d", pair, "e", pair, "f", pair, "g", intType),
		function("judge", enumType, "x", enumType),
		function("address", pointer),
		function("structure", pair),
		function("huge", hugeType),
		function("real", floatType),
		tracepoint("exit"), function("__traceiter_exit", intType, "__data", pointer, "p", pointer, "group_dead", boolType),
		function("__bpf_trace_exit", &btf.Void{}, "__data", pointer, "other", pointer),
		tracepoint("old"), function("__bpf_trace_old", &btf.Void{}, "__data", pointer, "p", pointer),
		tracepoint("bare"), tracepoint("odd"), function("__traceiter_odd", intType),
	)
}

func TestWordsAreFoundByName(t *testing.T) {
	for _, test := range []struct {
		name    string
		args    []string
		returns bool
		want    Binding
		err     string
	}{
		{name: "tcp_recvmsg", args: []string{"len", "sk"}, want: Binding{Arg: [12]uint8{2, 0}, Result: 4}},
		{name: "tcp_recvmsg", args: []string{"flags", "ret"}, returns: true, want: Binding{Arg: [12]uint8{3}, Result: 4, Bits: 32, Signed: true}},
		{name: "tcp_recvmsg", args: []string{"size"}, err: `tcp_recvmsg has no argument "size" in this kernel; it has sk, msg, len, flags`},
		{name: "tcp_recvmsg", args: []string{"ret"}, err: `tcp_recvmsg has no argument "ret" in this kernel; it has sk, msg, len, flags`},
		{name: "nothing", want: Binding{}},
		{name: "nothing", args: []string{"x"}, err: `nothing has no argument "x" in this kernel; it has none`},
		{name: "nothing", args: []string{"ret"}, returns: true, err: "nothing returns nothing in this kernel"},
		{name: "with_pair", args: []string{"first", "last", "ret"}, returns: true, want: Binding{Arg: [12]uint8{0, 3}, Result: 4, Bits: 64, Signed: true}},
		{name: "with_small", args: []string{"ret", "last"}, returns: true, want: Binding{Arg: [12]uint8{0, 1}, Result: 2, Bits: 8}},
		{name: "with_large", args: []string{"last"}, err: `argument "value" of with_large is a structure of 24 bytes, which no trampoline passes on`},
		{name: "many", args: []string{"g", "ret"}, returns: true, want: Binding{Arg: [12]uint8{6}, Result: 7, Bits: 16}},
		{name: "too_many", args: []string{"a"}, err: "too_many has 13 words of arguments; a program sees 12"},
		{name: "judge", args: []string{"ret"}, returns: true, want: Binding{Result: 1, Bits: 32}},
		{name: "address", args: []string{"ret"}, returns: true, want: Binding{Bits: 64}},
		{name: "structure", args: []string{"ret"}, returns: true, err: "the result of structure is no number that fits a register"},
		{name: "huge", args: []string{"ret"}, returns: true, err: "the result of huge is no number that fits a register"},
		{name: "real", args: []string{"ret"}, returns: true, err: "the result of real is no number that fits a register"},
		{name: "many", args: make([]string, 13), err: "13 parameters; a probe has at most 12"},
	} {
		p, err := Function(kernel(t), test.name)
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.Words(test.args, test.returns)
		check(t, test.name, got, err, test.want, test.err)
	}
}

func check(t *testing.T, name string, got Binding, err error, want Binding, wantErr string) {
	t.Helper()
	if err != nil || wantErr != "" {
		if err == nil || err.Error() != wantErr {
			t.Errorf("%s: error is %v, want %s", name, err, wantErr)
		}
		return
	}
	if got != want {
		t.Errorf("%s: got %+v, want %+v", name, got, want)
	}
}

func TestRegistersAreFoundByName(t *testing.T) {
	for _, test := range []struct {
		name    string
		args    []string
		returns bool
		want    Binding
		err     string
	}{
		{name: "tcp_recvmsg", args: []string{"len", "ret"}, returns: true, want: Binding{Arg: [12]uint8{2}, Bits: 32, Signed: true}},
		{name: "many", args: []string{"f"}, want: Binding{Arg: [12]uint8{5}}},
		{name: "many", args: []string{"g"}, err: `argument "g" of many is number 7; a kprobe sees the first 6`},
		{name: "with_pair", args: []string{"first"}, want: Binding{}},
		{name: "with_pair", args: []string{"last"}, err: `argument "value" of with_pair is not in a register of its own, so "last" cannot be found by a kprobe`},
		{name: "with_small", args: []string{"value"}, err: `argument "value" of with_small is not in a register of its own, so "value" cannot be found by a kprobe`},
	} {
		p, err := Function(kernel(t), test.name)
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.Registers(test.args, test.returns, 6)
		check(t, test.name, got, err, test.want, test.err)
	}
}

func TestTracepointArgumentsFollowTheKernelsOwn(t *testing.T) {
	for _, test := range []struct {
		name string
		args []string
		want Binding
		err  string
	}{
		{name: "exit", args: []string{"group_dead", "p"}, want: Binding{Arg: [12]uint8{1, 0}, Result: 2}},
		{name: "exit", args: []string{"__data"}, err: `tracepoint exit has no argument "__data" in this kernel; it has p, group_dead`},
		{name: "old", args: []string{"p"}, want: Binding{Result: 1}},
	} {
		p, err := Tracepoint(kernel(t), test.name)
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.Words(test.args, false)
		check(t, test.name, got, err, test.want, test.err)
	}
}

func TestWhatIsMissingIsNotFound(t *testing.T) {
	types := kernel(t)
	for _, name := range []string{"none", "bare"} {
		if _, err := Tracepoint(types, name); !errors.Is(err, btf.ErrNotFound) {
			t.Errorf("tracepoint %s: error is %v, want one that wraps btf.ErrNotFound", name, err)
		}
	}
	if _, err := Tracepoint(types, "odd"); err == nil {
		t.Error("a tracepoint without parameters was accepted")
	}
	if _, err := Function(types, "none"); !errors.Is(err, btf.ErrNotFound) {
		t.Errorf("function none: error is %v, want one that wraps btf.ErrNotFound", err)
	}
	twice := spec(t, function("twice", intType), function("twice", longType, "x", intType))
	if _, err := Function(twice, "twice"); !errors.Is(err, btf.ErrMultipleMatches) {
		t.Errorf("a name of two functions: error is %v, want one that wraps btf.ErrMultipleMatches", err)
	}
}

// TestBytesAreTheStructure: struct ingrain_at {arg[12], result, bits, is_signed, unused}.
func TestBytesAreTheStructure(t *testing.T) {
	got := Binding{Arg: [12]uint8{1, 2, 11: 3}, Result: 4, Bits: 32, Signed: true}.Bytes()
	want := []byte{1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 4, 32, 1, 0}
	if string(got) != string(want) {
		t.Errorf("got % x, want % x", got, want)
	}
}

// TestTheRunningKernelIsUnderstood binds functions that every kernel has.
func TestTheRunningKernelIsUnderstood(t *testing.T) {
	types, err := btf.LoadKernelSpec()
	if err != nil {
		t.Fatalf("this test needs a kernel with BTF: %v", err)
	}
	p, err := Tracepoint(types, "sched_process_exec")
	if err != nil {
		t.Fatal(err)
	}
	got, err := p.Words([]string{"bprm", "p"}, false)
	check(t, "sched_process_exec", got, err, Binding{Arg: [12]uint8{2, 0}, Result: 3}, "")

	if p, err = Function(types, "tcp_sendmsg"); err != nil {
		t.Fatal(err)
	}
	got, err = p.Words([]string{"size", "ret"}, true)
	check(t, "tcp_sendmsg", got, err, Binding{Arg: [12]uint8{2}, Result: 3, Bits: 32, Signed: true}, "")
	got, err = p.Registers([]string{"sk", "size", "ret"}, true, 6)
	check(t, "tcp_sendmsg", got, err, Binding{Arg: [12]uint8{0, 2}, Bits: 32, Signed: true}, "")
}
