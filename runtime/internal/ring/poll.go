// SPDX-License-Identifier: Apache-2.0

package ring

import (
	"encoding/binary"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// poller blocks in ppoll, on an eventfd for Wake and on the rings' descriptors.
type poller struct {
	fds     []unix.PollFd // the eventfd, then the rings
	timeout unix.Timespec
	count   [8]byte // what is read from the eventfd
	one     [8]byte // what is written to it

	mu    sync.Mutex // between wake and close
	event int
	alive bool // event is open
}

func (p *poller) open(rings []*Ring) error {
	event, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	if err != nil {
		return fmt.Errorf("make an eventfd: %w", err)
	}
	p.event, p.alive = event, true
	binary.NativeEndian.PutUint64(p.one[:], 1)
	p.fds = append(p.fds, unix.PollFd{Fd: int32(event), Events: unix.POLLIN})
	for _, ring := range rings {
		p.fds = append(p.fds, unix.PollFd{Fd: int32(ring.fd), Events: unix.POLLIN})
	}
	return nil
}

// nap returns after d, when woken, or sometimes earlier. True means that the
// time ran out.
func (p *poller) nap(d time.Duration) bool { return p.ppoll(p.fds[:1], d) }

// block returns after d, when a ring's positions differ, or when woken. True
// means that the time ran out. The kernel joins each ring's queue before it
// compares the ring's positions (ringbuf_map_poll), and compares again when
// somebody wakes the queue.
func (p *poller) block(d time.Duration) bool { return p.ppoll(p.fds, d) }

// ppoll also returns when a signal comes, for the runtime sends some to itself.
func (p *poller) ppoll(fds []unix.PollFd, d time.Duration) bool {
	p.timeout = unix.NsecToTimespec(int64(d))
	n, err := unix.Ppoll(fds, &p.timeout, nil)
	if err != nil {
		if err != unix.EINTR {
			time.Sleep(longestNap) // no memory: do not spin
		}
		return false
	}
	if fds[0].Revents != 0 {
		unix.Read(p.event, p.count[:])
	}
	return n == 0
}

// wake ends a block or nap, or the next one: the eventfd stays readable until
// it is read.
func (p *poller) wake() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.alive {
		unix.Write(p.event, p.one[:])
	}
}

func (p *poller) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.alive {
		return nil
	}
	p.alive = false
	return unix.Close(p.event)
}
