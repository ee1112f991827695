// SPDX-License-Identifier: Apache-2.0

package runtimetest

import (
	"debug/elf"
	"encoding/binary"
)

const machine = elf.EM_X86_64

// appendCall appends a mov of 64 bits to each of rdi, rsi, rdx, r10, r8, r9
// and rax, and a syscall.
func appendCall(code []byte, c Call) []byte {
	moves := [...][2]byte{{0x48, 0xbf}, {0x48, 0xbe}, {0x48, 0xba}, {0x49, 0xba}, {0x49, 0xb8}, {0x49, 0xb9}}
	for i, move := range moves {
		code = binary.LittleEndian.AppendUint64(append(code, move[:]...), uint64(c.Args[i]))
	}
	code = binary.LittleEndian.AppendUint64(append(code, 0x48, 0xb8), uint64(c.Number))
	return append(code, 0x0f, 0x05)
}
