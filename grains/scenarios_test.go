// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"errors"
	"io"
	"net"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/runtimetest"
)

// A scenario is a load, made while an agent watches, that returns what the
// rows must be.
type scenario struct {
	name string
	make func(t *testing.T) func(t *testing.T, rows []runtimetest.Row)
}

func TestConnectionsAreToldAsTheyWent(t *testing.T) {
	for _, g := range lifeGrains {
		t.Run(g.new().Name, func(t *testing.T) {
			for range 20 { // until the kernel skips nothing
				rows, checks, ledger := wentOn(t, g)
				if missed(ledger) > 0 && !t.Failed() {
					continue
				}
				for _, c := range checks {
					t.Run(c.name, func(t *testing.T) { c.check(t, rows) })
				}
				return
			}
			t.Error("the kernel skipped a probe in each of 20 attempts")
		})
	}
}

// check is what the rows of a scenario must be.
type check struct {
	name  string
	check func(*testing.T, []runtimetest.Row)
}

// wentOn makes all scenarios while an agent watches.
func wentOn(t *testing.T, g lifeGrain) ([]runtimetest.Row, []check, runtime.Ledger) {
	older := newOlder(t)
	ofOlder := older.unknown
	if g.served == "user" {
		ofOlder = older.known
	}
	scenarios := []scenario{
		{"older than the agent", ofOlder},
		{"refused, then again on the same socket", refused},
		{"refused over IPv6", refusedIPv6},
		{"abandoned", abandoned},
		{"unsent", unsent},
		{"reset", reset},
		{"to itself", toItself},
		{"listeners that share a port", sharedPort},
		{"fast open", fastOpen},
	}
	agent := runtimetest.Start(t, runtime.Options{}, g.new())
	if g.served == "user" {
		lookAround()
	}
	var checks []check
	for _, s := range scenarios {
		checks = append(checks, check{s.name, s.make(t)})
	}
	rows, ledger := agent.Stop()
	return rows, checks, ledger
}

// older is a listener and a connection that are there before the agent.
type older struct {
	listener, port   int
	caller, accepted int
}

func newOlder(t *testing.T) *older {
	o := &older{}
	o.listener, o.port = listening(t, 8)
	o.caller = socket(t, unix.AF_INET)
	must(t, connect(o.caller, o.port))
	o.accepted = accepted(t, o.listener)
	return o
}

// lookAround gives net the moment in which it looks at the sockets that are there.
func lookAround() {
	if underEmulation() {
		time.Sleep(2 * time.Second)
	}
	time.Sleep(200 * time.Millisecond)
}

// unknown: of what is older conn knows neither the sides nor whose they are.
func (o *older) unknown(t *testing.T) func(*testing.T, []runtimetest.Row) {
	o.use(t)
	me := os.Getpid()
	return func(t *testing.T, rows []runtimetest.Row) {
		found := onPort(rows, o.port)
		checkRows(t, kind(found, "connect"), row{"who.pid": me, "who_of": "caller", "outcome": "established"})
		checkRows(t, kind(found, "accept"), row{"who_of": "unknown", "who.pid": 0, "who.comm": ""})
		var unknown, known []runtimetest.Row
		for _, r := range kind(found, "close") {
			if r.Text("role") == "either" {
				unknown = append(unknown, r)
			} else {
				known = append(known, r)
			}
		}
		for _, r := range unknown {
			checkRows(t, []runtimetest.Row{r}, row{"who_of": "unknown", "who.pid": 0, "duration": 0})
		}
		for _, r := range known {
			if r.Text("role") == "server" {
				checkRows(t, []runtimetest.Row{r}, row{"who_of": "unknown", "who.pid": 0, "sent": 6, "received": 5})
			} else {
				checkRows(t, []runtimetest.Row{r}, row{"who_of": "caller", "who.pid": me, "sent": 5, "received": 6})
			}
		}
		if len(unknown) != 2 || len(known) != 2 {
			t.Errorf("got %d closes of unknown and %d of known sockets, want 2 and 2", len(unknown), len(known))
		}
	}
}

