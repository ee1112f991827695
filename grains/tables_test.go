// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/redsift/ingraind/generated/exec"
	syscalls "github.com/redsift/ingraind/generated/syscall"
	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/runtimetest"
)

// summed adds up a cell of the rows of a table that match.
func summed(rows []runtimetest.Row, table, cell string, match func(runtimetest.Row) bool) (sum int64) {
	for _, r := range rows {
		if r.Text("table") == table && match(r) {
			sum += r.Int(cell)
		}
	}
	return sum
}

// buckets is how many events the histograms of rows that match have.
func buckets(rows []runtimetest.Row, table, cell string, match func(runtimetest.Row) bool) (sum int64) {
	for _, r := range rows {
		if r.Text("table") != table || !match(r) {
			continue
		}
		list, _ := r.Get(cell).([]any)
		for _, b := range list {
			sum += runtimetest.Row(b.(map[string]any)).Int("n")
		}
	}
	return sum
}

func TestSystemCallsAreCountedByNameProgramAndResult(t *testing.T) {
	calls, err := runtime.ParseCalls("getpriority,openat,fsync")
	must(t, err)
	agent := runtimetest.Start(t, runtime.Options{Calls: map[string]runtime.Calls{"syscall.syscalls": calls}}, syscalls.New())
	const many = 3000
	missing, err := unix.BytePtrFromString("/no/such/file")
	must(t, err)
	runtimetest.Named(t, "caller", func() {
		for range many {
			_, _, _ = unix.Syscall(unix.SYS_GETPRIORITY, 0, 0, 0)
			_, _, _ = unix.Syscall6(unix.SYS_OPENAT, ^uintptr(99), uintptr(unsafe.Pointer(missing)), 0, 0, 0, 0)
			_, _, _ = unix.RawSyscall(unix.SYS_GETPID, 0, 0, 0) // is not asked for
		}
		_, _, _ = unix.Syscall(unix.SYS_FSYNC, ^uintptr(0), 0, 0)
	})
	rows, ledger := agent.Stop()
	for _, want := range []struct {
		call, error string
		calls       int64
	}{{"getpriority", "", many}, {"openat", "ENOENT", many}, {"fsync", "EBADF", 1}, {"getpid", "", 0}} {
		got := summed(rows, "calls", "calls", func(r runtimetest.Row) bool {
			return r.Text("comm") == "caller" && r.Text("call") == want.call && r.Text("error") == want.error
		})
		if got != want.calls {
			t.Errorf("%s %s: got %d calls, want %d", want.call, want.error, got, want.calls)
		}
	}
	if n := buckets(rows, "latency", "latency", func(r runtimetest.Row) bool { return r.Text("call") == "openat" }); n < many {
		t.Errorf("got %d latencies of openat, want %d or more", n, many)
	}
	if e := ledger.Events[0]; e.Seen != e.TableOnly || e.Seen < 2*many+1 {
		t.Errorf("got %+v, want all counted in tables alone", e)
	}
}

func TestProgramsThatStartAndEndAreCounted(t *testing.T) {
	program := exits(t, "counted", 0)
	agent := runtimetest.Start(t, runtime.Options{}, exec.New())
	n := scale(1000)
	spawned(t, n, program, "load")
	rows, ledger := agent.Stop()
	var missed int64 // what the kernel did not run a probe for
	for _, p := range ledger.Probes {
		missed += int64(p.Missed)
	}
	ours := func(r runtimetest.Row) bool { return r.Text("comm") == "counted" }
	for cell, table := range map[string]string{"starts": "starts", "ends": "ends"} {
		if got := summed(rows, table, cell, ours); got > int64(n) || got < int64(n)-missed {
			t.Errorf("%s: got %d, want %d; %d were missed", table, got, n, missed)
		}
	}
	if got := buckets(rows, "ends", "lifetimes", ours); got > int64(n) || got < int64(n)-missed {
		t.Errorf("got %d lifetimes, want %d; %d were missed", got, n, missed)
	}
}
