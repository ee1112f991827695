// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cilium/ebpf/btf"
)

// prototype is a function, or what a tracepoint passes to programs.
type prototype struct {
	name   string
	params []btf.FuncParam
	result btf.Type
	single bool // every argument is one word, whatever its size
}

// maxWords is how many words of a context a program can name
// (bpf/include/ingrain.h, struct ingrain_at).
const maxWords = 12

func (k *Kernel) function(name string) (*prototype, error) {
	var fn *btf.Func
	err := k.types.TypeByName(name, &fn)
	switch {
	case errors.Is(err, btf.ErrNotFound):
		return nil, fmt.Errorf("no function %s", name)
	case errors.Is(err, btf.ErrMultipleMatches):
		return nil, fmt.Errorf("several functions are called %s", name)
	case err != nil:
		return nil, err
	}
	proto, ok := fn.Type.(*btf.FuncProto)
	if !ok {
		return nil, fmt.Errorf("function %s has no prototype", name)
	}
	return &prototype{name: name, params: proto.Params, result: proto.Return}, nil
}

// tracepoint finds what a tracepoint passes to programs. The typedef that
// the verifier goes by, btf_trace_NAME, has no names of parameters; the
// functions through which programs are called have, behind a first one of
// their own (include/trace/bpf_probe.h, include/linux/tracepoint.h).
func (k *Kernel) tracepoint(name string) (*prototype, error) {
	var typedef *btf.Typedef
	if err := k.types.TypeByName("btf_trace_"+name, &typedef); err != nil {
		return nil, fmt.Errorf("no tracepoint %s", name)
	}
	for _, caller := range []string{"__traceiter_", "__bpf_trace_"} {
		p, err := k.function(caller + name)
		if err == nil && len(p.params) > 0 {
			return &prototype{name: "tracepoint " + name, params: p.params[1:], result: &btf.Void{}, single: true}, nil
		}
	}
	return nil, fmt.Errorf("the arguments of tracepoint %s have no names", name)
}

// Tracepoint reports why a tracepoint cannot serve a probe with these
// parameters.
func (k *Kernel) Tracepoint(name string, args []string) error {
	p, err := k.tracepoint(name)
	if err != nil {
		return err
	}
	return p.words(args, false)
}

// Words reports why a function's arguments, and with returns the parameter
// "ret", cannot be found in the words of a trampoline's context.
func (k *Kernel) Words(function string, args []string, returns bool) error {
	p, err := k.function(function)
	if err != nil {
		return err
	}
	return p.words(args, returns)
}

// Registers reports why they cannot be found in the registers at a function's
// entry and return.
func (k *Kernel) Registers(function string, args []string, returns bool) error {
	p, err := k.function(function)
	if err != nil {
		return err
	}
	count := 6 // System V ABI
	if k.Arch == "arm64" {
		count = 8 // AAPCS64
	}
	return p.bind(args, returns, func(i int) error {
		for _, param := range p.params[:i+1] {
			if !inRegister(param.Type) {
				return fmt.Errorf("argument %q of %s is not in a register of its own, so %q cannot be found by a kprobe", param.Name, p.name, p.params[i].Name)
			}
		}
		if i >= count {
			return fmt.Errorf("argument %q of %s is number %d; a kprobe sees the first %d", p.params[i].Name, p.name, i+1, count)
		}
		return nil
	})
}

func (p *prototype) words(args []string, returns bool) error {
	words := 0
	for _, param := range p.params {
		size, err := btf.Sizeof(param.Type)
		switch {
		case p.single:
			size = 8
		case err != nil:
			return fmt.Errorf("argument %q of %s: %w", param.Name, p.name, err)
		case size > 16:
			return fmt.Errorf("argument %q of %s is a structure of %d bytes, which no trampoline passes on", param.Name, p.name, size)
		}
		words += (max(size, 1) + 7) / 8
	}
	if words > maxWords {
		return fmt.Errorf("%s has %d words of arguments; a program sees %d", p.name, words, maxWords)
	}
	return p.bind(args, returns, func(int) error { return nil })
}

// bind looks up each name; reach says why parameter i cannot be reached.
func (p *prototype) bind(args []string, returns bool, reach func(i int) error) error {
	for _, name := range args {
		if returns && name == "ret" {
			if err := p.widens(); err != nil {
				return err
			}
			continue
		}
		i := slices.IndexFunc(p.params, func(param btf.FuncParam) bool { return param.Name == name })
		if i < 0 {
			return fmt.Errorf("%s has no argument %q; it has %s", p.name, name, p.names())
		}
		if err := reach(i); err != nil {
			return err
		}
	}
	return nil
}

func (p *prototype) names() string {
	if len(p.params) == 0 {
		return "none"
	}
	var names []string
	for _, param := range p.params {
		names = append(names, param.Name)
	}
	return strings.Join(names, ", ")
}

// widens reports why the result does not fit a parameter.
func (p *prototype) widens() error {
	switch t := btf.UnderlyingType(p.result).(type) {
	case *btf.Int:
		if t.Size <= 8 {
			return nil
		}
	case *btf.Enum, *btf.Pointer:
		return nil
	case *btf.Void:
		return fmt.Errorf("%s returns nothing", p.name)
	}
	return fmt.Errorf("the result of %s is wider than a register", p.name)
}

func inRegister(t btf.Type) bool {
	switch t := btf.UnderlyingType(t).(type) {
	case *btf.Int:
		return t.Size <= 8
	case *btf.Pointer, *btf.Enum:
		return true
	}
	return false
}
