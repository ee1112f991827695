// SPDX-License-Identifier: Apache-2.0

package statsd_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/redsift/ingraind/runtime"
)

// numbered is a batch of the counters n0:1|c to n<rows-1>:1|c, some longer.
func numbered(rows int) *runtime.Batch {
	b := &runtime.Batch{Name: "a", Rows: rows}
	for i := range rows {
		b.Bytes = fmt.Appendf(b.Bytes, "n%d%s:1|c\n", i, strings.Repeat("x", i%90))
	}
	return b
}

// listen is a socket that datagrams arrive at.
func listen(t *testing.T, network, address string) net.PacketConn {
	t.Helper()
	if network == "unixgram" {
		os.Remove(address)
	}
	conn, err := net.ListenPacket(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// receive reads datagrams until as many lines came, none of them longer than
// mtu, and wants them to be text, each line whole and once.
func receive(t *testing.T, conn net.PacketConn, mtu int, text string) {
	t.Helper()
	var got strings.Builder
	buffer := make([]byte, 1<<16)
	for got.Len() < len(text) {
		if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		n, _, err := conn.ReadFrom(buffer)
		if err != nil {
			t.Fatalf("after %d of %d bytes: %v", got.Len(), len(text), err)
		}
		if n > mtu {
			t.Errorf("got a datagram of %d bytes, want at most %d", n, mtu)
		}
		if left := len(text) - got.Len() - n - 1; left > 0 && n < mtu {
			next, _, _ := strings.Cut(text[got.Len()+n+1:], "\n")
			if n+1+len(next) <= mtu {
				t.Errorf("got a datagram of %d bytes, which had room for %q", n, next)
			}
		}
		got.Write(append(buffer[:n:n], '\n'))
	}
	if got.String() != text {
		t.Errorf("got %d bytes of lines, which are not the %d that were sent", got.Len(), len(text))
	}
}

func mustShip(t *testing.T, s runtime.Sink, b *runtime.Batch) {
	t.Helper()
	if err := s.Ship(t.Context(), b); err != nil {
		t.Fatal(err)
	}
}

func TestDatagramsAreFilledWithWholeLines(t *testing.T) {
	for _, mtu := range []int{256, 1432, 8932, 65507} {
		server := listen(t, "udp", "127.0.0.1:0")
		s := open(t, "address="+server.LocalAddr().String(), fmt.Sprintf("mtu=%d", mtu))
		b := numbered(200) // few enough for a socket's buffer
		mustShip(t, s, b)
		receive(t, server, mtu, string(b.Bytes))
	}
}

func TestALineBeyondTheMTUHasADatagramOfItsOwn(t *testing.T) {
	server := listen(t, "udp", "127.0.0.1:0")
	s := open(t, "address="+server.LocalAddr().String(), "mtu=256")
	long := strings.Repeat("x", 300) + ":1|c"
	mustShip(t, s, &runtime.Batch{Name: "a", Bytes: []byte("a:1|c\n" + long + "\nb:1|c\nc:1|c\n")})
	buffer := make([]byte, 1<<16)
	for _, want := range []string{"a:1|c", long, "b:1|c\nc:1|c"} {
		server.SetReadDeadline(time.Now().Add(10 * time.Second))
		n, _, err := server.ReadFrom(buffer)
		if err != nil || string(buffer[:n]) != want {
			t.Errorf("got %q, %v, want %q", buffer[:n], err, want)
		}
	}
}

func TestAPortThatNobodyHasIsRefusedAndNothingIsLost(t *testing.T) {
	server := listen(t, "udp", "127.0.0.1:0")
	address := server.LocalAddr().String()
	server.Close()
	s := open(t, "address="+address)
	b := numbered(300)
	for range 3 {
		err := s.Ship(t.Context(), b)
		if !errors.Is(err, unix.ECONNREFUSED) || runtime.IsPermanent(err) || !strings.HasPrefix(err.Error(), "send to "+address+": ") {
			t.Errorf("got %v, want a refusal to be tried again", err)
		}
	}
	server = listen(t, "udp", address)
	mustShip(t, s, b)
	receive(t, server, 1432, string(b.Bytes))
}

func TestAServerThatEndsAndComesBackGetsEveryLine(t *testing.T) {
	for _, network := range []string{"udp", "unixgram"} {
		address, setting := "127.0.0.1:0", ""
		if network == "unixgram" {
			address = filepath.Join(t.TempDir(), "s")
			setting = "address=unix://" + address
		}
		server := listen(t, network, address)
		if network == "udp" {
			address = server.LocalAddr().String()
			setting = "address=" + address
		}
		s := open(t, setting)
		for range 3 {
			b := numbered(100)
			mustShip(t, s, b)
			receive(t, server, 1432, string(b.Bytes))
			server.Close()
			if err := s.Ship(t.Context(), b); err == nil || runtime.IsPermanent(err) {
				t.Errorf("%s: got %v without a server, want an error to be tried again", network, err)
			}
			server = listen(t, network, address)
			mustShip(t, s, b)
			receive(t, server, 1432, string(b.Bytes))
		}
	}
}

// A unix socket has room for so many datagrams; then the sender waits.
func TestAStuckServerOfASocketHoldsTheLaneAndLosesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	server := listen(t, "unixgram", path)
	s := open(t, "address=unix://"+path, "mtu=256")
	b := numbered(3000)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := s.Ship(ctx, b); err == nil || runtime.IsPermanent(err) {
		t.Fatalf("got %v, want an error to be tried again", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Ship(t.Context(), b) }()
	receive(t, server, 256, string(b.Bytes))
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestAHostWithoutAnAddressIsTriedAgain(t *testing.T) {
	s := open(t, "address=nobody.invalid:8125")
	err := s.Ship(t.Context(), numbered(1))
	if err == nil || runtime.IsPermanent(err) || !strings.HasPrefix(err.Error(), "connect to nobody.invalid:8125: ") {
		t.Errorf("got %v, want an error to be tried again", err)
	}
	s = open(t, "address=unix:///nowhere/s")
	if err := s.Ship(t.Context(), numbered(1)); !errors.Is(err, unix.ENOENT) || runtime.IsPermanent(err) {
		t.Errorf("got %v, want no such socket, to be tried again", err)
	}
}

// Lanes do all that, and their books balance.
func TestRowsWaitForTheServer(t *testing.T) {
	const rows = 20_000
	path := filepath.Join(t.TempDir(), "s")
	lanes := runtime.NewLanes(runtime.NewLane(runtime.LaneOptions{Name: "statsd", Sink: open(t, "address=unix://"+path, "prefix=")}))
	event := &runtime.Event{Name: "e", Stream: true}
	for i := range rows {
		lanes.Add(&runtime.Row{Grain: &runtime.Grain{Name: "g"}, Event: event, Record: runtime.Record{Weight: uint32(i)}})
	}
	lanes.Tick(time.Now().Add(time.Minute))
	for end := time.Now().Add(10 * time.Second); lanes.Books()[0].Retries == 0 && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	if b := lanes.Books()[0]; b.Shipped != 0 || b.Retries == 0 {
		t.Errorf("got %+v without a server", b)
	}
	var want strings.Builder
	for i := range rows {
		fmt.Fprintf(&want, "g.e:%d|c\n", i)
	}
	server := listen(t, "unixgram", path)
	ended := make(chan error, 1)
	go func() { ended <- lanes.Close(t.Context()) }()
	var got strings.Builder
	buffer := make([]byte, 1<<16)
	for got.Len() < want.Len() {
		server.SetReadDeadline(time.Now().Add(10 * time.Second))
		n, _, err := server.ReadFrom(buffer)
		if err != nil {
			t.Fatal(err)
		}
		got.Write(append(buffer[:n:n], '\n'))
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if b := lanes.Books()[0]; got.String() != want.String() || b.Shipped != rows || b.Dropped != 0 {
		t.Errorf("got %+v, and all lines in order: %v", b, got.String() == want.String())
	}
}
