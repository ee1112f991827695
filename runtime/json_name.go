// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// AppendErrno appends the name of an error number of either sign:
// "ECONNREFUSED", null for 0, the number when it has no name.
func AppendErrno(dst []byte, n int32) []byte {
	if n == 0 {
		return append(dst, "null"...)
	}
	return AppendEnum(dst, errnoName(n), int64(n))
}

// AppendSignal appends the name of a signal: "SIGKILL", null for 0, the
// number when it has no name.
func AppendSignal(dst []byte, n int32) []byte {
	if n == 0 {
		return append(dst, "null"...)
	}
	return AppendEnum(dst, signalName(n), int64(n))
}

// AppendSyscall appends the name of a system call, or its number when it has
// none.
func AppendSyscall(dst []byte, n int32, name string) []byte {
	return AppendEnum(dst, name, int64(n))
}

// AppendEnum appends the name of a constant, which is a C identifier, or its
// number when it has none.
func AppendEnum(dst []byte, name string, n int64) []byte {
	if name == "" {
		return AppendInt(dst, n)
	}
	dst = append(dst, '"')
	dst = append(dst, name...)
	return append(dst, '"')
}

// errnoName is the name of an error number of either sign, "" when it has
// none.
func errnoName(n int32) string {
	if n < 0 {
		n = -n
	}
	if n <= 0 { // 0, and what has no positive counterpart
		return ""
	}
	return unix.ErrnoName(syscall.Errno(n))
}

// signalName is the name of a signal, "" when it has none.
func signalName(n int32) string {
	if n <= 0 {
		return ""
	}
	return unix.SignalName(syscall.Signal(n))
}
