// SPDX-License-Identifier: Apache-2.0

package sinktest

import (
	"bytes"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// Process is a server that can be killed, paused and started again. It does
// not outlive the test, and what it printed is logged when that fails.
type Process struct {
	t      testing.TB
	cmd    *exec.Cmd // nil: it does not run
	output bytes.Buffer
}

// NewProcess is one that is not started.
func NewProcess(t testing.TB) *Process {
	p := &Process{t: t}
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() && p.output.Len() > 0 {
			t.Logf("a server printed: %s", &p.output)
		}
	})
	return p
}

// Start starts it.
func (p *Process) Start(cmd *exec.Cmd) {
	p.t.Helper()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if cmd.Stdout == nil && cmd.Stderr == nil {
		cmd.Stdout, cmd.Stderr = &p.output, &p.output
	}
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.cmd = cmd
}

// Kill ends it at once.
func (p *Process) Kill() { p.end(syscall.SIGKILL) }

// End asks it to end, and waits for that.
func (p *Process) End() { p.end(syscall.SIGTERM) }

func (p *Process) end(signal syscall.Signal) {
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Signal(signal)
	kill := time.AfterFunc(20*time.Second, func() { _ = p.cmd.Process.Kill() })
	_ = p.cmd.Wait()
	kill.Stop()
	p.cmd = nil
}

// Printed is what it printed, once it has ended.
func (p *Process) Printed() string { return p.output.String() }

// Pause has it stand still, until Resume.
func (p *Process) Pause() { _ = p.cmd.Process.Signal(syscall.SIGSTOP) }

// Resume has it go on.
func (p *Process) Resume() { _ = p.cmd.Process.Signal(syscall.SIGCONT) }
