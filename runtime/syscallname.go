// SPDX-License-Identifier: Apache-2.0

package runtime

// SyscallName is the name of a system call of this architecture, "" when the
// number has none.
func SyscallName(n int32) string {
	if n < 0 || int(n) >= len(syscallNames) {
		return ""
	}
	return syscallNames[n]
}
