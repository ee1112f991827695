// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/redsift/ingraind/generated/dns"
	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/runtimetest"
)

// watchDNS runs the grain with another port and a timeout.
func watchDNS(t *testing.T, port int, timeout time.Duration) *runtimetest.Agent {
	t.Helper()
	rings := int64(64 << 20) // for all of a test: a busy machine may not let the reader run
	if underEmulation() {
		rings = 0
	}
	return runtimetest.Start(t, runtime.Options{Rings: rings, Params: map[string]int64{"dns.port": int64(port), "dns.timeout": int64(timeout)}}, dns.New())
}

// ofPort are rows of an event of sockets of a port.
func ofPort(rows []runtimetest.Row, event string, port int) (found []runtimetest.Row) {
	for _, r := range rows {
		if r.Text("event") == event && (r.Int("local_port") == int64(port) || r.Int("peer_port") == int64(port)) {
			found = append(found, r)
		}
	}
	return found
}

// skipped are how many skips there were, by reason.
func skipped(rows []runtimetest.Row) map[string]int64 {
	all := map[string]int64{}
	for _, r := range rows {
		if r.Text("table") == "skips" {
			all[r.Text("reason")] += r.Int("skips")
		}
	}
	return all
}

func TestMessagesOverTCPAreFoundInSegments(t *testing.T) {
	client, server, port := twoEnds(t)
	agent := watchDNS(t, port, time.Second)
	sizes := map[int]int{}
	message := func(id int, more ...byte) []byte {
		m := asking(id, "over.tcp.test", more...)
		sizes[id] = len(m)
		return framed(m)
	}
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	single := message(1)
	say(t, client, server, single)
	prefix := message(2)
	say(t, client, server, prefix[:2], prefix[2:])
	for _, b := range message(3) {
		say(t, client, server, []byte{b})
	}
	say(t, client, server, join(message(4), message(5)), join(message(6), message(7), message(8), message(9)))
	half := message(11)
	say(t, client, server, join(message(10), half[:20]), join(half[20:], message(12)))
	split := message(13)
	say(t, client, server, join(message(14), split[:1]), split[1:])
	large := message(15, padding(5000)...)
	say(t, client, server, large)
	most := message(16, padding(60000)...)
	say(t, client, server, most[:3000], most[3000:30000], most[30000:])
	exact := message(17, padding(4096-len(asking(0, "over.tcp.test")))...)
	say(t, client, server, exact)
	say(t, client, server, message(18))
	rows, _ := agent.Stop()
	count := map[string]int{}
	for _, r := range ofPort(rows, "query", port) {
		id := int(r.Int("id"))
		count[fmt.Sprint(id, r.Text("direction"))]++
		if got, want := r.Int("size"), int64(sizes[id]); got != want {
			t.Errorf("message %d: got %d bytes, want %d", id, got, want)
		}
		flaw := any(nil)
		if sizes[id] > 4096 {
			flaw = "short"
		}
		if r.Text("question") != "over.tcp.test" || r.Text("transport") != "tcp" || r.Get("flaw") != flaw {
			t.Errorf("message %d: got %v", id, r)
		}
	}
	for id := range sizes {
		for _, direction := range []string{"out", "in"} {
			if n := count[fmt.Sprint(id, direction)]; n != 1 {
				t.Errorf("message %d %s: got %d rows, want 1", id, direction, n)
			}
		}
	}
	if got := skipped(rows); len(got) != 0 {
		t.Errorf("got skips %v, want none", got)
	}
}

