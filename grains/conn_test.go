// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redsift/ingraind/generated/conn"
	"github.com/redsift/ingraind/generated/net"
	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/runtimetest"
)

// traffic is connections between two processes.
type traffic struct {
	name             string
	network, listen  string
	servers, threads int
	n, size          int
	local            bool // a server on all addresses is called by 127.0.0.1, not ::1
}

// flowed is what a traffic was.
type flowed struct {
	traffic
	at             map[netip.AddrPort]bool // where it was called
	server, client int64                   // pids
	took           time.Duration
}

// flow makes the traffic and checks that the server counts what was called.
func (tr traffic) flow(t *testing.T) flowed {
	t.Helper()
	args := []string{tr.network}
	for range tr.servers {
		args = append(args, tr.listen)
	}
	s := startServer(t, "serve", args...)
	f := flowed{traffic: tr, at: map[netip.AddrPort]bool{}, server: int64(s.Process.Pid)}
	args = []string{strconv.Itoa(tr.threads), strconv.Itoa(tr.n), strconv.Itoa(tr.size)}
	for text := range strings.FieldsSeq(s.line(t)) {
		at := netip.MustParseAddrPort(text)
		if at.Addr().IsUnspecified() {
			to := netip.IPv6Loopback()
			if tr.local {
				to = netip.AddrFrom4(loopback)
			}
			at = netip.AddrPortFrom(to, at.Port())
		}
		f.at[at] = true
		args = append(args, at.String())
	}
	c := role(t, "call", args...)
	began := time.Now()
	if err := c.Run(); err != nil {
		t.Fatal(err)
	}
	f.took, f.client = time.Since(began), int64(c.Process.Pid)
	if got := s.end(t); got != tr.n {
		t.Fatalf("the server counts %d connections, want %d", got, tr.n)
	}
	return f
}

// end is one side of a row: "local" or "peer".
func end(r runtimetest.Row, side string) netip.AddrPort {
	ip, err := netip.ParseAddr(r.Text(side))
	if err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(ip, uint16(r.Int(side+"_port")))
}

// lifeGrain is a grain that tells of the lives of connections, and who it says
// is whose an accepted connection was.
type lifeGrain struct {
	new    func() *runtime.Grain
	served string
}

var lifeGrains = []lifeGrain{{conn.New, "listener"}, {net.New, "user"}}

// check compares the rows with what flowed. A change that the kernel skipped
// may be the one that says who: the others of its socket, and of the next at
// its address, then say unknown, or another.
func (f flowed) check(t *testing.T, rows []runtimetest.Row, ledger runtime.Ledger, served string) {
	t.Helper()
	skipped := missed(ledger)
	most := f.n / 200
	if underEmulation() { // interrupts are frequent there for how slow it is
		most = f.n / 10
	}
	if skipped > most && !kernelAtLeast(t, 7, 0) {
		t.Errorf("the kernel skipped a probe %d times, want %d or less", skipped, most)
	}
	count, wrong := map[string]int{}, 0
	for _, r := range rows {
		local, peer, pid := end(r, "local"), end(r, "peer"), r.Int("who.pid")
		client, server := f.at[peer], f.at[local]
		kind, ok := r.Text("event"), true
		if kind == "listen" || !client && !server {
			continue // also another's
		}
		accepted := map[string]string{"accept": "listener", "close": served}[kind]
		who := pid == f.server && r.Text("who_of") == accepted
		far := local
		if server {
			far = peer
		} else {
			who = pid == f.client && r.Text("who_of") == "caller"
		}
		switch kind {
		case "connect":
			ok = client && r.Text("outcome") == "established" && r.Int("latency") > 0 && r.Int("latency") < int64(f.took)
		case "accept":
			ok = server
		case "close":
			sent, received := int64(f.size), int64(replySize(f.size))
			if server {
				sent, received = received, sent
			}
			kind += " " + r.Text("role")
			ok = (r.Text("role") == "server") == server && r.Int("sent") == sent && r.Int("received") == received &&
				r.Int("duration") > 0 && r.Int("duration") < int64(f.took)
		}
		count[kind]++
		if !ok || !who || r.Get("error") != nil || far.Port() == 0 || !far.Addr().IsLoopback() {
			if wrong++; wrong > 4*skipped && wrong <= 4*skipped+3 {
				t.Errorf("between process %d and server %d: got %v", f.client, f.server, r)
			}
		}
	}
	if skipped > 0 { // who closed may be unknown
		count["close client"] += count["close either"]
		count["close server"] += count["close either"]
	}
	for _, kind := range []string{"connect", "accept", "close client", "close server"} {
		if count[kind] != f.n {
			t.Logf("%d %s events of %d", count[kind], kind, f.n)
		}
		if count[kind] > f.n+skipped || count[kind] < f.n-skipped {
			t.Errorf("got %d %s events, want %d", count[kind], kind, f.n)
		}
	}
	if wrong > 4*skipped {
		t.Errorf("%d of %d events are wrong", wrong, 4*f.n)
	}
}

func TestEachConnectionIsSeenAtBothEnds(t *testing.T) {
	n := scale(1000)
	all := []traffic{
		{"IPv4", "tcp4", "127.0.0.1:0", 1, 1, n, 1, false},
		{"IPv6", "tcp6", "[::1]:0", 1, 2, n, 12345, false},
		{"IPv4 to a server of both", "tcp", "[::]:0", 1, 1, n, 0, true},
		{"IPv6 on all addresses", "tcp6", "[::]:0", 1, 1, max(n/10, 5), 100_000, false},
	}
	for _, g := range lifeGrains {
		agent := runtimetest.Start(t, runtime.Options{}, g.new())
		var done []flowed
		for _, tr := range all {
			done = append(done, tr.flow(t))
		}
		rows, ledger := agent.Stop()
		for _, f := range done {
			t.Run(g.new().Name+" "+f.name, func(t *testing.T) { f.check(t, rows, ledger, g.served) })
		}
		if n := lost(ledger); n != 0 {
			t.Errorf("%d events were lost, want 0", n)
		}
	}
}

// TestManyConnectionsASecondAreAllSeen makes those of three seconds at 5,000
// a second as fast as this machine can.
func TestManyConnectionsASecondAreAllSeen(t *testing.T) {
	for _, tr := range []traffic{
		{"IPv4", "tcp4", "127.0.0.1:0", 4, 4, scale(15_000), 0, false},
		{"IPv6", "tcp6", "[::1]:0", 4, 4, scale(15_000), 0, false},
	} {
		t.Run(tr.name, func(t *testing.T) {
			agent := runtimetest.Start(t, runtime.Options{Rings: 32 << 20}, conn.New())
			f := tr.flow(t)
			rows, ledger := agent.Stop()
			f.check(t, rows, ledger, "listener")
			if n := lost(ledger); n != 0 {
				t.Errorf("%d events were lost, want 0", n)
			}
			t.Logf("%d connections in %v: %.0f a second; %d changes skipped", f.n, f.took, float64(f.n)/f.took.Seconds(), missed(ledger))
		})
	}
}
