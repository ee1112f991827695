// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// uring is an io_uring that does one thing at a time (io_uring(7)).
type uring struct {
	fd       int
	sq, cq   []byte
	entries  []sqe
	sqOffset sqOffsets
	cqOffset cqOffsets
}

// The structs of include/uapi/linux/io_uring.h.
type (
	sqOffsets struct{ head, tail, mask, entries, flags, dropped, array, _, _, _ uint32 }
	cqOffsets struct{ head, tail, mask, entries, overflow, cqes, flags, _, _, _ uint32 }
	params    struct {
		sqEntries, cqEntries, flags, cpu, idle, features, wq uint32
		_                                                    [3]uint32
		sq                                                   sqOffsets
		cq                                                   cqOffsets
	}
	sqe struct {
		op, flags    uint8
		_            uint16
		fd           int32
		off, addr    uint64
		len, opFlags uint32
		user         uint64
		_, personal  uint16
		spliceFrom   int32
		_, _         uint64
	}
	cqe struct {
		user  uint64
		res   int32
		flags uint32
	}
)

const (
	opRead, opWrite, opSend, opRecv = 22, 23, 26, 27
	opSendmsg, opRecvmsg, opSplice  = 9, 10, 30
	ioAsync                         = 1 << 4 // IOSQE_ASYNC: by a worker thread
)

func newURing() (*uring, error) {
	var p params
	fd, _, errno := unix.Syscall(unix.SYS_IO_URING_SETUP, 4, uintptr(unsafe.Pointer(&p)), 0)
	if errno != 0 {
		return nil, fmt.Errorf("io_uring_setup: %w", errno)
	}
	r := &uring{fd: int(fd), sqOffset: p.sq, cqOffset: p.cq}
	var err [3]error
	var entries []byte
	r.sq, err[0] = unix.Mmap(r.fd, 0, int(p.sq.array+4*p.sqEntries), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	r.cq, err[1] = unix.Mmap(r.fd, 0x8000000, int(p.cq.cqes+16*p.cqEntries), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	entries, err[2] = unix.Mmap(r.fd, 0x10000000, int(64*p.sqEntries), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err := errors.Join(err[:]...); err != nil {
		return nil, err
	}
	r.entries = unsafe.Slice((*sqe)(unsafe.Pointer(&entries[0])), p.sqEntries)
	return r, nil
}

func word(memory []byte, at uint32) *uint32 { return (*uint32)(unsafe.Pointer(&memory[at])) }

// do does one thing and returns its result.
func (r *uring) do(e sqe) int {
	tail, mask := word(r.sq, r.sqOffset.tail), *word(r.sq, r.sqOffset.mask)
	i := *tail & mask
	r.entries[i] = e
	*word(r.sq, r.sqOffset.array+4*i) = i
	*tail++ // the system call is the barrier
	if _, _, errno := unix.Syscall6(unix.SYS_IO_URING_ENTER, uintptr(r.fd), 1, 1, 1, 0, 0); errno != 0 {
		panic(fmt.Sprint("io_uring_enter: ", errno))
	}
	head := word(r.cq, r.cqOffset.head)
	done := (*cqe)(unsafe.Pointer(&r.cq[r.cqOffset.cqes+16*(*head&*word(r.cq, r.cqOffset.mask))]))
	res := int(done.res)
	*head++
	if res < 0 {
		panic(fmt.Sprintf("operation %d of io_uring: %v", e.op, unix.Errno(-res)))
	}
	return res
}

func pointer[T any](v *T) uint64 { return uint64(uintptr(unsafe.Pointer(v))) }

// uring moves by io_uring, in its own system call and by its threads.
func (t *tally) uring() error {
	r, err := newURing()
	if err != nil {
		return err
	}
	defer unix.Close(r.fd)
	buffer := make([]byte, 1000)
	for _, flags := range []uint8{0, ioAsync} {
		c := talk(unix.AF_INET, "127.0.0.1", 0)
		for _, op := range []struct{ send, receive uint8 }{{opWrite, opRead}, {opSend, opRecv}} {
			n := r.do(sqe{op: op.send, flags: flags, fd: int32(c.client), addr: pointer(&buffer[0]), len: 111})
			t.sent(c.c, n, 1)
			n = r.do(sqe{op: op.receive, flags: flags, fd: int32(c.server), addr: pointer(&buffer[0]), len: 1000})
			t.received(c.s, n, 1)
		}
		c.close()
		d := datagrams(unix.AF_INET, "127.0.0.1")
		to := unix.RawSockaddrInet4{Family: unix.AF_INET, Port: uint16(d.c.Port>>8 | d.c.Port<<8), Addr: loopback}
		m := messages(1, 222, &to)
		n := r.do(sqe{op: opSendmsg, flags: flags, fd: int32(d.client), addr: pointer(&m[0].Msghdr), len: 1})
		t.sent(d.c, n, 1)
		m = messages(1, 1000, &to)
		n = r.do(sqe{op: opRecvmsg, flags: flags, fd: int32(d.server), addr: pointer(&m[0].Msghdr), len: 1})
		t.received(d.s, n, 1)
		d.close()
	}
	return t.uringSplice(r)
}

// uringSplice splices from and to sockets by io_uring, which always does that
// in a thread of its own. Without function probes it is not seen how much is
// taken from a socket.
func (t *tally) uringSplice(r *uring) error {
	from, to := talk(unix.AF_INET, "127.0.0.1", 0), talk(unix.AF_INET, "127.0.0.1", 0)
	defer from.close()
	defer to.close()
	var pipe [2]int
	check0(unix.Pipe2(pipe[:], unix.O_CLOEXEC))
	defer unix.Close(pipe[0])
	defer unix.Close(pipe[1])
	write2(from.client, 333)
	t.sent(from.c, 333, 1)
	none := ^uint64(0) // no offset
	n := r.do(sqe{op: opSplice, fd: int32(pipe[1]), off: none, addr: none, len: 1000, spliceFrom: int32(from.server)})
	t.add(uringSpliced, from.s, n, 1)
	t.sent(to.c, r.do(sqe{op: opSplice, fd: int32(to.client), off: none, addr: none, len: uint32(n), spliceFrom: int32(pipe[0])}), anyCalls)
	read2(to.server, n)
	t.received(to.s, n, 1)
	return nil
}
