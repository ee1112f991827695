// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// side is one end of a conversation, as the tables of net name it.
type side struct {
	Protocol, Role, Peer string
	Port                 int
}

// moved is what a side sent or received.
type moved struct {
	side
	Way   string // "sent", "received" or uringSpliced
	Bytes int64
	Calls int64 // anyCalls where the kernel divides a call as it likes
}

const anyCalls = -1

// uringSpliced is what io_uring took from a socket by splice: received, where
// net runs with function probes, and not seen elsewhere.
const uringSpliced = "uring-splice"

// tally is the load's own count.
type tally struct {
	mu  sync.Mutex
	all []moved
}

// add counts calls that moved n bytes in all.
func (t *tally) add(way string, s side, n, calls int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := slices.IndexFunc(t.all, func(m moved) bool { return m.side == s && m.Way == way })
	if i < 0 {
		t.all = append(t.all, moved{side: s, Way: way})
		i = len(t.all) - 1
	}
	m := &t.all[i]
	m.Bytes += int64(n)
	if m.Calls += int64(calls); calls == anyCalls {
		m.Calls = anyCalls
	}
}

func (t *tally) sent(s side, n, calls int)     { t.add("sent", s, n, calls) }
func (t *tally) received(s side, n, calls int) { t.add("received", s, n, calls) }

// check ends the load when a call did not do what the scenario needs.
func check0(err error) {
	if err != nil {
		panic(err)
	}
}

func need[T any](v T, err error) T {
	check0(err)
	return v
}

// conversation is two sockets that are connected, and what net calls them.
type conversation struct {
	client, server int
	c, s           side
}

func (c conversation) close() {
	check0(unix.Close(c.client))
	check0(unix.Close(c.server))
}

// sockaddr is an address and a port for a socket of a family.
func sockaddr(family int, address string, port int) unix.Sockaddr {
	ip := netip.MustParseAddr(address)
	if family == unix.AF_INET6 {
		return &unix.SockaddrInet6{Addr: ip.As16(), Port: port}
	}
	return &unix.SockaddrInet4{Addr: ip.As4(), Port: port}
}

func portOfSocket(fd int) int {
	switch at := need(unix.Getsockname(fd)).(type) {
	case *unix.SockaddrInet4:
		return at.Port
	case *unix.SockaddrInet6:
		return at.Port
	}
	panic("no internet socket")
}

// talk connects two TCP sockets. The addresses are of the families' own, or
// one of IPv4 in an IPv6 socket, ::ffff:127.0.0.1. The listener stays until the
// load ends, as one of a service does.
func talk(family int, address string, protocol int) conversation {
	l := need(unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, protocol))
	check0(unix.Bind(l, sockaddr(family, address, 0)))
	check0(unix.Listen(l, 8))
	port := portOfSocket(l)
	c := need(unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, protocol))
	check0(unix.Connect(c, sockaddr(family, address, port)))
	s, _, err := unix.Accept(l)
	check0(err)
	name := "tcp"
	if protocol == unix.IPPROTO_MPTCP {
		name = "mptcp"
	}
	peer := netip.MustParseAddr(address).Unmap().String()
	return conversation{c, s, side{name, "client", peer, port}, side{name, "server", peer, port}}
}

// datagrams are two UDP sockets, of which the server's has chosen its port.
// They are not connected.
func datagrams(family int, address string) conversation {
	s := need(unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0))
	check0(unix.Bind(s, sockaddr(family, address, 0)))
	port := portOfSocket(s)
	check0(unix.Close(s)) // bind(2) to a port says that it was chosen
	s = need(unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0))
	check0(unix.Bind(s, sockaddr(family, address, port)))
	c := need(unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0))
	peer := netip.MustParseAddr(address).Unmap().String()
	return conversation{c, s, side{"udp", "client", peer, port}, side{"udp", "server", peer, port}}
}