func TestWhatIsNotReportedIsCounted(t *testing.T) {
	client, server, port := twoEnds(t)
	const timeout = 300 * time.Millisecond
	agent := watchDNS(t, port, timeout)
	// Each is counted on its way out and in.
	var many []byte
	for id := range 7 { // of which four are looked at
		many = append(many, framed(asking(id, "many.test"))...)
	}
	say(t, client, server, many)
	noise := make([]byte, 200)
	for i := range noise {
		noise[i] = byte(rand.Uint32())
	}
	copy(noise, "\x00\x64no dns")
	say(t, client, server, noise)
	half := framed(asking(7, "half.test"))
	say(t, client, server, half[:20]) // and never the rest
	udp, err := net.ListenPacket("udp", fmt.Sprint("127.0.0.1:", port))
	must(t, err)
	defer udp.Close()
	c, err := net.Dial("udp", udp.LocalAddr().String())
	must(t, err)
	defer c.Close()
	for _, datagram := range [][]byte{{1, 2, 3}, noise, make([]byte, 11)} {
		if _, err := c.Write(datagram); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(timeout + 1500*time.Millisecond) // until somebody has swept
	rows, _ := agent.Stop()
	got := skipped(rows)
	for reason, want := range map[string]int64{"too_many": 2, "no_message": 2 + 6, "gap": 2} {
		if got[reason] != want {
			t.Errorf("got %d skips for %s, want %d", got[reason], reason, want)
		}
	}
	if n := len(ofPort(rows, "query", port)); n != 8 {
		t.Errorf("got %d questions, want 8: four, out and in", n)
	}
}

func TestQuestionsWithoutAnAnswerAreReported(t *testing.T) {
	_, port := silent(t)
	const timeout = 500 * time.Millisecond
	agent := watchDNS(t, port, timeout)
	c, err := net.Dial("udp", fmt.Sprint("127.0.0.1:", port))
	must(t, err)
	defer c.Close()
	for _, id := range []int{1, 2, 2, 2, 3} { // one is sent three times
		if _, err := c.Write(asking(id, "silent.test")); err != nil {
			t.Fatal(err)
		}
	}
	rows := agent.Wait("unanswered", 6) // out and in
	got := map[string]int{}
	for _, r := range ofPort(rows, "unanswered", port) {
		got[fmt.Sprint(r.Int("id"), r.Text("direction"), r.Int("tries"))]++
		if waited := time.Duration(r.Int("waited")); waited < timeout || r.Text("question") != "silent.test" || r.Text("type") != "A" {
			t.Errorf("got %v, want it to have waited %v", r, timeout)
		}
		if r.Text("direction") == "out" && (r.Int("who.pid") != int64(os.Getpid()) || r.Text("who_of") != "sender") {
			t.Errorf("got %v, want it to be ours", r)
		}
	}
	for _, want := range []string{"1out1", "1in1", "2out3", "2in3", "3out1", "3in1"} {
		if got[want] != 1 {
			t.Errorf("got %v, want one %s", got, want)
		}
	}
	rows, _ = agent.Stop()
	var tries []int64
	for _, r := range ofPort(rows, "query", port) {
		if r.Int("id") == 2 && r.Text("direction") == "out" {
			tries = append(tries, r.Int("tries"))
		}
	}
	if fmt.Sprint(tries) != "[1 2 3]" {
		t.Errorf("got tries %v, want 1, 2 and 3", tries)
	}
}

// More questions at once than are remembered: all are rows, those without room
// say so, and once the others have waited long enough there is room again.
func TestQuestionsBeyondTheBoundAreCounted(t *testing.T) {
	_, port := silent(t)
	const timeout = 3 * time.Second
	agent := watchDNS(t, port, timeout)
	c, err := net.Dial("udp", fmt.Sprint("127.0.0.1:", port))
	must(t, err)
	defer c.Close()
	const sent, room = 3000, 4096 // each is remembered by both ends
	for id := range sent {
		if _, err := c.Write(asking(id, "bound.test")); err != nil {
			t.Fatal(err)
		}
	}
	agent.Wait("unanswered", room)
	if _, err := c.Write(asking(sent, "again.test")); err != nil {
		t.Fatal(err)
	}
	agent.WaitFor(2, func(r runtimetest.Row) bool {
		return r.Text("event") == "unanswered" && r.Text("question") == "again.test"
	})
	rows, _ := agent.Stop()
	var queries, forgotten int64
	for _, r := range ofPort(rows, "query", port) {
		queries++
		if r.Int("tries") == 0 {
			forgotten++
		}
	}
	// The socket's queue may be full before: then a question goes out and does not come.
	if queries < sent+room/2 || forgotten < 1 || queries-forgotten != int64(len(ofPort(rows, "unanswered", port))) {
		t.Errorf("got %d questions, %d of them not remembered and %d unanswered, want all accounted for", queries, forgotten, len(ofPort(rows, "unanswered", port)))
	}
	if got := skipped(rows)["no_room"]; got != forgotten {
		t.Errorf("got %d skips for no_room, want %d", got, forgotten)
	}
}

func TestEachOfManyQuestionsIsMatched(t *testing.T) {
	server := startServer(t, "answer")
	port, err := strconv.Atoi(server.line(t))
	must(t, err)
	agent := watchDNS(t, port, 5*time.Second)
	const askers = 4
	n := max(scale(2500), 100)
	var pids []int
	var running []func() error
	for range askers {
		cmd := role(t, "ask", fmt.Sprint("127.0.0.1:", port), strconv.Itoa(n))
		must(t, cmd.Start())
		pids, running = append(pids, cmd.Process.Pid), append(running, cmd.Wait)
	}
	for _, wait := range running {
		must(t, wait())
	}
	rows, ledger := agent.Stop()
	type row struct {
		event, direction string
		port, id         int64
	}
	seen := map[row]int{}
	by := map[int64]int{}
	for _, event := range []string{"query", "answer"} {
		for _, r := range ofPort(rows, event, port) {
			other := r.Int("local_port") + r.Int("peer_port") - int64(port)
			seen[row{event, r.Text("direction"), other, r.Int("id")}]++
			if name := fmt.Sprintf("n%d.load.test", r.Int("id")); r.Text("question") != name {
				t.Fatalf("got %v, want the question %s", r, name)
			}
			if event == "answer" && r.Int("latency") <= 0 {
				t.Fatalf("got %v, want a latency", r)
			}
			if event == "answer" && r.Text("direction") == "in" {
				by[r.Int("who.pid")]++
				if who := r.Text("who_of"); who != "asker" {
					t.Fatalf("got %v, want it from its asker", r)
				}
			}
		}
	}
	if got, want := len(seen), 4*askers*n; got != want {
		t.Errorf("got %d messages, want %d", got, want)
	}
	for r, times := range seen {
		if times != 1 {
			t.Fatalf("got %v %d times, want once", r, times)
		}
	}
	for _, pid := range pids {
		if by[int64(pid)] != n {
			t.Errorf("got %d answers for %d, want %d", by[int64(pid)], pid, n)
		}
	}
	if lost := ledger.Losses(); lost != 0 {
		t.Errorf("%d events or rows were lost", lost)
	}
	if got := skipped(rows); len(got) != 0 {
		t.Errorf("got skips %v, want none", got)
	}
	if got := summed(rows, "names", "queries", func(r runtimetest.Row) bool { return strings.HasSuffix(r.Text("question"), ".load.test") }); got > 2*askers*int64(n) || got == 0 {
		t.Errorf("got %d questions in the table, want at most %d", got, 2*askers*n)
	}
}

// aloneInNamespace asks itself at port 53, and its neighbours, in a network
// namespace that has nothing but a loopback.
func aloneInNamespace([]string) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo); err != nil {
		return fmt.Errorf("bring up lo: %w", err)
	}
	server, err := net.ListenPacket("udp", "127.0.0.1:53")
	if err != nil {
		return err
	}
	defer server.Close()
	go func() { _ = answerAll(server) }()
	c, err := net.Dial("udp", "127.0.0.1:53")
	if err != nil {
		return err
	}
	defer c.Close()
	if err := ask(c, asking(1, "alone.test")); err != nil {
		return err
	}
	for _, group := range []struct {
		name string
		addr unix.SockaddrInet4
	}{{"mdns.local", unix.SockaddrInet4{Port: 5353, Addr: [4]byte{224, 0, 0, 251}}}, {"llmnr", unix.SockaddrInet4{Port: 5355, Addr: [4]byte{224, 0, 0, 252}}}} {
		if err := unix.SetsockoptInet4Addr(fd, unix.IPPROTO_IP, unix.IP_MULTICAST_IF, loopback); err != nil {
			return err
		}
		if err := unix.Sendto(fd, asking(0, group.name), 0, &group.addr); err != nil {
			return fmt.Errorf("send to %s: %w", group.name, err)
		}
	}
	return nil
}

