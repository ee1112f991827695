// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/redsift/ingraind/generated/net"
	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/runtimetest"
)

// volumes are what the tables of net say that a process sent and received.
func volumes(rows []runtimetest.Row, pid int) *tally {
	t := &tally{}
	for _, r := range rows {
		if way := r.Text("table"); (way == "sent" || way == "received") && r.Int("pid") == int64(pid) {
			t.add(way, side{r.Text("protocol"), r.Text("role"), r.Text("peer"), int(r.Int("port"))}, int(r.Int("bytes")), int(r.Int("calls")))
		}
	}
	return t
}

// lines are the counts of a tally, one a line, in order. Where want has no
// number of calls, there is none.
func (t *tally) lines(want *tally) string {
	var all []string
	for _, m := range t.all {
		if slices.ContainsFunc(want.all, func(w moved) bool { return w.side == m.side && w.Way == m.Way && w.Calls == anyCalls }) {
			m.Calls = anyCalls
		}
		all = append(all, fmt.Sprintf("%-8s %-5s %-6s %s port %d: %d bytes in %d calls\n", m.Way, m.Protocol, m.Role, m.Peer, m.Port, m.Bytes, m.Calls))
	}
	slices.Sort(all)
	return strings.Join(all, "")
}

// functions reports whether net runs with function probes.
func functions(a *runtimetest.Agent) bool {
	return slices.ContainsFunc(a.Plans[0].Placements, func(p runtime.Placement) bool { return p.Probe == "spliced" && p.Mechanism != "" })
}

// TestEachWayToSendAndReceiveIsCountedExactly compares what a process says that
// it moved, in each way that Linux has, with the tables: the same sides, bytes
// and calls, and no others.
func TestEachWayToSendAndReceiveIsCountedExactly(t *testing.T) {
	p := startServer(t, "move")
	if got := p.line(t); got != "ready" {
		t.Fatalf("got %q, want ready", got)
	}
	agent := runtimetest.Start(t, runtime.Options{}, net.New())
	lookAround()
	if _, err := io.WriteString(p.in, "\n"); err != nil {
		t.Fatal(err)
	}
	want := &tally{}
	must(t, json.Unmarshal([]byte(p.line(t)), &want.all))
	p.Wait()
	rows, ledger := agent.Stop()
	if n := missed(ledger); n > 0 {
		t.Logf("the kernel skipped a probe %d times", n)
	}
	i := slices.IndexFunc(want.all, func(m moved) bool { return m.Way == uringSpliced })
	want.all[i].Way = "received"
	if !functions(agent) {
		want.all = slices.Delete(want.all, i, i+1)
	}
	got := volumes(rows, p.Process.Pid)
	if g, w := got.lines(want), want.lines(want); g != w {
		t.Errorf("got what is marked +, want what is marked -:\n%s", difference(w, g))
	}
	if len(want.all) < 60 {
		t.Errorf("got %d sides, want 60 or more: this load does not do what it is for", len(want.all))
	}
}

// difference are the lines that only one of two texts has.
func difference(want, got string) string {
	var text strings.Builder
	w, g := strings.SplitAfter(want, "\n"), strings.SplitAfter(got, "\n")
	for _, line := range w {
		if !slices.Contains(g, line) {
			text.WriteString("- " + line)
		}
	}
	for _, line := range g {
		if !slices.Contains(w, line) {
			text.WriteString("+ " + line)
		}
	}
	return text.String()
}

// BenchmarkSend sends and receives small messages, without the grain and with
// it: the difference is what two calls cost.
func BenchmarkSend(b *testing.B) {
	for _, with := range []bool{false, true} {
		for _, protocol := range []string{"tcp", "udp", "unix"} {
			b.Run(fmt.Sprintf("%s/net=%v", protocol, with), func(b *testing.B) {
				if with {
					runtimetest.Start(b, runtime.Options{}, net.New())
				}
				var c conversation
				switch protocol {
				case "tcp":
					c = talk(unix.AF_INET, "127.0.0.1", 0)
				case "udp":
					c = datagrams(unix.AF_INET, "127.0.0.1")
					must(b, unix.Connect(c.client, sockaddr(unix.AF_INET, "127.0.0.1", c.c.Port)))
				case "unix":
					pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
					must(b, err)
					c.client, c.server = pair[0], pair[1]
				}
				defer c.close()
				message, room := make([]byte, 100), make([]byte, 1000)
				for b.Loop() {
					if _, err := unix.Write(c.client, message); err != nil {
						b.Fatal(err)
					}
					if _, err := unix.Read(c.server, room); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