// mmsghdr is struct mmsghdr (sendmmsg(2)).
type mmsghdr struct {
	unix.Msghdr
	n uint32
	_ [4]byte
}

// messages are n messages of a byte more each, from size on, to or from an
// address, or nobody.
func messages(n, size int, to *unix.RawSockaddrInet4) []mmsghdr {
	all := make([]mmsghdr, n)
	for i := range all {
		buffer := make([]byte, size+i)
		all[i].Iov = &unix.Iovec{Base: &buffer[0], Len: uint64(len(buffer))}
		all[i].Iovlen = 1
		if to != nil {
			all[i].Name, all[i].Namelen = (*byte)(unsafe.Pointer(to)), unix.SizeofSockaddrInet4
		}
	}
	return all
}

// many is sendmmsg or recvmmsg; it returns how many bytes it moved.
func many(call uintptr, fd int, all []mmsghdr) int {
	n, _, errno := unix.Syscall6(call, uintptr(fd), uintptr(unsafe.Pointer(&all[0])), uintptr(len(all)), 0, 0, 0)
	if errno != 0 || int(n) != len(all) {
		panic(fmt.Sprintf("%d of %d messages: %v", n, len(all), errno))
	}
	bytes := 0
	for i := range all {
		bytes += int(all[i].n)
	}
	return bytes
}

// moves is a role: "move" makes conversations in each way there is, some of
// them with sockets that it has opened before its parent's first line, and
// prints what it moved. It says "ready" before that line.
func moves([]string) error {
	older := talk(unix.AF_INET, "127.0.0.1", 0)
	write2(older.client, 100)
	read2(older.server, 100)
	early := talk(unix.AF_INET6, "::1", 0)
	fmt.Println("ready")
	if _, err := fmt.Scanln(); err != nil && !strings.Contains(err.Error(), "newline") {
		return err
	}
	t := &tally{}
	t.streams(older)
	t.spliced(early, talk(unix.AF_INET, "127.0.0.1", 0))
	for _, to := range []struct {
		family  int
		address string
	}{{unix.AF_INET, "127.0.0.1"}, {unix.AF_INET6, "::1"}, {unix.AF_INET6, "::ffff:127.0.0.1"}} {
		t.streams(talk(to.family, to.address, 0))
		t.files(talk(to.family, to.address, 0))
		t.spliced(talk(to.family, to.address, 0), talk(to.family, to.address, 0))
		t.connected(datagrams(to.family, to.address), to.family, to.address)
		t.named(datagrams(to.family, to.address), to.family, to.address)
		t.fileInDatagrams(datagrams(to.family, to.address), to.family, to.address)
	}
	t.manyMessages()
	t.notMoved()
	t.zerocopy(talk(unix.AF_INET, "127.0.0.1", 0))
	t.multipath()
	if err := t.uring(); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(t.all)
}

func write2(fd, n int) {
	if got := need(unix.Write(fd, make([]byte, n))); got != n {
		panic(fmt.Sprintf("wrote %d bytes, want %d", got, n))
	}
}

func read2(fd, n int) {
	if got := need(unix.Read(fd, make([]byte, n+1))); got != n {
		panic(fmt.Sprintf("read %d bytes, want %d", got, n))
	}
}

