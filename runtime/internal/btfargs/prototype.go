// SPDX-License-Identifier: Apache-2.0

// Package btfargs finds the arguments of kernel functions by their names, in
// the BTF of the kernel that will run the program: what CO-RE does for the
// members of structures, done for parameters.
package btfargs

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf/btf"
)

// Types is where prototypes are looked up: a *btf.Spec, or several of them.
type Types interface {
	// TypeByName is that of btf.Spec: an error wraps btf.ErrNotFound when
	// there is no such type.
	TypeByName(name string, typ any) error
}

// Prototype is a kernel function, or what a tracepoint passes to programs.
type Prototype struct {
	name   string
	params []btf.FuncParam
	result btf.Type
	single bool // every argument is one word, whatever its size
}

// Function is the prototype of a kernel function. The error wraps
// btf.ErrNotFound or btf.ErrMultipleMatches when the name says too little.
func Function(types Types, name string) (*Prototype, error) {
	var fn *btf.Func
	if err := types.TypeByName(name, &fn); err != nil {
		return nil, err
	}
	proto, ok := fn.Type.(*btf.FuncProto)
	if !ok {
		return nil, fmt.Errorf("function %s has a %T for its type", name, fn.Type)
	}
	return &Prototype{name: name, params: proto.Params, result: proto.Return}, nil
}

// Tracepoint is what a tracepoint passes to programs. The typedef that the
// verifier goes by, btf_trace_NAME, has no names of parameters; the functions
// that the kernel calls programs through have, behind a first one of their
// own (include/trace/bpf_probe.h, include/linux/tracepoint.h).
func Tracepoint(types Types, name string) (*Prototype, error) {
	var typedef *btf.Typedef
	if err := types.TypeByName("btf_trace_"+name, &typedef); err != nil {
		return nil, err
	}
	p, err := Function(types, "__traceiter_"+name) // since 5.10
	if errors.Is(err, btf.ErrNotFound) {
		p, err = Function(types, "__bpf_trace_"+name)
	}
	if err != nil {
		return nil, err
	}
	if len(p.params) == 0 {
		return nil, fmt.Errorf("tracepoint %s has no parameters in this kernel's BTF", name)
	}
	return &Prototype{name: "tracepoint " + name, params: p.params[1:], result: &btf.Void{}, single: true}, nil
}
