// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"encoding/binary"
	"fmt"
	"net"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/runtimetest"
)

// Interfaces come and go while an agent runs that watches those of their name:
// each packet of each is seen, once, and nothing of them is left.
func TestInterfacesThatComeLaterAreWatched(t *testing.T) {
	for _, h := range hearings {
		if h.probe == "went" {
			continue
		}
		t.Run(string(h.mechanism), func(t *testing.T) {
			g := by(h.mechanism, alone(h.grain(), h.probe))
			if lacking(t, h.mechanism, g) {
				return
			}
			agent := start(t, runtime.Options{On: map[string][]string{g.Name + "." + h.probe: {"ingrain[0]"}}}, g)
			const rounds, packets = 3, 50
			for round := range rounds {
				makePair(t, "ingrain0", "ingrain9")
				send := sender(t, "ingrain9")
				port := func(kind, n int) int { return 1000*(2*round+kind) + n + 1 }
				from := func(port int) func(runtimetest.Row) bool {
					return func(r runtimetest.Row) bool {
						return r.Text("event") == "packet" && has(r, map[string]string{"from_port": fmt.Sprint(port)})
					}
				}
				answered, ended := make(chan struct{}), make(chan struct{})
				go func() {
					defer close(ended)
					for tick := time.NewTicker(20 * time.Millisecond); ; {
						select {
						case <-tick.C:
							send(port(0, 0))
						case <-answered:
							return
						}
					}
				}()
				func() {
					defer func() { close(answered); <-ended }()
					agent.WaitFor(1, from(port(0, 0))) // it is watched
				}()
				for n := range packets {
					send(port(1, n))
				}
				agent.WaitFor(1, from(port(1, packets-1)))
				removeInterface(t, "ingrain0")
			}
			rows, _ := stop(t, agent)
			for round := range rounds {
				for n := range packets {
					if got := count(rows, "packet", map[string]string{"from_port": fmt.Sprint(1000*(2*round+1) + n + 1)}); got != 1 {
						t.Errorf("interface %d, packet %d: got it %d times, want 1", round, n, got)
					}
				}
			}
		})
	}
}

// sender sends datagrams out of an interface, as frames of its own making.
func sender(t *testing.T, name string) func(port int) {
	t.Helper()
	i, err := net.InterfaceByName(name)
	if err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	return func(port int) {
		frame := slices.Concat([]byte{
			255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 1, 8, 0,
			0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 10, 9, 8, 7, 10, 9, 8, 6, // IPv4, of UDP
		}, binary.BigEndian.AppendUint16(nil, uint16(port)), []byte{0, 9, 0, 8, 0, 0}, make([]byte, 18))
		if err := unix.Sendto(fd, frame, 0, &unix.SockaddrLinklayer{Ifindex: i.Index}); err != nil && err != unix.ENETDOWN && err != unix.ENXIO {
			t.Errorf("send: %v", err)
		}
	}
}

// makePair makes two interfaces of which each receives what the other sends, and
// turns them on.
func makePair(t *testing.T, name, peer string) {
	t.Helper()
	nested := func(kind uint16, parts ...[]byte) []byte {
		return attribute(kind|unix.NLA_F_NESTED, slices.Concat(parts...))
	}
	const vethInfoPeer = 1
	link := slices.Concat(make([]byte, unix.SizeofIfInfomsg),
		attribute(unix.IFLA_IFNAME, append([]byte(name), 0)),
		nested(unix.IFLA_LINKINFO,
			attribute(unix.IFLA_INFO_KIND, []byte("veth")),
			nested(unix.IFLA_INFO_DATA, nested(vethInfoPeer, make([]byte, unix.SizeofIfInfomsg), attribute(unix.IFLA_IFNAME, append([]byte(peer), 0))))))
	_ = netlink(unix.RTM_DELLINK, 0, named(name)) // of a run that was killed
	if err := netlink(unix.RTM_NEWLINK, unix.NLM_F_CREATE|unix.NLM_F_EXCL, link); err != nil {
		t.Fatalf("make veth: %v", err)
	}
	for _, n := range []string{name, peer} {
		up := make([]byte, unix.SizeofIfInfomsg)
		binary.NativeEndian.PutUint32(up[8:], unix.IFF_UP)
		binary.NativeEndian.PutUint32(up[12:], unix.IFF_UP)
		if err := netlink(unix.RTM_NEWLINK, 0, append(up, attribute(unix.IFLA_IFNAME, append([]byte(n), 0))...)); err != nil {
			t.Fatalf("turn %s on: %v", n, err)
		}
	}
	t.Cleanup(func() { _ = netlink(unix.RTM_DELLINK, 0, named(name)) })
}

func removeInterface(t *testing.T, name string) {
	t.Helper()
	if err := netlink(unix.RTM_DELLINK, 0, named(name)); err != nil {
		t.Fatalf("remove %s: %v", name, err)
	}
}

func named(name string) []byte {
	return append(make([]byte, unix.SizeofIfInfomsg), attribute(unix.IFLA_IFNAME, append([]byte(name), 0))...)
}

// attribute is a struct rtattr and its value.
func attribute(kind uint16, value []byte) []byte {
	b := binary.NativeEndian.AppendUint16(nil, uint16(4+len(value)))
	b = append(binary.NativeEndian.AppendUint16(b, kind), value...)
	return append(b, make([]byte, (4-len(b)%4)%4)...)
}

// netlink makes a request that the kernel answers with an error number or 0.
func netlink(kind, flags uint16, body []byte) error {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	head := binary.NativeEndian.AppendUint32(nil, uint32(unix.NLMSG_HDRLEN+len(body)))
	head = binary.NativeEndian.AppendUint16(head, kind)
	head = binary.NativeEndian.AppendUint16(head, flags|unix.NLM_F_REQUEST|unix.NLM_F_ACK)
	head = append(head, make([]byte, 8)...)
	if err := unix.Sendto(fd, append(head, body...), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return err
	}
	answer := make([]byte, 4096)
	n, _, err := unix.Recvfrom(fd, answer, 0)
	if err != nil {
		return err
	}
	if n < unix.NLMSG_HDRLEN+4 {
		return fmt.Errorf("got %d bytes", n)
	}
	if code := int32(binary.NativeEndian.Uint32(answer[unix.NLMSG_HDRLEN:])); code != 0 {
		return unix.Errno(-code)
	}
	return nil
}
