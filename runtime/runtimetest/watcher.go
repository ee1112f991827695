// SPDX-License-Identifier: Apache-2.0

package runtimetest

import (
	"bufio"
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// Watcher is an agent at work, as a process of its own.
type Watcher struct {
	*exec.Cmd
	Ended chan error // gets what Wait said

	mu     sync.Mutex
	errors bytes.Buffer // its standard error
}

// Watch starts an agent, which is told -v, and waits until it watches. It is
// killed at the end of the test, if not before.
func Watch(t testing.TB, cmd *exec.Cmd) *Watcher {
	t.Helper()
	w := &Watcher{Cmd: cmd, Ended: make(chan error, 1)}
	stderr, err := w.StderrPipe()
	if err == nil {
		err = w.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Process.Kill() })
	watching := make(chan struct{}, 1)
	go func() {
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			w.mu.Lock()
			w.errors.WriteString(lines.Text() + "\n")
			w.mu.Unlock()
			if strings.Contains(lines.Text(), `"watching"`) {
				watching <- struct{}{}
			}
		}
		w.Ended <- w.Wait()
	}()
	select {
	case <-watching:
	case <-time.After(30 * time.Second):
		t.Fatalf("the agent does not watch after 30 s: %s", w.Said())
	}
	return w
}

// Said is what it has printed on standard error.
func (w *Watcher) Said() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.errors.String()
}

// Signal sends it a signal.
func (w *Watcher) Signal(t testing.TB, s os.Signal) {
	t.Helper()
	if err := w.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// Code waits for its end and returns its exit code, -1 for a signal.
func (w *Watcher) Code(t testing.TB, within time.Duration) int {
	t.Helper()
	select {
	case err := <-w.Ended:
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		return w.ProcessState.ExitCode()
	case <-time.After(within):
		t.Fatalf("the agent does not end within %v: %s", within, w.Said())
		return -1
	}
}