// streams uses each system call for a stream. What is asked for is never what
// comes: buffers are larger.
func (t *tally) streams(c conversation) {
	defer c.close()
	room := make([]byte, 1000)

	write2(c.client, 11)
	t.sent(c.c, 11, 1)
	read2(c.server, 11)
	t.received(c.s, 11, 1)

	check0(unix.Sendto(c.server, make([]byte, 22), 0, nil))
	t.sent(c.s, 22, 1)
	n, _, err := unix.Recvfrom(c.client, room, 0)
	check0(err)
	t.received(c.c, n, 1)

	n = need(unix.Writev(c.client, [][]byte{make([]byte, 30), make([]byte, 3)}))
	t.sent(c.c, n, 1)
	n = need(unix.Readv(c.server, [][]byte{make([]byte, 7), make([]byte, 700)}))
	t.received(c.s, n, 1)

	n = need(unix.SendmsgN(c.client, make([]byte, 44), nil, nil, unix.MSG_NOSIGNAL))
	t.sent(c.c, n, 1)
	n, _, _, _, err = unix.Recvmsg(c.server, room, nil, 0)
	check0(err)
	t.received(c.s, n, 1)

	t.sent(c.c, many(unix.SYS_SENDMMSG, c.client, messages(3, 55, nil)), 3)
	n, _, err = unix.Recvfrom(c.server, make([]byte, 55+56+57), unix.MSG_WAITALL)
	check0(err)
	t.received(c.s, n, 1)

	// A look is no receipt, and neither is what did not come.
	write2(c.client, 66)
	t.sent(c.c, 66, 1)
	n, _, err = unix.Recvfrom(c.server, room, unix.MSG_PEEK)
	check0(err)
	if n != 66 {
		panic("MSG_PEEK")
	}
	n, _, err = unix.Recvfrom(c.server, room[:60], unix.MSG_TRUNC) // away with it
	check0(err)
	t.received(c.s, n, 1)
	read2(c.server, 6)
	t.received(c.s, 6, 1)
	if _, _, err = unix.Recvfrom(c.server, room, unix.MSG_DONTWAIT); !errors.Is(err, unix.EAGAIN) {
		panic(err)
	}
	check0(unix.Send(c.client, []byte{1}, unix.MSG_OOB))
	t.sent(c.c, 1, 1)
	n, _, err = unix.Recvfrom(c.server, room, unix.MSG_OOB)
	check0(err)
	t.received(c.s, n, 1)
	check0(unix.Shutdown(c.client, unix.SHUT_WR))
	read2(c.server, 0)
}

// files sends a file with sendfile(2), while somebody reads.
func (t *tally) files(c conversation) {
	defer c.close()
	const size = 300_000
	f := need(os.CreateTemp("", "ingrain-sendfile"))
	defer os.Remove(f.Name())
	defer f.Close()
	need(f.Write(make([]byte, size)))
	var wait sync.WaitGroup
	wait.Go(func() {
		for left, room := size, make([]byte, 10_000); left > 0; {
			n := need(unix.Read(c.client, room))
			t.received(c.c, n, 1)
			left -= n
		}
	})
	for at := int64(0); at < size; {
		n := need(unix.Sendfile(c.server, int(f.Fd()), &at, 77_777))
		t.sent(c.s, n, anyCalls)
	}
	wait.Wait()
}

// spliced carries from one conversation to another by splice(2), beside what
// is read in the usual way before and after, and up to the end.
func (t *tally) spliced(from, to conversation) {
	defer from.close()
	defer to.close()
	var pipe [2]int
	check0(unix.Pipe2(pipe[:], unix.O_CLOEXEC))
	defer unix.Close(pipe[0])
	defer unix.Close(pipe[1])
	carry := func(n int) {
		write2(from.client, n)
		t.sent(from.c, n, 1)
		got := int(need(unix.Splice(from.server, nil, pipe[1], nil, n, 0)))
		t.received(from.s, got, 1)
		for got > 0 {
			sent := int(need(unix.Splice(pipe[0], nil, to.client, nil, got, 0)))
			t.sent(to.c, sent, anyCalls)
			got -= sent
		}
		read, _, err := unix.Recvfrom(to.server, make([]byte, n), unix.MSG_WAITALL)
		check0(err)
		t.received(to.s, read, 1)
	}
	carry(5000)
	carry(1)
	write2(from.client, 10)
	t.sent(from.c, 10, 1)
	read2(from.server, 10)
	t.received(from.s, 10, 1)
	carry(9000)
	write2(from.client, 7)
	t.sent(from.c, 7, 1)
	check0(unix.Shutdown(from.client, unix.SHUT_WR))
	for _, want := range []int64{7, 0} {
		if got := need(unix.Splice(from.server, nil, pipe[1], nil, 1000, 0)); got != want {
			panic(fmt.Sprintf("the last splices carried %d bytes, want %d", got, want))
		}
	}
	t.received(from.s, 7, 1)
}

