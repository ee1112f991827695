// SPDX-License-Identifier: Apache-2.0

#include "textflag.h"

// func begin(first *Step) uintptr
//
// R12 is the step, R13 says whether this is the new process. Nothing touches
// the stack, which all threads share.
TEXT ·begin(SB), NOSPLIT, $0-16
	MOVQ first+0(FP), R12
	XORQ R13, R13

step:
	MOVQ 0(R12), AX
	MOVQ 8(R12), DI
	MOVQ 16(R12), SI
	CMPQ AX, $-1
	JEQ  meet
	MOVQ 24(R12), DX
	MOVQ 32(R12), R10
	MOVQ 40(R12), R8
	MOVQ 48(R12), R9
	SYSCALL
	MOVQ 56(R12), BX
	TESTQ BX, BX
	JEQ  next
	TESTQ AX, AX
	JNE  parent
	MOVQ BX, R12
	MOVQ $1, R13
	JMP  step

parent:
	TESTQ R13, R13
	JNE  next
	MOVQ AX, ret+8(FP)
	RET

meet:
	MOVQ $1, BX
	LOCK
	XADDQ BX, 0(DI)

wait:
	PAUSE
	MOVQ 0(DI), BX
	CMPQ BX, SI
	JLT  wait

next:
	ADDQ $72, R12
	JMP  step
