// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A load that speaks the DNS itself, so that it knows what went in which
// packet.

const qr = 0x80 // of the third byte: an answer

// asking is a question for the A records of a name; more is what stands behind
// it, and counted as one additional record when there is any.
func asking(id int, name string, more ...byte) []byte {
	b := []byte{byte(id >> 8), byte(id), 1, 0, 0, 1, 0, 0, 0, 0, 0, 0}
	for label := range strings.SplitSeq(name, ".") {
		b = append(append(b, byte(len(label))), label...)
	}
	b = append(b, 0, 0, 1, 0, 1)
	if len(more) > 0 {
		b[11] = 1
	}
	return append(b, more...)
}

// padding is an additional record of n bytes in all.
func padding(n int) []byte {
	b := make([]byte, n)
	b[2] = 10 // NULL
	binary.BigEndian.PutUint16(b[9:], uint16(n-11))
	return b
}

// answering is the answer to a question: one address.
func answering(question []byte) []byte {
	b := append([]byte{}, question...)
	b[2] |= qr
	b[7] = 1
	return append(b, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 7)
}

// framed is a message as TCP carries it.
func framed(message []byte) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(message))), message...)
}

// answerAll answers what comes to a socket, until that is closed.
func answerAll(c net.PacketConn) error {
	b := make([]byte, 65536)
	for {
		n, from, err := c.ReadFrom(b)
		if err != nil {
			return err
		}
		if n < 12 || b[2]&qr != 0 {
			continue
		}
		if _, err := c.WriteTo(answering(b[:n]), from); err != nil {
			return err
		}
	}
}

// answerer answers at a port of 127.0.0.1 and prints that: "answer NETWORK".
func answerer(args []string) error {
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	_, port, _ := net.SplitHostPort(c.LocalAddr().String())
	fmt.Println(port)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // until nobody needs it any more
		c.Close()
	}()
	if err := answerAll(c); err != nil && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// ask sends a question and waits for its answer.
func ask(c net.Conn, question []byte) error {
	if _, err := c.Write(question); err != nil {
		return err
	}
	b := make([]byte, 4096)
	if err := c.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return err
	}
	n, err := c.Read(b)
	if err == nil && n < 12 {
		err = fmt.Errorf("an answer of %d bytes", n)
	}
	return err
}

// asker asks a server many things: "ask ADDRESS N", each with its number as id.
func asker(args []string) error {
	n, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	c, err := net.Dial("udp", args[0])
	if err != nil {
		return err
	}
	defer c.Close()
	for i := range n {
		if err := ask(c, asking(i, fmt.Sprintf("n%d.load.test", i))); err != nil {
			return fmt.Errorf("question %d: %w", i, err)
		}
	}
	return nil
}

// silent is a socket that nobody reads from, until the end of the test.
func silent(t testing.TB) (c net.PacketConn, port int) {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { c.Close() })
	return c, c.LocalAddr().(*net.UDPAddr).Port
}

// twoEnds are both ends of a TCP connection over loopback.
func twoEnds(t testing.TB) (client, server net.Conn, port int) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	client, err = net.Dial("tcp", l.Addr().String())
	must(t, err)
	server, err = l.Accept()
	must(t, err)
	t.Cleanup(func() { client.Close(); server.Close() })
	return client, server, l.Addr().(*net.TCPAddr).Port
}

// say writes parts, each in a segment of its own, and waits until the other
// side has them all.
func say(t testing.TB, from, to net.Conn, parts ...[]byte) {
	t.Helper()
	for _, p := range parts {
		if _, err := from.Write(p); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(to, make([]byte, len(p))); err != nil {
			t.Fatal(err)
		}
	}
}