// connected are datagrams between sockets that are connected, from the second
// on also the server's.
func (t *tally) connected(c conversation, family int, address string) {
	defer c.close()
	check0(unix.Connect(c.client, sockaddr(family, address, c.c.Port)))
	write2(c.client, 100)
	t.sent(c.c, 100, 1)
	_, from, err := unix.Recvfrom(c.server, make([]byte, 1000), 0)
	check0(err)
	t.received(c.s, 100, 1)
	check0(unix.Connect(c.server, from))
	for i := range 5 { // the first is empty
		write2(c.server, i)
		t.sent(c.s, i, 1)
		_, _, err := unix.Recvfrom(c.client, make([]byte, 1000), unix.MSG_PEEK)
		check0(err)
		read2(c.client, i)
		t.received(c.c, i, 1)
	}
	// MSG_TRUNC asks how long it was.
	write2(c.client, 100)
	t.sent(c.c, 100, 1)
	n, _, err := unix.Recvfrom(c.server, make([]byte, 10), unix.MSG_TRUNC)
	check0(err)
	t.received(c.s, n, 1)
}

// named are datagrams whose other end is in the call.
func (t *tally) named(c conversation, family int, address string) {
	defer c.close()
	at := sockaddr(family, address, c.c.Port)
	room := make([]byte, 1000)
	check0(unix.Sendto(c.client, make([]byte, 10), 0, at))
	t.sent(c.c, 10, 1)
	n, from, err := unix.Recvfrom(c.server, room, 0)
	check0(err)
	t.received(c.s, n, 1)
	check0(unix.Sendto(c.server, make([]byte, 20), 0, from))
	t.sent(c.s, 20, 1)
	// Who does not ask whom it is from is not told, and neither are we.
	nobody := map[int]string{unix.AF_INET: "0.0.0.0", unix.AF_INET6: "::"}[family]
	read2(c.client, 20)
	t.received(side{"udp", "client", nobody, 0}, 20, 1)
	t.sent(c.c, need(unix.SendmsgN(c.client, make([]byte, 30), nil, at, 0)), 1)
	n, _, _, _, err = unix.Recvmsg(c.server, room, nil, 0)
	check0(err)
	t.received(c.s, n, 1)
	// A socket that is connected may send to others.
	other := datagrams(family, address)
	defer other.close()
	check0(unix.Connect(c.client, at))
	check0(unix.Sendto(c.client, make([]byte, 40), 0, sockaddr(family, address, other.c.Port)))
	t.sent(other.c, 40, 1)
	read2(other.server, 40)
	t.received(side{"udp", "server", nobody, other.s.Port}, 40, 1)
	write2(c.client, 50)
	t.sent(c.c, 50, 1)
	n, _, err = unix.Recvfrom(c.server, room, 0)
	check0(err)
	t.received(c.s, n, 1)
	// Nobody is there: the second call says so.
	check0(unix.Close(other.server))
	other.server = need(unix.Dup(other.client))
	check0(unix.Connect(other.client, sockaddr(family, address, other.c.Port)))
	write2(other.client, 60)
	t.sent(other.c, 60, 1)
	if _, err := unix.Write(other.client, []byte{1}); !errors.Is(err, unix.ECONNREFUSED) {
		panic(err)
	}
}

