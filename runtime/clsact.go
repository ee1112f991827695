// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// Numbers of include/uapi/linux/pkt_sched.h, pkt_cls.h and rtnetlink.h that
// package unix does not have.
const (
	clsactParent  = 0xfffffff1 // TC_H_CLSACT
	clsactHandle  = 0xffff0000
	ingressParent = 0xfffffff2 // TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS)
	egressParent  = 0xfffffff3
	bpfFD         = 6 // TCA_BPF_FD
	bpfName       = 7
	bpfFlags      = 8
	bpfActDirect  = 1 // the program's verdict is the filter's action
	sizeofTCMsg   = 20
	madeTheQdisc  = "_qdisc"
)

// clsactFilter is a program behind an interface's clsact qdisc, on kernels
// without tcx. Unlike all else that is attached it outlives a process that is
// killed; its name says whose it was, for the next agent to sweep it.
type clsactFilter struct {
	interfaceIndex int
	parent         uint32 // ingressParent or egressParent
	handle, info   uint32 // as the kernel chose them
	name           string
}

// attachClsact puts a program behind an interface's clsact qdisc, and makes
// that when it is not there.
func attachClsact(program *ebpf.Program, index int, egress bool) (io.Closer, error) {
	f := &clsactFilter{interfaceIndex: index, parent: ingressParent, name: traceGroup()}
	if egress {
		f.parent = egressParent
	}
	qdisc := tcMessage{family: unix.RTM_NEWQDISC, flags: unix.NLM_F_CREATE | unix.NLM_F_EXCL, index: index, handle: clsactHandle, parent: clsactParent}
	switch _, err := qdisc.send(attribute(unix.TCA_KIND, []byte("clsact\x00"))); {
	case err == nil:
		f.name += madeTheQdisc
	case errors.Is(err, unix.ENOENT):
		return nil, errors.New("this kernel has no clsact (CONFIG_NET_SCH_INGRESS)")
	case !errors.Is(err, unix.EEXIST):
		return nil, fmt.Errorf("make a clsact qdisc: %w", err)
	}
	filter := tcMessage{
		family: unix.RTM_NEWTFILTER, flags: unix.NLM_F_CREATE | unix.NLM_F_EXCL | unix.NLM_F_ECHO,
		index: index, parent: f.parent, info: allProtocols,
	}
	answer, err := filter.send(attribute(unix.TCA_KIND, []byte("bpf\x00")), attribute(unix.TCA_OPTIONS|unix.NLA_F_NESTED, slices.Concat(
		attribute(bpfFD, nativeUint32(uint32(program.FD()))),
		attribute(bpfName, append([]byte(f.name), 0)),
		attribute(bpfFlags, nativeUint32(bpfActDirect)),
	)))
	if err == nil && len(answer) == 0 {
		err = errors.New("the kernel does not say where it is")
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("add a filter (CONFIG_NET_CLS_BPF): %w", err), f.removeQdisc())
	}
	f.handle, f.info = answer[0].handle, answer[0].info
	return f, nil
}

// Close removes the filter, and the qdisc if it was made for it and is of no
// use to others.
func (f *clsactFilter) Close() error {
	del := tcMessage{family: unix.RTM_DELTFILTER, index: f.interfaceIndex, parent: f.parent, handle: f.handle, info: f.info}
	_, err := del.send(attribute(unix.TCA_KIND, []byte("bpf\x00")))
	if errors.Is(err, unix.ENODEV) {
		return nil // it went with its interface
	}
	if err != nil {
		err = fmt.Errorf("remove a filter: %w", err)
	}
	return errors.Join(err, f.removeQdisc())
}

func (f *clsactFilter) removeQdisc() error {
	if !strings.HasSuffix(f.name, madeTheQdisc) {
		return nil
	}
	for _, parent := range []uint32{ingressParent, egressParent} {
		left, err := filters(f.interfaceIndex, parent)
		if err != nil || len(left) > 0 {
			return err
		}
	}
	del := tcMessage{family: unix.RTM_DELQDISC, index: f.interfaceIndex, handle: clsactHandle, parent: clsactParent}
	if _, err := del.send(attribute(unix.TCA_KIND, []byte("clsact\x00"))); err != nil {
		return fmt.Errorf("remove a clsact qdisc: %w", err)
	}
	return nil
}

// filters are those behind an interface's clsact qdisc.
func filters(index int, parent uint32) ([]tcMessage, error) {
	dump := tcMessage{family: unix.RTM_GETTFILTER, flags: unix.NLM_F_DUMP, index: index, parent: parent}
	found, err := dump.send()
	if err != nil {
		return nil, fmt.Errorf("list filters: %w", err)
	}
	return slices.DeleteFunc(found, func(m tcMessage) bool { return m.handle == 0 }), nil // the first of each priority has none
}

