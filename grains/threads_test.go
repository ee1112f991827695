// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"os"
	goruntime "runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/redsift/ingraind/generated/exec"
	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/runtimetest"
)

// checkExits checks that each process of a load has one exit event, which
// says what wait(2) says. A pid may have been used more than once, also by
// others: they are told apart by the name of their thread.
// Only what the kernel skipped, and the ledger says so, may be missing.
func checkExits(t *testing.T, rows []runtimetest.Row, ledger runtime.Ledger, load []ended) {
	t.Helper()
	comm, err := os.ReadFile("/proc/self/comm")
	if err != nil {
		t.Fatal(err)
	}
	want, got := map[int64][]int64{}, map[int64][]int64{}
	for _, p := range load {
		want[int64(p.pid)] = append(want[int64(p.pid)], int64(p.status.ExitStatus()))
	}
	for _, r := range rows {
		pid := r.Int("who.pid")
		if r.Text("event") == "exit" && want[pid] != nil && r.Text("who.comm") == strings.TrimSpace(string(comm)) {
			got[pid] = append(got[pid], r.Int("code"))
		}
	}
	skipped := missed(ledger)
	if skipped > 0 && !kernelAtLeast(t, 7, 0) {
		t.Errorf("the kernel skipped a probe %d times, want 0", skipped)
	}
	wrong := 0
	for pid, codes := range want {
		if slices.Equal(got[pid], codes) {
			continue
		}
		if len(got[pid]) == 0 && skipped >= len(codes) {
			skipped -= len(codes)
			continue
		}
		if wrong++; wrong <= 3 {
			t.Errorf("process %d: got exit events with code %v, want %v", pid, got[pid], codes)
		}
	}
	if wrong > 0 {
		t.Errorf("wrong exit events for %d of %d processes", wrong, len(want))
	}
}

func TestTwoThreadsThatEndTogetherAreOneExit(t *testing.T) {
	agent := runtimetest.Start(t, runtime.Options{}, exec.New())
	var load []ended
	for range scale(twins()) {
		var met uint64
		meet := runtimetest.Meet(&met, min(2, goruntime.NumCPU())) // alone, one would spin in vain
		load = append(load, fork(t, runtimetest.Thread(meet, runtimetest.Exit(91)), meet, runtimetest.Exit(92)))
	}
	rows, ledger := agent.Stop()
	checkExits(t, rows, ledger, load)
}

// TestThreadsHeldUpWhileTheyEndAreOneExit: while its memory is copied by a
// fork, threads of a process that end wait for each other inside of the
// kernel, after both have found that the other is ending too.
func TestThreadsHeldUpWhileTheyEndAreOneExit(t *testing.T) {
	memory, err := unix.Mmap(-1, 0, 64<<20, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Munmap(memory)
	_ = unix.Madvise(memory, unix.MADV_NOHUGEPAGE) // fails where there are none
	for i := 0; i < len(memory); i += os.Getpagesize() {
		memory[i] = 1
	}
	agent := runtimetest.Start(t, runtime.Options{}, exec.New())
	var load []ended
	for i := range 40 {
		first, second := time.Millisecond, 1100*time.Microsecond
		if i%2 == 0 {
			first, second = second, first
		}
		var started uint64
		meet := runtimetest.Meet(&started, 1)
		p, err := runtimetest.Fork(
			runtimetest.Thread(meet, runtimetest.Sleep(first), runtimetest.Exit(91)),
			meet, runtimetest.Sleep(second), runtimetest.Exit(92))
		if err != nil {
			t.Fatal(err)
		}
		for atomic.LoadUint64(&started) < 2 {
			time.Sleep(10 * time.Microsecond)
		}
		c, err := runtimetest.Copy(runtimetest.Exit(0))
		if err != nil {
			t.Fatal(err)
		}
		wait(t, c)
		load = append(load, wait(t, p))
	}
	rows, ledger := agent.Stop()
	checkExits(t, rows, ledger, load)
}

// twins is how many processes end with two threads at the same time; the full
// run asks for more by INGRAIN_TWINS.
func twins() int {
	if n, err := strconv.Atoi(os.Getenv("INGRAIN_TWINS")); err == nil {
		return n
	}
	return 5000
}

func TestExecFromAnotherThreadIsThatOfTheProcess(t *testing.T) {
	program := exits(t, "program", 7)
	agent := runtimetest.Start(t, runtime.Options{}, exec.New())
	p := fork(t, runtimetest.Thread(runtimetest.Execve(program, program, "a b")), runtimetest.Sleep(time.Hour), runtimetest.Exit(1))
	if p.status.ExitStatus() != 7 {
		t.Fatalf("the load ended with %x, want exit status 7", p.status)
	}
	rows, _ := agent.Stop()
	started := event(t, rows, "exec", p.pid)
	if started.Int("who.tid") != int64(p.pid) || started.Text("exe") != program {
		t.Errorf("got %v, want exe %s and tid %d", started, program, p.pid)
	}
	checkWords(t, "args", started, program, "a b")
	if r := event(t, rows, "exit", p.pid); r.Int("code") != 7 || r.Get("execed") != true {
		t.Errorf("got %v, want code 7 and execed", r)
	}
}

func TestProcessEndsWithItsLastThread(t *testing.T) {
	agent := runtimetest.Start(t, runtime.Options{}, exec.New())
	var load []ended
	for _, last := range []runtimetest.Step{runtimetest.Exit(5), runtimetest.ExitGroup(6)} {
		load = append(load, fork(t, runtimetest.Thread(runtimetest.Sleep(50*time.Millisecond), last), runtimetest.Exit(3)))
	}
	rows, _ := agent.Stop()
	for _, p := range load {
		r := event(t, rows, "exit", p.pid)
		if r.Int("code") != int64(p.status.ExitStatus()) || r.Int("who.tid") == int64(p.pid) || r.Int("duration") < 50e6 {
			t.Errorf("got %v, want code %d, another thread's id, and 50 ms", r, p.status.ExitStatus())
		}
	}
}
