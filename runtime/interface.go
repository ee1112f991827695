// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"syscall"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"
)

// netInterface is an interface of the agent's network namespace.
type netInterface struct {
	index int
	name  string
}

// interfaces are all there are.
func interfaces() ([]netInterface, error) {
	table, err := syscall.NetlinkRIB(syscall.RTM_GETLINK, syscall.AF_UNSPEC)
	if err != nil {
		return nil, fmt.Errorf("list interfaces: %w", err)
	}
	messages, err := syscall.ParseNetlinkMessage(table)
	if err != nil {
		return nil, fmt.Errorf("list interfaces: %w", err)
	}
	var all []netInterface
	for i := range messages {
		m := &messages[i]
		if m.Header.Type != syscall.RTM_NEWLINK || len(m.Data) < unix.SizeofIfInfomsg {
			continue
		}
		attributes, err := syscall.ParseNetlinkRouteAttr(m)
		if err != nil {
			return nil, fmt.Errorf("list interfaces: %w", err)
		}
		for _, a := range attributes {
			if a.Attr.Type == syscall.IFLA_IFNAME {
				index := int(nativeInt32(m.Data[4:])) // struct ifinfomsg
				all = append(all, netInterface{index, unix.ByteSliceToString(a.Value)})
			}
		}
	}
	return all, nil
}

// matching are the interfaces whose names match one of the patterns; with none
// all of them.
func matching(all []netInterface, patterns []string) []netInterface {
	if len(patterns) == 0 {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), func(i netInterface) bool {
		return !slices.ContainsFunc(patterns, func(pattern string) bool {
			match, err := path.Match(pattern, i.name)
			return match && err == nil
		})
	})
}

// serveInterface sees that there is an interface to attach to.
func (k *Kernel) serveInterface(c *choice) error {
	kinds := map[Mechanism]ebpf.ProgramType{XDP: ebpf.XDP, TCX: ebpf.SchedCLS, Clsact: ebpf.SchedCLS, Socket: ebpf.SocketFilter}
	if err := k.Programs(kinds[c.Mechanism]); err != nil {
		return err
	}
	if c.Mechanism == TCX {
		if err := k.TCX(); err != nil {
			return err
		}
	}
	all, err := interfaces()
	if err != nil {
		return err
	}
	if len(matching(all, c.on)) > 0 || slices.ContainsFunc(c.on, isNamePattern) {
		return nil // one that a pattern means may come
	}
	var names []string
	for _, i := range all {
		names = append(names, i.name)
	}
	return fmt.Errorf("no interface is called %s; there are %s", strings.Join(c.on, " or "), strings.Join(names, ", "))
}

// haveTCX asks who is at the first interface.
func haveTCX() error {
	_, err := link.QueryPrograms(link.QueryOptions{Target: 1, Attach: ebpf.AttachTCXIngress})
	switch {
	case err == nil, errors.Is(err, unix.ENODEV), errors.Is(err, unix.ENOENT):
		return nil
	case errors.Is(err, unix.EINVAL):
		return errors.New("this kernel has no tcx (since 6.6, CONFIG_NET_XGRESS)")
	}
	return fmt.Errorf("tcx: %s", explain(err))
}

// attachInterfaces attaches a program to each interface that matches now.
func (c *choice) attachInterfaces(program *ebpf.Program, keep func(io.Closer)) error {
	all, err := interfaces()
	if err != nil {
		return err
	}
	if c.Mechanism == Socket && len(c.on) == 0 {
		all = []netInterface{{0, "any"}} // one socket hears them all
	}
	for _, i := range matching(all, c.on) {
		attached, err := c.attachInterface(program, i)
		if err != nil {
			return fmt.Errorf("interface %s: %w", i.name, err)
		}
		keep(atInterface{attached, i.index})
	}
	return nil
}

// atInterface is an attachment to an interface.
type atInterface struct {
	io.Closer
	index int
}

// isNamePattern reports whether a name of interfaces means those that match it.
func isNamePattern(name string) bool { return strings.ContainsAny(name, `*?[\`) }

func (c *choice) attachInterface(program *ebpf.Program, i netInterface) (io.Closer, error) {
	switch c.Mechanism {
	case XDP:
		attached, err := link.AttachXDP(link.XDPOptions{Program: program, Interface: i.index})
		if errors.Is(err, unix.EBUSY) {
			return nil, errors.New("another xdp program is there already, and there can be one")
		}
		return attached, err
	case TCX:
		attach := map[string]ebpf.AttachType{"tcx/ingress": ebpf.AttachTCXIngress, "tcx/egress": ebpf.AttachTCXEgress}[c.Target]
		return link.AttachTCX(link.TCXOptions{Program: program, Interface: i.index, Attach: attach})
	case Clsact:
		return attachClsact(program, i.index, c.Target == "tcx/egress")
	}
	return attachSocket(program, i.index)
}

// packetSocket is a socket that hears what an interface sends and receives.
type packetSocket int

func (s packetSocket) Close() error { return unix.Close(int(s)) }

// attachSocket opens a packet socket for an interface, or with index 0 for all.
// It hears nothing before it is bound, when the program is there.
func attachSocket(program *ebpf.Program, index int) (io.Closer, error) {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("packet socket: %w", err)
	}
	err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ATTACH_BPF, program.FD())
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: allProtocols, Ifindex: index})
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("packet socket: %w", err), unix.Close(fd))
	}
	return packetSocket(fd), nil
}

// allProtocols is ETH_P_ALL in network byte order.
const allProtocols = unix.ETH_P_ALL << 8
