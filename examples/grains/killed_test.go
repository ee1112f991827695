// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/redsift/ingraind/examples/grains/generated/refused"
	"github.com/redsift/ingraind/runtime"
)

// returnsRole is an agent that has probes in tracefs, and says when it has.
func returnsRole() {
	_, err := runtime.Run(context.Background(), runtime.Options{
		Grains:  []*runtime.Grain{refused.New()},
		Only:    map[runtime.Mechanism]bool{runtime.Pair: true},
		Started: func([]*runtime.Plan) { fmt.Println("started") },
	})
	fmt.Fprintln(os.Stderr, err)
}

// TestWhatAKilledAgentLeavesIsSwept: programs and their attachments go with the
// process; the return probes that it has named in tracefs are removed by the
// next agent.
func TestWhatAKilledAgentLeavesIsSwept(t *testing.T) {
	if lacking(t, runtime.Pair, by(runtime.Pair, refused.New())) {
		return
	}
	cmd := role(t, "returns")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, _ := bufio.NewReader(out).ReadString('\n')
	if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	if line != "started\n" {
		t.Fatalf("the agent said %q", line)
	}
	left := func() []string { return traceEvents(t, cmd.Process.Pid) }
	if len(left()) == 0 {
		t.Fatal("a killed agent left nothing in tracefs: this test looks in the wrong place")
	}
	stop(t, start(t, runtime.Options{}, refused.New()))
	if lines := left(); len(lines) != 0 {
		t.Errorf("still in tracefs: %s", strings.Join(lines, ", "))
	}
}
