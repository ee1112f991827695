// SPDX-License-Identifier: Apache-2.0

package sinktest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os/exec"
	"syscall"
	"testing"
)

// FreeAddress is one of 127.0.0.1 that nobody has, of UDP and TCP. Its port is
// below those that the kernel gives to connections, one of which could have it
// while the server that it is for is away.
func FreeAddress(t testing.TB) string {
	t.Helper()
	for range 100 {
		address := fmt.Sprintf("127.0.0.1:%d", 20000+rand.IntN(12000))
		if l, err := net.Listen("tcp", address); err == nil {
			l.Close()
			if p, err := net.ListenPacket("udp", address); err == nil {
				p.Close()
				return address
			}
		}
	}
	t.Fatal("found no free port")
	return ""
}

// Listening reports whether somebody does at an address.
func Listening(address string) bool {
	conn, err := net.Dial("tcp", address)
	if err == nil {
		conn.Close()
	}
	return err == nil
}

// Process is a server that can be killed, paused and started again. It does
// not outlive the test.
type Process struct {
	t   testing.TB
	cmd *exec.Cmd // nil: it does not run
}

// NewProcess is one that is not started.
func NewProcess(t testing.TB) *Process {
	p := &Process{t: t}
	t.Cleanup(p.Kill)
	return p
}

// Start starts it.
func (p *Process) Start(cmd *exec.Cmd) {
	p.t.Helper()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.cmd = cmd
}

// Kill ends it at once.
func (p *Process) Kill() {
	if p.cmd != nil {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
		p.cmd = nil
	}
}

// Pause has it stand still, until Resume.
func (p *Process) Pause() { _ = p.cmd.Process.Signal(syscall.SIGSTOP) }

// Resume has it go on.
func (p *Process) Resume() { _ = p.cmd.Process.Signal(syscall.SIGCONT) }
