// SPDX-License-Identifier: Apache-2.0

package syslog

import (
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

// errForeign is Permanent: the batch would be the same the next time.
var errForeign = errors.New("the batch holds no messages of this sink")

// datagrams sends each message as a datagram.
type datagrams struct {
	network, address string // "udp", "unixgram"
	encoding         *encoding

	conn    net.Conn // nil when there is none
	since   time.Time
	message []byte

	name        string // the batch that was sent in part
	sent, index int    // bytes of it, and messages
}

// Encoding is messages without the name of their batch.
func (d *datagrams) Encoding() runtime.Encoding { return d.encoding }

// Ship sends the messages of b. A batch that is shipped again goes on with the
// message that was refused.
func (d *datagrams) Ship(ctx context.Context, b *runtime.Batch) error {
	if b.Name == "" || b.Name != d.name || d.sent >= len(b.Bytes) {
		d.name, d.sent, d.index = b.Name, 0, 0
	}
	if err := d.connect(ctx); err != nil {
		return fmt.Errorf("connect to %s: %w", d.address, err)
	}
	conn := d.conn
	if err := conn.SetWriteDeadline(time.Time{}); err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { _ = conn.SetWriteDeadline(time.Unix(1, 0)) })()
	for d.sent < len(b.Bytes) {
		message, rest, ok := next(d.message[:0], b.Bytes[d.sent:], b.Name, d.index)
		if !ok {
			return runtime.Permanent(errForeign)
		}
		d.message = message
		if err := d.send(message); err != nil {
			d.conn.Close()
			d.conn = nil
			err = fmt.Errorf("send to %s: %w", d.address, err)
			if errors.Is(err, unix.EMSGSIZE) {
				return runtime.Permanent(fmt.Errorf("%w; set a smaller max_size", err))
			}
			return err
		}
		d.sent = len(b.Bytes) - len(rest)
		d.index++
	}
	return nil
}

// Close ends the connection; nothing waits in it.
func (d *datagrams) Close() error {
	if d.conn == nil {
		return nil
	}
	err := d.conn.Close()
	d.conn = nil
	return err
}

// connect sees to it that there is a connection. A name that is not found
// again goes on being what it was.
func (d *datagrams) connect(ctx context.Context) error {
	if d.conn != nil && (d.network != "udp" || time.Since(d.since) < lookAgain) {
		return nil
	}
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, d.network, d.address)
	d.since = time.Now()
	if err != nil && d.conn != nil {
		return nil
	}
	if err != nil {
		return err
	}
	if d.conn != nil {
		d.conn.Close()
	}
	d.conn = conn
	return nil
}

// send sends a datagram, and says when the receiver, if it is on this machine,
// is not there: the loopback refuses before the call that sends returns.
func (d *datagrams) send(message []byte) error {
	if _, err := d.conn.Write(message); err != nil {
		return err
	}
	raw, err := d.conn.(syscall.Conn).SyscallConn()
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
