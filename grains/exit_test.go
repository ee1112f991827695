// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/redsift/ingraind/generated/exec"
	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/runtimetest"
)

func TestExitSaysTheCodeThatWaitReturns(t *testing.T) {
	agent := runtimetest.Start(t, runtime.Options{}, exec.New())
	var load []ended
	for code := range 256 {
		load = append(load, fork(t, runtimetest.ExitGroup(code)))
	}
	load = append(load, fork(t, runtimetest.ExitGroup(256)), fork(t, runtimetest.ExitGroup(-1)), fork(t, runtimetest.ExitGroup(511)))
	rows, _ := agent.Stop()
	for _, p := range load {
		r := event(t, rows, "exit", p.pid)
		if r.Int("code") != int64(p.status.ExitStatus()) || r.Get("signal") != nil || r.Get("core") != false {
			t.Errorf("got %v, want code %d and no signal", r, p.status.ExitStatus())
		}
	}
}

func TestExitSaysTheSignalThatKilled(t *testing.T) {
	dir := folder(t)
	waits := runtimetest.Install(t, filepath.Join(dir, "waits"), runtimetest.Program(runtimetest.Call{Number: unix.SYS_PPOLL}))
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_CORE, &limit); err != nil {
		t.Fatal(err)
	}
	agent := runtimetest.Start(t, runtime.Options{}, exec.New())
	type killed struct {
		pid    int
		signal syscall.Signal
		status syscall.WaitStatus
	}
	var load []killed
	for _, cores := range []uint64{0, limit.Max} {
		if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{Cur: cores, Max: limit.Max}); err != nil {
			t.Fatal(err)
		}
		for _, signal := range []syscall.Signal{1, 2, 3, 6, 8, 9, 10, 11, 13, 14, 15, 24, 31, 34, 40, 64} {
			pid, err := syscall.ForkExec(waits, []string{"waits"}, &syscall.ProcAttr{Dir: dir})
			if err != nil {
				t.Fatal(err)
			}
			if err := syscall.Kill(pid, signal); err != nil {
				t.Fatal(err)
			}
			load = append(load, killed{pid, signal, wait(t, runtimetest.Forked{PID: pid}).status})
		}
	}
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &limit); err != nil {
		t.Fatal(err)
	}
	rows, _ := agent.Stop()
	cores := 0
	for _, p := range load {
		r := event(t, rows, "exit", p.pid)
		got := r.Text("signal")
		if name := unix.SignalName(p.signal); name != got || name == "" && r.Int("signal") != int64(p.signal) {
			t.Errorf("killed by %d: got signal %v, want %q", int(p.signal), r.Get("signal"), name)
		}
		if r.Int("code") != 0 || p.status.Signal() != p.signal || r.Get("core") != p.status.CoreDump() {
			t.Errorf("killed by %d: got %v, want code 0 and core %v", int(p.signal), r, p.status.CoreDump())
		}
		if p.status.CoreDump() {
			cores++
		}
	}
	if pattern, _ := os.ReadFile("/proc/sys/kernel/core_pattern"); string(pattern) == "core\n" && limit.Max > 0 && cores == 0 {
		t.Error("no process dumped core: this test shows nothing of it")
	}
}

func TestExitTellsAForkFromAProgram(t *testing.T) {
	program := exits(t, "program", 3)
	agent := runtimetest.Start(t, runtime.Options{}, exec.New())
	forked := fork(t, runtimetest.ExitGroup(3))
	copied, err := runtimetest.Copy(runtimetest.ExitGroup(3))
	if err != nil {
		t.Fatal(err)
	}
	wait(t, copied)
	executed := run(t, program, []string{"x"}, syscall.ProcAttr{}) // by a vfork
	rows, _ := agent.Stop()
	for pid, want := range map[int]bool{forked.pid: false, copied.PID: false, executed.pid: true} {
		if r := event(t, rows, "exit", pid); r.Get("execed") != want || r.Int("code") != 3 {
			t.Errorf("got %v, want execed %v and code 3", r, want)
		}
	}
}

func TestDurationIsFromForkToEnd(t *testing.T) {
	agent := runtimetest.Start(t, runtime.Options{}, exec.New())
	type timed struct {
		ended
		least, most time.Duration
	}
	var load []timed
	for _, least := range []time.Duration{0, time.Millisecond, 100 * time.Millisecond} {
		began := time.Now()
		p := fork(t, runtimetest.Sleep(least), runtimetest.ExitGroup(0))
		load = append(load, timed{p, least, time.Since(began)})
	}
	rows, _ := agent.Stop()
	for _, p := range load {
		if got := time.Duration(event(t, rows, "exit", p.pid).Int("duration")); got < p.least || got > p.most {
			t.Errorf("got %v, want between %v and %v", got, p.least, p.most)
		}
	}
}

func TestWhoIsTheProcessThatWasStarted(t *testing.T) {
	program := exits(t, "a-name-of-twenty-bytes", 0)
	for dir := program; dir != "/"; { // which another user may reach
		dir = filepath.Dir(dir)
		if info, err := os.Stat(dir); err == nil && info.Mode().Perm()&0o5 != 0o5 {
			if err := os.Chmod(dir, info.Mode().Perm()|0o5); err != nil {
				t.Fatal(err)
			}
		}
	}
	self, err := os.ReadFile("/proc/self/comm")
	if err != nil {
		t.Fatal(err)
	}
	agent := runtimetest.Start(t, runtime.Options{}, exec.New())
	began := time.Now()
	p := run(t, program, []string{"x"}, syscall.ProcAttr{Sys: &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 4711, Gid: 4712}}})
	end := time.Now()
	rows, _ := agent.Stop()
	for _, name := range []string{"exec", "exit"} {
		r := event(t, rows, name, p.pid)
		if r.Text("who.comm") != "a-name-of-twent" || r.Int("who.uid") != 4711 || r.Int("who.ppid") != int64(os.Getpid()) || r.Int("who.tid") != int64(p.pid) {
			t.Errorf("got %v, want comm a-name-of-twent, uid 4711, ppid %d, tid %d", r, os.Getpid(), p.pid)
		}
		at, err := time.Parse(time.RFC3339Nano, r.Text("time"))
		if slack := 5 * time.Millisecond; err != nil || at.Before(began.Add(-slack)) || at.After(end.Add(slack)) {
			t.Errorf("got time %s (%v), want one between %v and %v", r.Text("time"), err, began, end)
		}
	}
	if got := event(t, rows, "exec", p.pid).Text("parent_comm") + "\n"; got != string(self) {
		t.Errorf("got parent_comm %q, want %q", got, self)
	}
}
