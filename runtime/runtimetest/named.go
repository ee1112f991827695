// SPDX-License-Identifier: Apache-2.0

package runtimetest

import (
	goruntime "runtime"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Named runs f on a thread that has the name comm meanwhile. It gives the name
// back: the first thread of a program, which gives the process its name, does
// not end with the goroutine that locked it.
func Named(t *testing.T, comm string, f func()) {
	t.Helper()
	goruntime.LockOSThread()
	defer goruntime.UnlockOSThread()
	var before [16]byte
	name, err := unix.BytePtrFromString(comm)
	if err == nil {
		err = unix.Prctl(unix.PR_GET_NAME, uintptr(unsafe.Pointer(&before)), 0, 0, 0)
	}
	if err == nil {
		err = unix.Prctl(unix.PR_SET_NAME, uintptr(unsafe.Pointer(name)), 0, 0, 0)
	}
	if err != nil {
		t.Fatalf("name of the thread: %v", err)
	}
	defer func() { _ = unix.Prctl(unix.PR_SET_NAME, uintptr(unsafe.Pointer(&before)), 0, 0, 0) }()
	f()
}