// known: net has found out who called, and hears who uses a connection.
func (o *older) known(t *testing.T) func(*testing.T, []runtimetest.Row) {
	from := portOf(t, o.caller)
	o.use(t)
	me := os.Getpid()
	return func(t *testing.T, rows []runtimetest.Row) {
		both := onPort(onPort(rows, from), o.port)
		checkRows(t, byRole(kind(both, "close")),
			row{"role": "client", "who_of": "user", "who.pid": me, "duration": 0, "sent": 5, "received": 0},
			row{"role": "server", "who_of": "unknown", "who.pid": 0, "duration": 0, "sent": 0, "received": 5})
		later := onPort(rows, o.port)
		for _, r := range both {
			later = slices.DeleteFunc(later, func(l runtimetest.Row) bool { return reflect.DeepEqual(l, r) })
		}
		checkRows(t, kind(later, "connect"), row{"who.pid": me, "who_of": "caller", "outcome": "established"})
		checkRows(t, kind(later, "accept"), row{"who_of": "unknown", "who.pid": 0, "who.comm": ""})
		checkRows(t, byRole(kind(later, "close")),
			row{"role": "client", "who_of": "caller", "who.pid": me, "sent": 5, "received": 6},
			row{"role": "server", "who_of": "user", "who.pid": me, "sent": 6, "received": 5})
	}
}

// byRole are rows with the client's first.
func byRole(rows []runtimetest.Row) []runtimetest.Row {
	slices.SortStableFunc(rows, func(a, b runtimetest.Row) int { return strings.Compare(a.Text("role"), b.Text("role")) })
	return rows
}

// use has the older connection end, and another one come and go.
func (o *older) use(t *testing.T) {
	write(t, o.caller, "hello")
	unix.Close(o.caller)
	unix.Close(o.accepted) // which has not read: it resets, and nobody is there
	c := socket(t, unix.AF_INET)
	must(t, connect(c, o.port))
	a := accepted(t, o.listener)
	write(t, c, "hello")
	unix.Shutdown(c, unix.SHUT_WR)
	read(t, a)
	write(t, a, "reply!")
	unix.Close(a)
	read(t, c)
	unix.Close(c)
}

func refused(t *testing.T) func(*testing.T, []runtimetest.Row) {
	gone := bound(t, 0)
	nobody := portOf(t, gone)
	unix.Close(gone)
	l, port := listening(t, 8)
	fd := socket(t, unix.AF_INET)
	if err := connect(fd, nobody); !errors.Is(err, unix.ECONNREFUSED) {
		t.Fatalf("connect to nobody: got %v, want ECONNREFUSED", err)
	}
	must(t, connect(fd, port))
	a := accepted(t, l)
	unix.Close(fd)
	unix.Close(a)
	me := os.Getpid()
	return func(t *testing.T, rows []runtimetest.Row) {
		checkRows(t, onPort(rows, nobody), row{"event": "connect", "outcome": "failed", "error": "ECONNREFUSED", "who.pid": me, "who_of": "caller",
			"local": "127.0.0.1", "peer": "127.0.0.1", "peer_port": nobody})
		found := onPort(rows, port)
		checkRows(t, kind(found, "listen"), row{"who.pid": me, "local": "127.0.0.1", "local_port": port})
		checkRows(t, kind(found, "connect"), row{"outcome": "established", "error": nil, "who.pid": me, "peer_port": port})
		checkRows(t, kind(found, "accept"), row{"who.pid": me, "who_of": "listener", "local_port": port})
		if n := len(kind(found, "close")); n != 2 {
			t.Errorf("got %d close events, want 2", n)
		}
	}
}

