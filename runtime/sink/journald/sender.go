// SPDX-License-Identifier: Apache-2.0

package journald

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/redsift/ingraind/runtime"
)

// sender sends entries to the journal's socket, a datagram each.
type sender struct {
	socket   string
	encoding *encoding

	conn  *net.UnixConn // nil when there is none
	entry []byte

	name        string // the batch that was sent in part
	sent, index int    // bytes of it, and entries
}

// Encoding is entries without the name of their batch.
func (s *sender) Encoding() runtime.Encoding { return s.encoding }

// Ship sends the entries of b. A batch that is shipped again goes on with the
// entry that was refused.
func (s *sender) Ship(ctx context.Context, b *runtime.Batch) error {
	if b.Name == "" || b.Name != s.name || s.sent >= len(b.Bytes) {
		s.name, s.sent, s.index = b.Name, 0, 0
	}
	if s.conn == nil {
		conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: s.socket, Net: "unixgram"})
		if err != nil {
			return fmt.Errorf("connect to the journal: %w", err)
		}
		s.conn = conn
	}
	conn := s.conn
	if err := conn.SetWriteDeadline(time.Time{}); err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { _ = conn.SetWriteDeadline(time.Unix(1, 0)) })()
	for s.sent < len(b.Bytes) {
		entry, rest, ok := next(s.entry[:0], b.Bytes[s.sent:], b.Name, s.index)
		if !ok {
			return runtime.Permanent(errors.New("the batch holds no entries of this sink"))
		}
		s.entry = entry
		if err := send(conn, entry); err != nil {
			s.conn.Close()
			s.conn = nil
			return fmt.Errorf("send to the journal at %s: %w", s.socket, err)
		}
		s.sent = len(b.Bytes) - len(rest)
		s.index++
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

// send sends an entry, in a sealed file when it is too long for a datagram.
func send(conn *net.UnixConn, entry []byte) error {
	_, err := conn.Write(entry)
	if !errors.Is(err, unix.EMSGSIZE) && !errors.Is(err, unix.ENOBUFS) {
		return err
	}
	fd, err := unix.MemfdCreate("ingraind-row", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return fmt.Errorf("a file in memory: %w", err)
	}
	f := os.NewFile(uintptr(fd), "ingraind-row")
	defer f.Close()
	if _, err := f.Write(entry); err != nil {
		return fmt.Errorf("a file in memory: %w", err)
	}
	if _, err := unix.FcntlInt(f.Fd(), unix.F_ADD_SEALS, unix.F_SEAL_SHRINK|unix.F_SEAL_GROW|unix.F_SEAL_WRITE|unix.F_SEAL_SEAL); err != nil {
		return fmt.Errorf("a file in memory: %w", err)
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	rights := unix.UnixRights(int(f.Fd()))
	var sendErr error
	err = raw.Write(func(to uintptr) bool {
		sendErr = unix.Sendmsg(int(to), nil, rights, nil, 0)
		return !errors.Is(sendErr, unix.EAGAIN)
	})
	return errors.Join(err, sendErr)
}
