// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"github.com/cilium/ebpf/asm"
)

// known is what is known of a register: its value, or nothing.
type known struct {
	ok    bool
	value int64
}

// registers are R0 to R10.
type registers [11]known

// reachable tells which instructions a program can get to, as far as
// constants decide it: it follows every path, with the registers whose values
// all paths to a place agree on, and takes one side of a branch where they
// settle it. That a relocation of the kind bpf_core_..._exists puts a constant
// into a register is how code behind it becomes dead; the verifier prunes in
// the same way, and knows more. So what is dead here is dead there, and what
// is live here may still be dead there, when the constant goes through memory
// or another function: a program may be refused here that would load, never
// the other way round.
func reachable(code asm.Instructions) []bool {
	w := walk{code: code, live: make([]bool, len(code)), state: make([]registers, len(code)), at: map[int]int{}, symbols: map[string]int{}}
	raw := 0
	for i := range code {
		w.at[raw] = i
		w.raw = append(w.raw, raw)
		raw += int(code[i].Width())
		if name := code[i].Symbol(); name != "" {
			w.symbols[name] = i
		}
	}
	w.visit(0, registers{})
	for len(w.open) > 0 {
		i := w.open[len(w.open)-1]
		w.open = w.open[:len(w.open)-1]
		w.step(i)
	}
	return w.live
}

type walk struct {
	code    asm.Instructions
	live    []bool
	state   []registers // in front of each live instruction
	open    []int       // those to go on from
	raw     []int       // where each is, in units of jumps
	at      map[int]int // the way back
	symbols map[string]int
}

// visit comes to i with registers r, and goes on from there when that is news.
func (w *walk) visit(i int, r registers) {
	if i < 0 || i >= len(w.code) {
		return
	}
	if !w.live[i] {
		w.live[i], w.state[i] = true, r
		w.open = append(w.open, i)
		return
	}
	changed := false
	for n := range r {
		if was := &w.state[i][n]; was.ok && *was != r[n] {
			*was, changed = known{}, true
		}
	}
	if changed {
		w.open = append(w.open, i)
	}
}

func (w *walk) step(i int) {
	ins, r := &w.code[i], w.state[i]
	switch class := ins.OpCode.Class(); {
	case class.IsJump():
		w.jump(i, ins, r)
		return
	case class.IsALU():
		r[ins.Dst] = compute(ins, r)
	case class == asm.LdXClass || class == asm.LdClass:
		r[ins.Dst] = known{}
		if ins.IsConstantLoad(asm.DWord) {
			r[ins.Dst] = known{true, ins.Constant}
		}
		if ins.IsFunctionReference() { // a callback
			w.visit(w.function(ins), registers{})
		}
	case class.IsStore():
		if op := ins.OpCode.AtomicOp(); op != asm.InvalidAtomic {
			r[ins.Src], r[asm.R0] = known{}, known{} // some return the old value
		}
	}
	w.visit(i+1, r)
}

func (w *walk) jump(i int, ins *asm.Instruction, r registers) {
	switch ins.OpCode.JumpOp() {
	case asm.Exit:
		return
	case asm.Call:
		if ins.IsFunctionCall() {
			w.visit(w.function(ins), registers{})
		}
		for n := asm.R0; n <= asm.R5; n++ {
			r[n] = known{}
		}
		w.visit(i+1, r)
		return
	case asm.Ja:
		offset := int(ins.Offset)
		if ins.OpCode.Class() == asm.Jump32Class {
			offset = int(ins.Constant)
		}
		w.visit(w.target(i, offset), r)
		return
	}
	target := w.target(i, int(ins.Offset))
	other := known{true, ins.Constant}
	if ins.OpCode.Source() == asm.RegSource {
		other = r[ins.Src]
	}
	taken, decided := decide(ins, r[ins.Dst], other)
	yes, no := r, r
	if op := ins.OpCode.JumpOp(); other.ok && ins.OpCode.Class() == asm.JumpClass {
		switch op { // the branch itself says what the register is
		case asm.JEq:
			yes[ins.Dst] = other
		case asm.JNE:
			no[ins.Dst] = other
		}
	}
	if !decided || taken {
		w.visit(target, yes)
	}
	if !decided || !taken {
		w.visit(i+1, no)
	}
}

// target is the instruction that a jump from i goes to, -1 when there is none.
func (w *walk) target(i, offset int) int {
	if to, ok := w.at[w.raw[i]+offset+1]; ok {
		return to
	}
	return -1
}

func (w *walk) function(ins *asm.Instruction) int {
	if i, ok := w.symbols[ins.Reference()]; ok {
		return i
	}
	return -1
}

// decide tells whether a conditional jump is taken, when both sides are known.
func decide(ins *asm.Instruction, a, b known) (taken, decided bool) {
	if !a.ok || !b.ok {
		return false, false
	}
	x, y := a.value, b.value
	if ins.OpCode.Class() == asm.Jump32Class {
		x, y = int64(int32(x)), int64(int32(y))
	}
	switch ins.OpCode.JumpOp() {
	case asm.JEq:
		return x == y, true
	case asm.JNE:
		return x != y, true
	case asm.JGT:
		return uint64(x) > uint64(y), true
	case asm.JGE:
		return uint64(x) >= uint64(y), true
	case asm.JLT:
		return uint64(x) < uint64(y), true
	case asm.JLE:
		return uint64(x) <= uint64(y), true
	case asm.JSGT:
		return x > y, true
	case asm.JSGE:
		return x >= y, true
	case asm.JSLT:
		return x < y, true
	case asm.JSLE:
		return x <= y, true
	case asm.JSet:
		return x&y != 0, true
	}
	return false, false
}

// compute is what an instruction of arithmetic leaves in its register, of the
// operations that constants go through between a relocation and a branch.
func compute(ins *asm.Instruction, r registers) known {
	a, b := r[ins.Dst], known{true, ins.Constant}
	if ins.OpCode.Source() == asm.RegSource {
		b = r[ins.Src]
	}
	op := ins.OpCode.ALUOp()
	if ins.Offset != 0 || !b.ok || op != asm.Mov && !a.ok {
		return known{} // an offset: a division or move with sign
	}
	var v int64
	switch op {
	case asm.Mov:
		v = b.value
	case asm.Add:
		v = a.value + b.value
	case asm.Sub:
		v = a.value - b.value
	case asm.And:
		v = a.value & b.value
	case asm.Or:
		v = a.value | b.value
	case asm.Xor:
		v = a.value ^ b.value
	default:
		return known{}
	}
	if ins.OpCode.Class() == asm.ALUClass {
		v = int64(uint32(v))
	}
	return known{true, v}
}