func refusedIPv6(t *testing.T) func(*testing.T, []runtimetest.Row) {
	gone := bound(t, 0)
	nobody := portOf(t, gone)
	unix.Close(gone)
	mapped := [16]byte{10: 0xff, 11: 0xff, 12: 127, 15: 1}
	for _, address := range [][16]byte{{15: 1}, mapped} {
		fd := socket(t, unix.AF_INET6)
		if err := unix.Connect(fd, &unix.SockaddrInet6{Port: nobody, Addr: address}); !errors.Is(err, unix.ECONNREFUSED) {
			t.Fatalf("connect to nobody: got %v, want ECONNREFUSED", err)
		}
		unix.Close(fd)
	}
	return func(t *testing.T, rows []runtimetest.Row) {
		checkRows(t, onPort(rows, nobody),
			row{"event": "connect", "error": "ECONNREFUSED", "local": "::1", "peer": "::1"},
			row{"event": "connect", "error": "ECONNREFUSED", "local": "127.0.0.1", "peer": "127.0.0.1"})
	}
}

// abandoned: nobody accepts, the queue is full, and the callers lose patience.
func abandoned(t *testing.T) func(*testing.T, []runtimetest.Row) {
	_, port := listening(t, 0)
	var callers []int
	for range 4 {
		fd := socket(t, unix.AF_INET)
		must(t, unix.SetNonblock(fd, true))
		if err := connect(fd, port); err != nil && !errors.Is(err, unix.EINPROGRESS) {
			t.Fatal(err)
		}
		callers = append(callers, fd)
	}
	time.Sleep(50 * time.Millisecond)
	for _, fd := range callers {
		unix.Close(fd)
	}
	return func(t *testing.T, rows []runtimetest.Row) {
		n := 0
		for _, r := range kind(onPort(rows, port), "connect") {
			if r.Text("outcome") == "abandoned" {
				n++
				if r.Int("latency") < 40e6 || r.Get("error") != nil || r.Text("who_of") != "caller" {
					t.Errorf("got %v, want 40 ms, no error, and the caller", r)
				}
			}
		}
		if n < 2 {
			t.Errorf("got %d abandoned attempts, want 2 or more", n)
		}
	}
}

// unsent: a second connection with the same ends cannot be.
func unsent(t *testing.T) func(*testing.T, []runtimetest.Row) {
	_, port := listening(t, 8)
	one := bound(t, 0, unix.SO_REUSEADDR, unix.SO_REUSEPORT)
	from := portOf(t, one)
	two := bound(t, from, unix.SO_REUSEADDR, unix.SO_REUSEPORT)
	must(t, connect(one, port))
	if err := connect(two, port); !errors.Is(err, unix.EADDRNOTAVAIL) {
		t.Fatalf("the same connection again: got %v, want EADDRNOTAVAIL", err)
	}
	unix.Close(two)
	unix.Close(one)
	return func(t *testing.T, rows []runtimetest.Row) {
		checkRows(t, kind(onPort(rows, from), "connect"),
			row{"outcome": "established"},
			row{"outcome": "unsent", "error": nil, "who_of": "caller", "who.pid": os.Getpid()})
	}
}

func reset(t *testing.T) func(*testing.T, []runtimetest.Row) {
	l, port := listening(t, 8)
	fd := socket(t, unix.AF_INET)
	must(t, connect(fd, port))
	from := portOf(t, fd)
	a := accepted(t, l)
	write(t, a, "abc")
	write(t, fd, "0123456789")
	must(t, unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}))
	unix.Close(fd)
	unix.Close(a)
	return func(t *testing.T, rows []runtimetest.Row) {
		checkRows(t, kind(onPort(rows, from), "close"),
			row{"role": "client", "error": nil, "sent": 10, "received": 3},
			row{"role": "server", "error": "ECONNRESET", "sent": 3, "received": 10})
	}
}