func TestNamespacesAndMulticastAreSeen(t *testing.T) {
	agent := runtimetest.Start(t, runtime.Options{}, dns.New())
	cmd := role(t, "alone")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	must(t, cmd.Run())
	rows, _ := agent.Stop()
	ours := func(event, direction, question string) (found []runtimetest.Row) {
		for _, r := range rows {
			if r.Text("event") == event && r.Text("direction") == direction && r.Text("question") == question && (direction == "in" || r.Int("who.pid") == int64(cmd.Process.Pid)) {
				found = append(found, r)
			}
		}
		return found
	}
	for _, want := range []struct{ event, direction, question, service, peer string }{
		{"query", "out", "alone.test", "dns", "127.0.0.1"},
		{"query", "in", "alone.test", "dns", "127.0.0.1"},
		{"answer", "out", "alone.test", "dns", "127.0.0.1"},
		{"answer", "in", "alone.test", "dns", "127.0.0.1"},
		{"query", "out", "mdns.local", "mdns", "224.0.0.251"},
		{"query", "out", "llmnr", "llmnr", "224.0.0.252"},
	} {
		found := ours(want.event, want.direction, want.question)
		if len(found) != 1 || found[0].Text("service") != want.service || found[0].Text("peer") != want.peer {
			t.Errorf("got %v, want one %v", found, want)
		}
	}
}

// BenchmarkOtherPacket says what a packet costs that is not the DNS's, on its way
// out and in, while the grain runs and without it.
func BenchmarkOtherPacket(b *testing.B) {
	_, port := silent(b)
	c, err := net.Dial("udp", fmt.Sprint("127.0.0.1:", port))
	must(b, err)
	defer c.Close()
	raw, err := c.(*net.UDPConn).SyscallConn()
	must(b, err)
	fd := 0
	must(b, raw.Control(func(at uintptr) { fd = int(at) }))
	packet := []byte("x")
	compared(b, dns.New(), func() { _, _ = unix.Write(fd, packet) })
}
