// SPDX-License-Identifier: Apache-2.0

// Package grains tests the stock grains on the kernel that the tests run on,
// each against a load that counts what it does itself.
package grains

import (
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// TestMain lets the test binary play other roles: what a test needs a process
// of its own for.
func TestMain(m *testing.M) {
	// A test starts processes and kills them: who started it, such as nohup, may
	// have had it ignore signals, and they would inherit that.
	for _, s := range []os.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT} {
		if signal.Ignored(s) {
			signal.Notify(make(chan os.Signal, 1), s)
		}
	}
	if role := os.Getenv("INGRAIN_ROLE"); role != "" {
		if err := roles[role](os.Args[1:]); err != nil {
			os.Stderr.WriteString(role + ": " + err.Error() + "\n")
			os.Exit(1)
		}
		os.Exit(0)
	}
	code := m.Run()
	if built != "" {
		os.RemoveAll(built)
	}
	os.Exit(code)
}

// roles are what the test binary can be told to do instead of testing.
var roles = map[string]func(args []string) error{
	"spawn":    spawn,
	"serve":    serve,
	"call":     call,
	"share":    share,
	"typeless": typeless,
	"crunch":   crunch,
	"answer":   answerer,
	"ask":      asker,
	"alone":    aloneInNamespace,
}

// role is a command that plays a role.
func role(t testing.TB, name string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Env = append(os.Environ(), "INGRAIN_ROLE="+name)
	cmd.Stderr = os.Stderr
	return cmd
}

// spawn starts a program n times, one after the other, and prints the pid of
// each: "spawn N PROGRAM PREFIX" gives each process the argument PREFIX and
// its number.
func spawn(args []string) error {
	n, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	out := &strings.Builder{}
	for i := range n {
		pid, err := syscall.ForkExec(args[1], []string{args[1], args[2], strconv.Itoa(i)}, &syscall.ProcAttr{Files: []uintptr{0, 1, 2}})
		if err != nil {
			return err
		}
		var status syscall.WaitStatus
		if _, err := syscall.Wait4(pid, &status, 0, nil); err != nil {
			return err
		}
		out.WriteString(strconv.Itoa(pid) + "\n")
	}
	_, err = os.Stdout.WriteString(out.String())
	return err
}

// underEmulation reports whether this kernel runs in an emulator, where loads
// are smaller.
func underEmulation() bool { return os.Getenv("INGRAIN_VM") != "" }

// scale is n, or a fiftieth of it under emulation.
func scale(n int) int {
	if underEmulation() {
		return n / 50
	}
	return n
}
