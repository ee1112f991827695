// SPDX-License-Identifier: Apache-2.0

package runtimetest

import (
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestProgramMakesItsCalls(t *testing.T) {
	name := Install(t, filepath.Join(t.TempDir(), "program"), Program(
		Call{unix.SYS_GETPID, [6]uintptr{}},
		Call{unix.SYS_EXIT_GROUP, [6]uintptr{42}},
	))
	err := exec.Command(name).Run()
	if code := exitCode(err); code != 42 {
		t.Errorf("got exit code %d (%v), want 42", code, err)
	}
}

func exitCode(err error) int {
	if e, ok := err.(*exec.ExitError); ok {
		return e.ExitCode()
	}
	return -1
}

func TestForkedThreadsDoTheirSteps(t *testing.T) {
	var counter uint64
	// Of threads that end together the last one's code is the process's: both say 3.
	p, err := Fork(Thread(Meet(&counter, 2), Exit(3)), Meet(&counter, 2), Exit(3))
	if err != nil {
		t.Fatal(err)
	}
	status, err := p.Wait()
	if err != nil || status.ExitStatus() != 3 || counter != 2 {
		t.Errorf("got status %x (%v) after %d threads met, want exit status 3 and 2", status, err, counter)
	}
}

func TestForkedThreadExecutesAProgram(t *testing.T) {
	name := Install(t, filepath.Join(t.TempDir(), "program"), Program(Call{unix.SYS_EXIT_GROUP, [6]uintptr{42}}))
	p, err := Fork(Thread(Execve(name, name, "a")), Sleep(time.Hour), Exit(1))
	if err != nil {
		t.Fatal(err)
	}
	if status, err := p.Wait(); err != nil || status.ExitStatus() != 42 {
		t.Errorf("got status %x (%v), want exit status 42", status, err)
	}
}
