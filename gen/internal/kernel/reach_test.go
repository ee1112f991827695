// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"slices"
	"testing"

	"github.com/cilium/ebpf/asm"
)

// offsets resolves jumps to labels, as reading an object has done.
func offsets(code asm.Instructions) {
	raw, at := 0, map[string]int{}
	for i := range code {
		if name := code[i].Symbol(); name != "" {
			at[name] = raw
		}
		raw += int(code[i].Width())
	}
	raw = 0
	for i := range code {
		ins := &code[i]
		raw += int(ins.Width())
		if to, ok := at[ins.Reference()]; ok && ins.OpCode.Class().IsJump() && ins.OpCode.JumpOp() != asm.Call {
			ins.Offset = int16(to - raw)
		}
	}
}

// dead marks an instruction that must not be reachable, live one that must.
func dead() asm.Instruction { return asm.Mov.Imm(asm.R9, -1) }
func live() asm.Instruction { return asm.Mov.Imm(asm.R9, 1) }

func TestConstantsDecideWhatIsReachable(t *testing.T) {
	jump32 := func(op asm.JumpOp, r asm.Register, value int32, label string) asm.Instruction {
		return op.Imm32(r, value, label)
	}
	for name, code := range map[string]asm.Instructions{
		"an equal constant jumps": {
			asm.Mov.Imm(asm.R1, 0), asm.JEq.Imm(asm.R1, 0, "end"), dead(), live().WithSymbol("end"), asm.Return(),
		},
		"another does not": {
			asm.Mov.Imm(asm.R1, 1), asm.JEq.Imm(asm.R1, 0, "end"), live(), asm.Return(), dead().WithSymbol("end"), asm.Return(),
		},
		"what is not known goes both ways": {
			asm.LoadMem(asm.R1, asm.R10, -8, asm.DWord), asm.JEq.Imm(asm.R1, 0, "end"), live(), live().WithSymbol("end"), asm.Return(),
		},
		"a branch says what the register is": {
			asm.LoadMem(asm.R1, asm.R10, -8, asm.DWord), asm.JNE.Imm(asm.R1, 0, "end"), asm.JNE.Imm(asm.R1, 0, "no"), live(), asm.Return(),
			dead().WithSymbol("no"), live().WithSymbol("end"), asm.Return(),
		},
		"arithmetic keeps constants": {
			asm.Mov.Imm(asm.R1, 6), asm.And.Imm(asm.R1, 3), asm.Add.Imm(asm.R1, 1), asm.Mov.Reg(asm.R2, asm.R1), asm.JSLT.Imm(asm.R2, 3, "end"),
			live(), asm.Return(), dead().WithSymbol("end"), asm.Return(),
		},
		"32 bits are compared alone": {
			asm.LoadImm(asm.R1, -1<<32, asm.DWord), jump32(asm.JEq, asm.R1, 0, "end"), dead(), live().WithSymbol("end"), asm.Return(),
		},
		"unsigned is not signed": {
			asm.Mov.Imm(asm.R1, -1), asm.JGT.Imm(asm.R1, 5, "end"), dead(), live().WithSymbol("end"), asm.Return(),
		},
		"two values that meet are none": {
			asm.LoadMem(asm.R1, asm.R10, -8, asm.DWord), asm.Mov.Imm(asm.R2, 0), asm.JEq.Imm(asm.R1, 0, "meet"), asm.Mov.Imm(asm.R2, 1),
			asm.JEq.Imm(asm.R2, 0, "end").WithSymbol("meet"), live(), live().WithSymbol("end"), asm.Return(),
		},
		"a loop ends": {
			asm.Mov.Imm(asm.R1, 0), asm.Add.Imm(asm.R1, 1).WithSymbol("again"), asm.JLT.Imm(asm.R1, 5, "again"), live(), asm.Return(), dead(),
		},
		"a call forgets its arguments, not the others": {
			asm.Mov.Imm(asm.R1, 0), asm.Mov.Imm(asm.R6, 0), asm.FnKtimeGetNs.Call(), asm.JNE.Imm(asm.R1, 0, "maybe"), asm.JEq.Imm(asm.R6, 0, "end"),
			dead(), live().WithSymbol("maybe"), live().WithSymbol("end"), asm.Return(),
		},
		"an exchange forgets what it takes": {
			asm.Mov.Imm(asm.R1, 0), asm.Xchg.Mem(asm.R10, asm.R1, asm.DWord, -8), asm.JEq.Imm(asm.R1, 0, "end"), live(), live().WithSymbol("end"), asm.Return(),
		},
		"functions are reachable where they are called": {
			asm.Call.Label("called"), live(), asm.Return(),
			live().WithSymbol("called"), asm.Return(),
			dead().WithSymbol("other"), asm.Return(),
		},
		"a jump out of the program leads nowhere": {
			asm.Instruction{OpCode: asm.OpCode(asm.JumpClass).SetJumpOp(asm.Ja), Offset: 100}, dead(),
		},
	} {
		t.Run(name, func(t *testing.T) {
			code := slices.Clone(code)
			offsets(code)
			for i, got := range reachable(code) {
				if code[i].Dst != asm.R9 {
					continue
				}
				if want := code[i].Constant == 1; got != want {
					t.Errorf("instruction %d: got reachable %v, want %v in\n%v", i, got, want, code)
				}
			}
		})
	}
}
