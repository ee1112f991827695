// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"fmt"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/runtimetest"
)

// ended is a process of a load and how wait(2) says that it ended.
type ended struct {
	pid    int
	status syscall.WaitStatus
}

// fork starts a process that does steps, and waits for its end.
func fork(t testing.TB, steps ...runtimetest.Step) ended {
	t.Helper()
	p, err := runtimetest.Fork(steps...)
	if err != nil {
		t.Fatal(err)
	}
	return wait(t, p)
}

func wait(t testing.TB, p runtimetest.Forked) ended {
	t.Helper()
	status, err := p.Wait()
	if err != nil {
		t.Fatal(err)
	}
	return ended{p.PID, status}
}

// run starts a program as it is told, whatever argv is, and waits for its end.
func run(t testing.TB, path string, argv []string, attr syscall.ProcAttr) ended {
	t.Helper()
	attr.Files = []uintptr{0, 1, 2}
	attr.Env = []string{"A=1"}
	pid, err := syscall.ForkExec(path, argv, &attr)
	if err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	return wait(t, runtimetest.Forked{PID: pid})
}

// exits is a program that ends with a code, installed in a folder of the test
// whose path holds no symbolic link.
func exits(t testing.TB, name string, code uintptr) string {
	t.Helper()
	return runtimetest.Install(t, filepath.Join(folder(t), name),
		runtimetest.Program(runtimetest.Call{Number: unix.SYS_EXIT_GROUP, Args: [6]uintptr{code}}))
}

func folder(t testing.TB) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// event is the one row of an event that a process has.
func event(t testing.TB, rows []runtimetest.Row, name string, pid int) runtimetest.Row {
	t.Helper()
	var found []runtimetest.Row
	for _, r := range rows {
		if r.Text("event") == name && r.Int("who.pid") == int64(pid) {
			found = append(found, r)
		}
	}
	if len(found) != 1 {
		t.Fatalf("got %d %s events of process %d, want 1: %v", len(found), name, pid, found)
	}
	return found[0]
}

// missed is how often the kernel skipped a probe: one that interrupts itself.
// A socket's state may change in an interrupt while a program tells of another
// one's. Since 7.0 programs can also be preempted, and what happens on a CPU
// while one of them stands still there passes it by; under emulation, where
// they take long, that is often.
func missed(ledger runtime.Ledger) (n int) {
	for _, p := range ledger.Probes {
		n += int(p.Missed)
	}
	return n
}

// lost is how many events and rows were lost, beside what was missed.
func lost(ledger runtime.Ledger) int {
	ledger.Probes = nil
	return int(ledger.Losses())
}

// kernelAtLeast reports whether the running kernel is a version or later.
func kernelAtLeast(t testing.TB, major, minor int) bool {
	t.Helper()
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		t.Fatal(err)
	}
	var at [2]int
	if _, err := fmt.Sscanf(unix.ByteSliceToString(u.Release[:]), "%d.%d", &at[0], &at[1]); err != nil {
		t.Fatal(err)
	}
	return at[0] > major || at[0] == major && at[1] >= minor
}
