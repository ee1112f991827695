// SPDX-License-Identifier: Apache-2.0

package syslog

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/sink/internal/remote"
)

// patience is how long a peer may leave what was sent unacknowledged by its
// kernel, and how long connecting may take.
const patience = 30 * time.Second

var errClosed = errors.New("the receiver closed the connection")

// stream sends messages with their length in front (RFC 6587, RFC 5425).
type stream struct {
	network, address string
	trust            *tls.Config // nil for no TLS
	encoding         *encoding

	conn   net.Conn // nil when there is none
	socket syscall.RawConn
	closed chan struct{} // is closed when the peer ended conn
	frames []byte
	bare   []byte
}

// Encoding is messages without the name of their batch.
func (s *stream) Encoding() runtime.Encoding { return s.encoding }

// Ship writes b, and returns when the receiver's kernel has all of it. If the
// connection breaks before that, all of b is sent again: nobody says what of
// it the receiver read.
func (s *stream) Ship(ctx context.Context, b *runtime.Batch) error {
	if s.conn != nil && s.isClosed() {
		s.drop()
	}
	if s.conn == nil {
		if err := s.connect(ctx); err != nil {
			return fmt.Errorf("connect to %s: %w", s.address, remote.Lasting(err))
		}
	}
	conn := s.conn
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	err := s.write(ctx, b)
	stop()
	if err != nil || ctx.Err() != nil {
		s.drop()
	}
	if err != nil && !runtime.IsPermanent(err) {
		return fmt.Errorf("send to %s: %w", s.address, remote.Lasting(err))
	}
	return err
}

func (s *stream) write(ctx context.Context, b *runtime.Batch) error {
	const chunk = 64 << 10
	s.frames = s.frames[:0]
	rest := b.Bytes
	for index := 0; len(rest) > 0; index++ {
		var ok bool
		if s.bare, rest, ok = next(s.bare[:0], rest, b.Name, index); !ok {
			return runtime.Permanent(errForeign)
		}
		s.frames = append(runtime.AppendUint(s.frames, uint64(len(s.bare))), ' ')
		s.frames = append(s.frames, s.bare...)
		if len(s.frames) < chunk && len(rest) > 0 {
			continue
		}
		if s.isClosed() {
			return errClosed
		}
		if _, err := s.conn.Write(s.frames); err != nil {
			return err
		}
		s.frames = s.frames[:0]
	}
	return s.drain(ctx)
}

// drain waits until the peer's kernel has what was written; that of a unix
// socket, until the receiver has read it.
func (s *stream) drain(ctx context.Context) error {
	for wait := 50 * time.Microsecond; ; wait = min(2*wait, 20*time.Millisecond) {
		queued, err := outq(s.socket)
		if err != nil {
			return err
		}
		if s.isClosed() {
			return errClosed
		}
		if queued == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.closed:
			return errClosed
		case <-time.After(wait):
		}
	}
}

// outq is how many bytes of a socket its peer does not have.
func outq(socket syscall.RawConn) (queued int, err error) {
	controlErr := socket.Control(func(fd uintptr) { queued, err = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ) })
	return queued, errors.Join(controlErr, err)
}

func (s *stream) isClosed() bool {
	select {
	case <-s.closed:
		return true
	default:
		return false
	}
}

// connect makes a connection, and reads from it for as long as it lasts: a
// receiver has nothing to say but that it ends.
func (s *stream) connect(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, s.network, s.address)
	if err != nil {
		return err
	}
	socket, err := conn.(syscall.Conn).SyscallConn()
	if err == nil && s.network == "tcp" {
		var optErr error
		err = socket.Control(func(fd uintptr) {
			optErr = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(patience/time.Millisecond))
		})
		err = errors.Join(err, optErr)
	}
	if s.trust != nil && err == nil {
		secure := tls.Client(conn, s.trust)
		err = secure.HandshakeContext(ctx)
		if err == nil {
			conn = secure
		}
	}
	if err != nil {
		conn.Close()
		return err
	}
	s.conn, s.socket, s.closed = conn, socket, make(chan struct{})
	go func(conn net.Conn, closed chan struct{}) {
		_, _ = io.Copy(io.Discard, conn)
		close(closed)
	}(conn, s.closed)
	return nil
}

func (s *stream) drop() {
	s.conn.Close()
	<-s.closed
	s.conn = nil
}

// Close ends the connection.
func (s *stream) Close() error {
	if s.conn != nil {
		s.drop()
	}
	return nil
}