// sweepFilters removes the filters of agents that were killed.
func sweepFilters(gone func(pid int) bool) (int, error) {
	qdiscs, err := (&tcMessage{family: unix.RTM_GETQDISC, flags: unix.NLM_F_DUMP}).send()
	if err != nil {
		return 0, fmt.Errorf("list qdiscs: %w", err)
	}
	var swept int
	var errs []error
	for _, q := range qdiscs {
		if q.parent != clsactParent {
			continue
		}
		for _, parent := range []uint32{egressParent, ingressParent} {
			found, err := filters(q.index, parent)
			errs = append(errs, err)
			for _, m := range found {
				pid, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(m.name, tracePrefix+"_"), madeTheQdisc))
				if !strings.HasPrefix(m.name, tracePrefix+"_") || err != nil || !gone(pid) {
					continue
				}
				swept++
				errs = append(errs, (&clsactFilter{m.index, m.parent, m.handle, m.info, m.name}).Close())
			}
		}
	}
	return swept, errors.Join(errs...)
}

// tcMessage is a request to the kernel's traffic control, or an answer.
type tcMessage struct {
	family, flags        uint16
	index                int
	handle, parent, info uint32
	name                 string // of an answer: the program's name for itself
}

// send makes the request and returns the messages that come before its end.
func (m *tcMessage) send(attributes ...[]byte) ([]tcMessage, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	defer unix.Close(fd)
	if err := unix.Sendto(fd, m.bytes(attributes), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return nil, os.NewSyscallError("sendto", err)
	}
	var answers []tcMessage
	buffer := make([]byte, 1<<16)
	for {
		n, _, err := unix.Recvfrom(fd, buffer, 0)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return nil, os.NewSyscallError("recvfrom", err)
		}
		messages, err := syscall.ParseNetlinkMessage(buffer[:n])
		if err != nil {
			return nil, err
		}
		for _, answer := range messages {
			switch answer.Header.Type {
			case unix.NLMSG_DONE:
				return answers, nil
			case unix.NLMSG_ERROR:
				if code := nativeInt32(answer.Data); code != 0 {
					return nil, unix.Errno(-code)
				}
				return answers, nil
			default:
				answers = append(answers, parseTC(answer.Data))
			}
		}
	}
}

// bytes is the message: struct nlmsghdr, struct tcmsg, attributes.
func (m *tcMessage) bytes(attributes [][]byte) []byte {
	rest := slices.Concat(attributes...)
	flags := m.flags | unix.NLM_F_REQUEST
	if flags&unix.NLM_F_DUMP != unix.NLM_F_DUMP {
		flags |= unix.NLM_F_ACK
	}
	b := nativeUint32(uint32(unix.SizeofNlMsghdr + sizeofTCMsg + len(rest)))
	b = binary.NativeEndian.AppendUint16(b, m.family)
	b = binary.NativeEndian.AppendUint16(b, flags)
	b = append(b, make([]byte, 8+4)...) // sequence and port; address family
	for _, word := range []uint32{uint32(m.index), m.handle, m.parent, m.info} {
		b = binary.NativeEndian.AppendUint32(b, word)
	}
	return append(b, rest...)
}

// parseTC reads struct tcmsg, and the name of a filter that is a program.
func parseTC(data []byte) tcMessage {
	if len(data) < sizeofTCMsg {
		return tcMessage{}
	}
	m := tcMessage{
		index:  int(nativeInt32(data[4:])),
		handle: binary.NativeEndian.Uint32(data[8:]),
		parent: binary.NativeEndian.Uint32(data[12:]),
		info:   binary.NativeEndian.Uint32(data[16:]),
	}
	eachAttribute(data[sizeofTCMsg:], func(kind uint16, value []byte) {
		if kind == unix.TCA_OPTIONS {
			eachAttribute(value, func(kind uint16, value []byte) {
				if kind == bpfName {
					m.name = unix.ByteSliceToString(value)
				}
			})
		}
	})
	return m
}

// attribute is a netlink attribute, padded to 4 bytes.
func attribute(kind uint16, value []byte) []byte {
	b := binary.NativeEndian.AppendUint16(nil, uint16(unix.SizeofNlAttr+len(value)))
	b = binary.NativeEndian.AppendUint16(b, kind)
	b = append(b, value...)
	return append(b, make([]byte, -len(b)&3)...)
}

// eachAttribute visits attributes that stand behind each other.
func eachAttribute(b []byte, visit func(kind uint16, value []byte)) {
	for len(b) >= unix.SizeofNlAttr {
		size := int(binary.NativeEndian.Uint16(b))
		if size < unix.SizeofNlAttr || size > len(b) {
			return
		}
		visit(binary.NativeEndian.Uint16(b[2:])&^unix.NLA_F_NESTED, b[unix.SizeofNlAttr:size])
		b = b[min((size+3)&^3, len(b)):]
	}
}

func nativeUint32(n uint32) []byte { return binary.NativeEndian.AppendUint32(nil, n) }

func nativeInt32(b []byte) int32 { return int32(binary.NativeEndian.Uint32(b)) }
