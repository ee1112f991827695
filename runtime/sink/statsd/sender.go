// SPDX-License-Identifier: Apache-2.0

package statsd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/redsift/ingraind/runtime"
)

// lookAgain is how long a host's address is used before its name is looked up
// again: nobody says that datagrams go where no server is any more.
const lookAgain = time.Minute

// sender sends batches in datagrams.
type sender struct {
	network  string // "udp", "unixgram"
	address  string
	mtu      int
	encoding *encoding

	conn  net.Conn // nil when there is none
	since time.Time

	name string // the batch that was sent in part
	sent int    // bytes of it
}

// Encoding is lines of metrics.
func (s *sender) Encoding() runtime.Encoding { return s.encoding }

// Ship sends b in datagrams of whole lines. One that is shipped again goes on
// with the datagram that was refused.
func (s *sender) Ship(ctx context.Context, b *runtime.Batch) error {
	if b.Name == "" || b.Name != s.name {
		s.name, s.sent = b.Name, 0
	}
	if s.sent == len(b.Bytes) {
		s.sent = 0
	}
	if err := s.connect(ctx); err != nil {
		return fmt.Errorf("connect to %s: %w", s.address, err)
	}
	conn := s.conn
	if err := conn.SetWriteDeadline(time.Time{}); err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { _ = conn.SetWriteDeadline(time.Unix(1, 0)) })()
	for s.sent < len(b.Bytes) {
		n := fill(b.Bytes[s.sent:], s.mtu)
		if err := s.send(b.Bytes[s.sent:][:n]); err != nil {
			s.conn.Close()
			s.conn = nil
			err = fmt.Errorf("send to %s: %w", s.address, err)
			if errors.Is(err, unix.EMSGSIZE) {
				return runtime.Permanent(fmt.Errorf("%w; set a smaller mtu", err))
			}
			return err
		}
		s.sent += n
	}
	return nil
}

// Close ends the connection; nothing waits in it.
func (s *sender) Close() error {
	if s.conn == nil {
		return nil
	}
	err := s.conn.Close()
	s.conn = nil
	return err
}

// connect sees to it that there is a connection. A name that is not found
// again goes on being what it was.
func (s *sender) connect(ctx context.Context) error {
	if s.conn != nil && time.Since(s.since) < lookAgain {
		return nil
	}
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, s.network, s.address)
	s.since = time.Now()
	if err != nil && s.conn != nil {
		return nil
	}
	if err != nil {
		return err
	}
	if s.conn != nil {
		s.conn.Close()
	}
	s.conn = conn
	return nil
}

// send sends lines as one datagram, without the end of the last line, and
// says when the receiver, if it is on this machine, is not there.
func (s *sender) send(lines []byte) error {
	if _, err := s.conn.Write(bytes.TrimSuffix(lines, []byte{'\n'})); err != nil {
		return err
	}
	return refusal(s.conn)
}

// refusal is the error that waits at a socket. The loopback refuses a datagram
// before the call that sends it returns.
func refusal(conn net.Conn) error {
	raw, err := conn.(syscall.Conn).SyscallConn()
	if err != nil {
		return err
	}
	waits := 0
	var getErr error
	err = raw.Control(func(fd uintptr) { waits, getErr = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_ERROR) })
	if err := errors.Join(err, getErr); err != nil {
		return err
	}
	if waits != 0 {
		return unix.Errno(waits)
	}
	return nil
}

// fill is how many bytes of lines, which end in newlines, go into a datagram
// of mtu bytes: as many whole lines as fit without the newline of the last. A
// line that does not fit has a datagram of its own, for the network to divide.
func fill(lines []byte, mtu int) int {
	if len(lines) <= mtu+1 {
		return len(lines)
	}
	if end := bytes.LastIndexByte(lines[:mtu+1], '\n'); end >= 0 {
		return end + 1
	}
	if end := bytes.IndexByte(lines, '\n'); end >= 0 {
		return end + 1
	}
	return len(lines)
}