// fileInDatagrams sends a file with sendfile(2) through a UDP socket.
func (t *tally) fileInDatagrams(c conversation, family int, address string) {
	defer c.close()
	f := need(os.CreateTemp("", "ingrain-sendfile"))
	defer os.Remove(f.Name())
	defer f.Close()
	need(f.Write(make([]byte, 1000)))
	check0(unix.Connect(c.client, sockaddr(family, address, c.c.Port)))
	n := need(unix.Sendfile(c.client, int(f.Fd()), new(int64), 1000))
	t.sent(c.c, n, anyCalls)
	n, _, err := unix.Recvfrom(c.server, make([]byte, 2000), 0)
	check0(err)
	t.received(c.s, n, 1)
}

// manyMessages are sendmmsg(2) and recvmmsg(2), to several at once.
func (t *tally) manyMessages() {
	one, two := datagrams(unix.AF_INET, "127.0.0.1"), datagrams(unix.AF_INET, "127.0.0.1")
	defer one.close()
	defer two.close()
	all := messages(4, 100, nil)
	for i := range all {
		to := &unix.RawSockaddrInet4{Family: unix.AF_INET, Addr: loopback}
		port := []int{one.c.Port, two.c.Port}[i%2]
		to.Port = uint16(port>>8 | port<<8)
		all[i].Name, all[i].Namelen = (*byte)(unsafe.Pointer(to)), unix.SizeofSockaddrInet4
	}
	many(unix.SYS_SENDMMSG, one.client, all)
	t.sent(one.c, 100+102, 2)
	t.sent(two.c, 101+103, 2)
	t.received(one.s, many(unix.SYS_RECVMMSG, one.server, messages(2, 1000, &unix.RawSockaddrInet4{})), 2)
	t.received(two.s, many(unix.SYS_RECVMMSG, two.server, messages(2, 1000, &unix.RawSockaddrInet4{})), 2)
}

// notMoved are calls that fail, and what is read from a socket's queue of
// errors: a datagram that came back.
func (t *tally) notMoved() {
	c := datagrams(unix.AF_INET, "127.0.0.1")
	defer c.close()
	check0(unix.SetsockoptInt(c.client, unix.SOL_IP, unix.IP_RECVERR, 1))
	check0(unix.Close(c.server))
	c.server = need(unix.Dup(c.client))
	check0(unix.Connect(c.client, sockaddr(unix.AF_INET, "127.0.0.1", c.c.Port)))
	write2(c.client, 70)
	t.sent(c.c, 70, 1)
	if n, _, _, _, err := unix.Recvmsg(c.client, make([]byte, 1000), make([]byte, 1000), unix.MSG_ERRQUEUE); err != nil || n != 70 {
		panic(fmt.Sprintf("the queue of errors: %d bytes, %v", n, err))
	}
	s := talk(unix.AF_INET, "127.0.0.1", 0)
	defer s.close()
	check0(unix.Shutdown(s.client, unix.SHUT_WR))
	if err := unix.Sendto(s.client, []byte{1}, unix.MSG_NOSIGNAL, nil); !errors.Is(err, unix.EPIPE) {
		panic(err)
	}
}

// zerocopy sends what the kernel does not copy.
func (t *tally) zerocopy(c conversation) {
	defer c.close()
	check0(unix.SetsockoptInt(c.client, unix.SOL_SOCKET, unix.SO_ZEROCOPY, 1))
	check0(unix.Send(c.client, make([]byte, 20_000), unix.MSG_ZEROCOPY))
	t.sent(c.c, 20_000, 1)
	n, _, err := unix.Recvfrom(c.server, make([]byte, 20_000), unix.MSG_WAITALL)
	check0(err)
	t.received(c.s, n, 1)
}

// multipath uses Multipath TCP, where the kernel has it.
func (t *tally) multipath() {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_MPTCP)
	if err != nil {
		return
	}
	unix.Close(fd)
	c := talk(unix.AF_INET, "127.0.0.1", unix.IPPROTO_MPTCP)
	defer c.close()
	write2(c.client, 88)
	t.sent(c.c, 88, 1)
	read2(c.server, 88)
	t.received(c.s, 88, 1)
}
