// SPDX-License-Identifier: Apache-2.0

package runtimetest

import (
	"debug/elf"
	"encoding/binary"
)

const machine = elf.EM_AARCH64

// appendCall appends a movz and three movk to each of x0 to x5 and x8, and an
// svc.
func appendCall(code []byte, c Call) []byte {
	const movz, movk, svc = 0xd2800000, 0xf2800000, 0xd4000001

	set := func(register uint32, value uintptr) {
		for part := range uint32(4) {
			move := uint32(movk)
			if part == 0 {
				move = movz
			}
			bits := uint32(value>>(16*part)) & 0xffff
			code = binary.LittleEndian.AppendUint32(code, move|part<<21|bits<<5|register)
		}
	}
	for i, arg := range c.Args {
		set(uint32(i), arg)
	}
	set(8, c.Number)
	return binary.LittleEndian.AppendUint32(code, svc)
}
