// SPDX-License-Identifier: Apache-2.0

// Package syscalls knows the system calls of x86-64 and arm64: their numbers,
// their 32-bit twins, and their arguments by name.
//
// A probe on syscall/openat is resolved here when code is generated, so a
// program holds a number of each architecture and no name. Linux never gives a
// number away twice, which is why one table serves every kernel.
package syscalls

import (
	"slices"
	"strings"
)

// None in place of a number says that the call does not exist there.
const None = -1

// Call is one system call. Its numbers are None where it does not exist: arm64
// has no open, fork or stat, only openat, clone and newfstatat.
//
// I386 and Arm are what a 32-bit task passes on amd64 and on arm64 (EABI) for
// the call of the same name. A 32-bit task may reach the same service under
// other names (fstatat64, clock_gettime64, i386's socketcall); those are calls
// of their own.
type Call struct {
	Name  string // as in __NR_openat
	Amd64 int
	Arm64 int
	I386  int
	Arm   int
	Args  []Arg // in the order of amd64; ArgsOn knows the exception. Shared: read only

	arm64Args []Arg // nil where the order is that of amd64
}

// Arg is one argument as the kernel declares it, without its address space:
// {"filename", "const char *"}.
type Arg struct {
	Name string
	Type string
}

// ArgsOn returns the arguments in the order in which goarch ("amd64" or
// "arm64") takes them. They differ for clone, whose tls is fifth on amd64 and
// fourth on arm64. The slice is shared: read only.
//
// A call without arguments takes none, or is one that no kernel since 5.10
// implements (tuxcall, vserver, ...).
func (c Call) ArgsOn(goarch string) []Arg {
	if goarch == "arm64" && c.arm64Args != nil {
		return c.arm64Args
	}
	return c.Args
}

// Lookup finds a call by the name of its __NR_ macro: stat, where the kernel's
// own tracing says newstat.
func Lookup(name string) (Call, bool) {
	i, ok := slices.BinarySearchFunc(table, name, func(c Call, name string) int {
		return strings.Compare(c.Name, name)
	})
	if !ok {
		return Call{}, false
	}
	return table[i], true
}

// Names returns every call's name, sorted.
func Names() []string {
	names := make([]string, len(table))
	for i, c := range table {
		names[i] = c.Name
	}
	return names
}

// ClobbersArguments reports whether the registers that held the call's
// arguments are gone when it returns: execve starts a new program in them, and
// a sigreturn loads those of the interrupted one. What a probe needs of them at
// the return must have been kept at the entry.
//
// On arm64 every call loses its first one, x0, to the return value; the kernel
// keeps a copy (orig_x0).
func ClobbersArguments(name string) bool {
	switch name {
	case "execve", "execveat", "rt_sigreturn", "uprobe", "uretprobe":
		return true
	}
	return false
}
