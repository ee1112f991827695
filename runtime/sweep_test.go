// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestLeftoversAreThoseOfOurOwnThatLostTheirProcess(t *testing.T) {
	for line, want := range map[string]string{
		"p:ingraind_123_0f/tcp_connect tcp_connect":      "ingraind_123_0f/tcp_connect 123",
		"r4:ingraind_5_0f/tcp_connect tcp_connect\n":     "ingraind_5_0f/tcp_connect 5",
		"p:uprobes/p_bash_0x4245c0 /bin/bash:0x4245c0":   " 0",
		"p:ingraind_x_0f/f f":                            " 0",
		"p:ingraind_12/f f":                              " 0",
		"p:other_123_0f/f f":                             " 0",
		"":                                               " 0",
		"e:eprobes/syscall syscalls.sys_enter fd=$args0": " 0",
	} {
		event, pid := leftover(line)
		if got := fmt.Sprint(event, " ", pid); got != want {
			t.Errorf("%q: got %q, want %q", line, got, want)
		}
	}
}

// TestSweepRemovesWhatAKilledAgentLeft makes events as an agent would, in the
// name of a process that is gone and of one that is not.
func TestSweepRemovesWhatAKilledAgentLeft(t *testing.T) {
	kernel(t)
	events := traceFile(t, "uprobe_events")
	gone := exec.Command("ls", "/")
	if err := gone.Run(); err != nil {
		t.Fatal(err)
	}
	program, err := exec.LookPath("ls")
	if err != nil {
		t.Fatal(err)
	}
	mine := map[string]string{
		"gone":  fmt.Sprintf("ingraind_%d_0123456789abcdef/sweep_test", gone.Process.Pid),
		"alive": fmt.Sprintf("%s_0123456789abcdef/sweep_test", traceGroup()),
	}
	for _, event := range mine {
		if err := appendFile(events, "p:"+event+" "+program+":0x1000"); err != nil {
			t.Fatalf("%s: %v", events, err)
		}
		t.Cleanup(func() { appendFile(events, "-:"+event) })
	}
	if n, err := SweepLeftovers(); n < 1 || err != nil {
		t.Errorf("swept %d (%v), want 1", n, err)
	}
	text, err := os.ReadFile(events)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), mine["gone"]) || !strings.Contains(string(text), mine["alive"]) {
		t.Errorf("after the sweep there are\n%s", text)
	}
}

// traceFile is a file of tracefs.
func traceFile(t *testing.T, name string) string {
	t.Helper()
	for _, dir := range traceDirs() {
		if file := filepath.Join(dir, name); exists(file) {
			return file
		}
	}
	t.Fatalf("this test needs tracefs with %s (mount -t tracefs nodev /sys/kernel/tracing)", name)
	return ""
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

// TestTracefsTakesOurGroupNames: ebpf makes the event's name from the prefix.
func TestTracefsTakesOurGroupNames(t *testing.T) {
	if event, pid := leftover("p:" + traceGroup() + "_0123456789abcdef/f f"); event == "" || pid != os.Getpid() {
		t.Errorf("an event of this process is taken for %q of %d", event, pid)
	}
	if len(traceGroup()) > 63-17 {
		t.Errorf("%s is too long for tracefs", traceGroup())
	}
}
