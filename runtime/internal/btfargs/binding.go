// SPDX-License-Identifier: Apache-2.0

package btfargs

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cilium/ebpf/btf"
)

// MaxArgs is how many parameters a probe may have.
const MaxArgs = 12

// Result is the name that a parameter has when it is the function's result.
const Result = "ret"

// Binding is struct ingrain_at (bpf/include/ingrain.h).
type Binding struct {
	Arg    [MaxArgs]uint8 // of each parameter of the probe: the word or the register that holds it
	Result uint8          // the word that holds the result
	Bits   uint8          // declared width of the result
	Signed bool           // whether the result is
}

// Bytes are the binding as the program wants it.
func (b Binding) Bytes() []byte {
	raw := append(b.Arg[:], b.Result, b.Bits, 0, 0)
	if b.Signed {
		raw[MaxArgs+2] = 1
	}
	return raw
}

// Words binds to a context that is an array of 64-bit words: that of
// tracepoints, fentry, and (with returns, by which a parameter "ret" is the
// result) fexit.
func (p *Prototype) Words(args []string, returns bool) (Binding, error) {
	at := make([]int, len(p.params))
	words := 0
	for i, param := range p.params {
		at[i] = words
		size, err := p.size(param)
		if err != nil {
			return Binding{}, err
		}
		words += (size + 7) / 8
	}
	if words > MaxArgs {
		return Binding{}, fmt.Errorf("%s has %d words of arguments; a program sees %d", p.name, words, MaxArgs)
	}
	b, err := p.bind(args, returns, func(i int) (int, error) { return at[i], nil })
	b.Result = uint8(words)
	return b, err
}

// size is how many bytes of the context an argument takes.
func (p *Prototype) size(param btf.FuncParam) (int, error) {
	if p.single {
		return 8, nil
	}
	size, err := btf.Sizeof(param.Type)
	if err != nil {
		return 0, fmt.Errorf("argument %q of %s: %w", param.Name, p.name, err)
	}
	if size > 16 {
		return 0, fmt.Errorf("argument %q of %s is a structure of %d bytes, which no trampoline passes on", param.Name, p.name, size)
	}
	return max(size, 1), nil
}

// Registers binds to the registers at a function's entry, of which the first
// count hold arguments. A result is taken from the registers at its return.
func (p *Prototype) Registers(args []string, returns bool, count int) (Binding, error) {
	return p.bind(args, returns, func(i int) (int, error) {
		for _, param := range p.params[:i+1] {
			if !inRegister(param.Type) {
				return 0, fmt.Errorf("argument %q of %s is not in a register of its own, so %q cannot be found by a kprobe",
					param.Name, p.name, p.params[i].Name)
			}
		}
		if i >= count {
			return 0, fmt.Errorf("argument %q of %s is number %d; a kprobe sees the first %d", p.params[i].Name, p.name, i+1, count)
		}
		return i, nil
	})
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

// bind finds each argument; place says where parameter i of the function is.
func (p *Prototype) bind(args []string, returns bool, place func(i int) (int, error)) (Binding, error) {
	var b Binding
	if len(args) > MaxArgs {
		return b, fmt.Errorf("%d parameters; a probe has at most %d", len(args), MaxArgs)
	}
	for n, name := range args {
		if returns && name == Result {
			if err := p.widen(&b); err != nil {
				return b, err
			}
			continue
		}
		i := slices.IndexFunc(p.params, func(param btf.FuncParam) bool { return param.Name == name })
		if i < 0 {
			return b, fmt.Errorf("%s has no argument %q in this kernel; it has %s", p.name, name, p.names())
		}
		at, err := place(i)
		if err != nil {
			return b, err
		}
		b.Arg[n] = uint8(at)
	}
	return b, nil
}

func (p *Prototype) names() string {
	if len(p.params) == 0 {
		return "none"
	}
	var names []string
	for _, param := range p.params {
		names = append(names, param.Name)
	}
	return strings.Join(names, ", ")
}

// widen says how wide the result is declared: what is above that in its
// register or word is not the function's.
func (p *Prototype) widen(b *Binding) error {
	switch t := btf.UnderlyingType(p.result).(type) {
	case *btf.Int:
		b.Bits, b.Signed = uint8(t.Size*8), t.Encoding == btf.Signed
		if t.Size <= 8 {
			return nil
		}
	case *btf.Enum:
		b.Bits, b.Signed = uint8(t.Size*8), t.Signed
		return nil
	case *btf.Pointer:
		b.Bits = 64
		return nil
	case *btf.Void:
		return fmt.Errorf("%s returns nothing in this kernel", p.name)
	}
	return fmt.Errorf("the result of %s is no number that fits a register", p.name)
}
