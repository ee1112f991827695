// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	goruntime "runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// badf is what openBad ends with.
const badf = unix.EBADF

// openBad is an openat that the kernel refuses, recognised by its dfd.
func openBad(dfd int) {
	fd, err := unix.Openat(dfd, "no/such/file", unix.O_RDONLY, 0)
	if err == nil {
		unix.Close(fd)
	}
}

// onCPU moves this thread to a CPU, if there is one of that number.
func onCPU(t *testing.T, cpu int) bool {
	t.Helper()
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		t.Fatal(err)
	}
	if !set.IsSet(cpu) {
		return false
	}
	was := set
	t.Cleanup(func() { unix.SchedSetaffinity(0, &was) })
	set.Zero()
	set.Set(cpu)
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		t.Fatal(err)
	}
	return true
}

// mayLack reports whether this may be a kernel without a mechanism. Debian's
// kernels, which the matrix of tests runs on, have them all, but for
// trampolines on arm64 before 6.4: a test that looks away there is broken.
func mayLack(t *testing.T, m Mechanism) bool {
	t.Helper()
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		t.Fatal(err)
	}
	release := unix.ByteSliceToString(name.Release[:])
	if !strings.Contains(release, "-cloud-") {
		return true
	}
	old := strings.HasPrefix(release, "5.") || strings.HasPrefix(release, "6.1.")
	return goruntime.GOARCH == "arm64" && old && (m == Fentry || m == Fexit)
}