// toItself: one socket that calls its own port opens from both sides at once.
func toItself(t *testing.T) func(*testing.T, []runtimetest.Row) {
	fd := bound(t, 0)
	port := portOf(t, fd)
	must(t, connect(fd, port))
	write(t, fd, "self")
	unix.Close(fd)
	return func(t *testing.T, rows []runtimetest.Row) {
		checkRows(t, onPort(rows, port),
			row{"event": "connect", "outcome": "established", "who_of": "caller", "local_port": port, "peer_port": port},
			row{"event": "close", "role": "client"})
	}
}

// sharedPort: which of two listeners took a connection is known from the
// answer.
func sharedPort(t *testing.T) func(*testing.T, []runtimetest.Row) {
	one := startServer(t, "share", "0")
	port, err := strconv.Atoi(one.line(t))
	must(t, err)
	two := startServer(t, "share", strconv.Itoa(port))
	two.line(t)
	said := map[int64]string{} // the caller's port: the server's pid
	const n = 100
	for i := range n {
		if i == n/2 { // one goes away, the other stays
			one.Process.Kill()
			one.Wait()
			time.Sleep(50 * time.Millisecond)
		}
		c, err := net.Dial("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		must(t, err)
		pid, err := io.ReadAll(c)
		must(t, err)
		said[int64(c.LocalAddr().(*net.TCPAddr).Port)] = string(pid)
		c.Close()
	}
	return func(t *testing.T, rows []runtimetest.Row) {
		right, by := 0, map[int64]int{}
		for _, r := range kind(onPort(rows, port), "accept") {
			by[r.Int("who.pid")]++
			if said[r.Int("peer_port")] == strconv.FormatInt(r.Int("who.pid"), 10) {
				right++
			}
		}
		if right != n || len(by) != 2 {
			t.Errorf("got the right listener for %d of %d connections, accepted by %v, want all, by two", right, n, by)
		}
	}
}

// fastOpen: data travels with the first segment (RFC 7413).
func fastOpen(t *testing.T) func(*testing.T, []runtimetest.Row) {
	const setting = "/proc/sys/net/ipv4/tcp_fastopen"
	before, err := os.ReadFile(setting)
	must(t, err)
	must(t, os.WriteFile(setting, []byte("3"), 0o644))
	t.Cleanup(func() { os.WriteFile(setting, before, 0o644) })
	l := bound(t, 0)
	t.Cleanup(func() { unix.Close(l) })
	must(t, unix.SetsockoptInt(l, unix.IPPROTO_TCP, unix.TCP_FASTOPEN, 5))
	must(t, unix.Listen(l, 5))
	port := portOf(t, l)
	for range 2 { // with a cookie from the second on
		c := socket(t, unix.AF_INET)
		must(t, unix.Sendto(c, []byte("fast"), unix.MSG_FASTOPEN, &unix.SockaddrInet4{Port: port, Addr: loopback}))
		a := accepted(t, l)
		read(t, a)
		unix.Close(c)
		time.Sleep(10 * time.Millisecond)
		unix.Close(a)
	}
	return func(t *testing.T, rows []runtimetest.Row) {
		found := onPort(rows, port)
		for _, name := range []string{"connect", "accept"} {
			if n := len(kind(found, name)); n != 2 {
				t.Errorf("got %d %s events, want 2", n, name)
			}
		}
		for _, r := range kind(found, "close") {
			sent, received := int64(4), int64(0)
			if r.Text("role") == "server" {
				sent, received = received, sent
			}
			if r.Int("sent") != sent || r.Int("received") != received {
				t.Errorf("got %v, want %d bytes sent and %d received", r, sent, received)
			}
		}
	}
}

func read(t testing.TB, fd int) {
	t.Helper()
	_, err := unix.Read(fd, make([]byte, 100))
	must(t, err)
}

// kind are the rows of an event.
func kind(rows []runtimetest.Row, event string) (found []runtimetest.Row) {
	for _, r := range rows {
		if r.Text("event") == event {
			found = append(found, r)
		}
	}
	return found
}
