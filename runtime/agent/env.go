// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"io"
	"os"
	"os/signal"
	"sync"

	"golang.org/x/sys/unix"
)

// Env is what an agent needs of the process it runs in.
type Env struct {
	Stdin    io.Reader
	Stdout   io.Writer // what verbs print; sinks open their own outputs
	Stderr   io.Writer // mistakes, the log and the ledger
	Terminal bool      // Stderr is a terminal

	// Variable is the value of an environment variable, "" when it is not
	// set. Nil means that none is.
	Variable func(name string) string

	EUID         int
	Capabilities uint64 // the effective set: bit n for capability n

	// Signals starts to deliver SIGINT, SIGTERM, SIGUSR1 and SIGHUP, unless
	// that is ignored, and returns what stops that. Nil means that none come.
	Signals func() (<-chan os.Signal, func())

	runner runner // nil: the kernel below
}

// System is the Env of this process.
func System() Env {
	return Env{
		Stdin:        os.Stdin,
		Stdout:       os.Stdout,
		Stderr:       os.Stderr,
		Terminal:     isTerminal(os.Stderr),
		Variable:     os.Getenv,
		EUID:         os.Geteuid(),
		Capabilities: capabilities(),
		Signals: func() (<-chan os.Signal, func()) {
			c := make(chan os.Signal, 4)
			signal.Notify(c, unix.SIGINT, unix.SIGTERM, unix.SIGUSR1)
			if !signal.Ignored(unix.SIGHUP) { // nohup
				signal.Notify(c, unix.SIGHUP)
			}
			return c, func() { signal.Stop(c) }
		},
	}
}

// privileged says whether the kernel is expected to load and attach programs.
func (e Env) privileged() bool {
	has := func(capability int) bool { return e.Capabilities>>capability&1 == 1 }
	return e.EUID == 0 || has(unix.CAP_SYS_ADMIN) || has(unix.CAP_BPF) && has(unix.CAP_PERFMON)
}

func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

// capabilities is the effective set of this process, empty when the kernel
// does not say.
func capabilities() uint64 {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var sets [2]unix.CapUserData
	if unix.Capget(&header, &sets[0]) != nil {
		return 0
	}
	return uint64(sets[1].Effective)<<32 | uint64(sets[0].Effective)
}

// lockedWriter lets the log, the ledger and the agent itself write whole lines.
type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}
