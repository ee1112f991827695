// SPDX-License-Identifier: Apache-2.0

#include "textflag.h"

// func begin(first *Step) uintptr
//
// R19 is the step, R20 says whether this is the new process. Nothing touches
// the stack, which all threads share.
TEXT ·begin(SB), NOSPLIT, $0-16
	MOVD first+0(FP), R19
	MOVD ZR, R20

step:
	MOVD 0(R19), R8
	MOVD 8(R19), R0
	MOVD 16(R19), R1
	CMN  $1, R8
	BEQ  meet
	MOVD 24(R19), R2
	MOVD 32(R19), R3
	MOVD 40(R19), R4
	MOVD 48(R19), R5
	SVC
	MOVD 56(R19), R9
	CBZ  R9, next
	CBNZ R0, parent
	MOVD R9, R19
	MOVD $1, R20
	B    step

parent:
	CBNZ R20, next
	MOVD R0, ret+8(FP)
	RET

meet:
	LDAXR (R0), R9
	ADD   $1, R9
	STLXR R9, (R0), R10
	CBNZ  R10, meet

wait:
	YIELD
	LDAR (R0), R9
	CMP  R1, R9
	BLT  wait

next:
	ADD $72, R19
	B   step
