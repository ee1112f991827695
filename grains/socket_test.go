// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"testing"

	"golang.org/x/sys/unix"

	"github.com/redsift/ingraind/runtime/runtimetest"
)

var loopback = [4]byte{127, 0, 0, 1}

// Raw sockets: the scenarios need to know when each call is made.

func socket(t testing.TB, family int) int {
	t.Helper()
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	return fd
}

// bound is a socket on a port of 127.0.0.1; 0 for any.
func bound(t testing.TB, port int, options ...int) int {
	t.Helper()
	fd := socket(t, unix.AF_INET)
	for _, o := range options {
		must(t, unix.SetsockoptInt(fd, unix.SOL_SOCKET, o, 1))
	}
	must(t, unix.Bind(fd, &unix.SockaddrInet4{Port: port, Addr: loopback}))
	return fd
}

// listening is a socket that listens until the end of the test, so that no
// other has its port meanwhile.
func listening(t testing.TB, backlog int) (fd, port int) {
	t.Helper()
	fd = bound(t, 0)
	must(t, unix.Listen(fd, backlog))
	t.Cleanup(func() { unix.Close(fd) })
	return fd, portOf(t, fd)
}

func portOf(t testing.TB, fd int) int {
	t.Helper()
	at, err := unix.Getsockname(fd)
	must(t, err)
	return at.(*unix.SockaddrInet4).Port
}

func connect(fd, port int) error {
	return unix.Connect(fd, &unix.SockaddrInet4{Port: port, Addr: loopback})
}

func accepted(t testing.TB, listener int) int {
	t.Helper()
	fd, _, err := unix.Accept(listener)
	must(t, err)
	return fd
}

func write(t testing.TB, fd int, text string) {
	t.Helper()
	_, err := unix.Write(fd, []byte(text))
	must(t, err)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// onPort are the rows with a port at either end.
func onPort(rows []runtimetest.Row, port int) (found []runtimetest.Row) {
	for _, r := range rows {
		if r.Int("local_port") == int64(port) || r.Int("peer_port") == int64(port) {
			found = append(found, r)
		}
	}
	return found
}

// row is what some fields of a row must be; numbers are int, null is nil.
type row map[string]any

// checkRows compares rows with what is wanted of each, in their order.
func checkRows(t *testing.T, rows []runtimetest.Row, want ...row) {
	t.Helper()
	ok := len(rows) == len(want)
	for i := 0; ok && i < len(rows); i++ {
		for field, w := range want[i] {
			got := rows[i].Get(field)
			if n, isInt := w.(int); isInt {
				ok = ok && got != nil && rows[i].Int(field) == int64(n)
			} else {
				ok = ok && got == w
			}
		}
	}
	if !ok {
		t.Errorf("got %d rows:", len(rows))
		for _, r := range rows {
			t.Errorf("  %v", r)
		}
		t.Errorf("want %d:", len(want))
		for _, w := range want {
			t.Errorf("  %v", w)
		}
	}
}
