// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/redsift/ingraind/examples/grains/generated/shut"
	"github.com/redsift/ingraind/runtime"
)

// Where a probe decides, a port is shut while the agent runs, and only that
// one; before and after it is not.
func TestWhatAProbeDecidesIsDoneAndNothingElse(t *testing.T) {
	connects := func(port int) error { return dialTCP(t, port) }
	for _, d := range []struct {
		mechanism runtime.Mechanism
		probe     string
		on        []string
		do        func(port int) error // nil: the port is open
		shut      error
		event     string
		want      map[string]string
	}{
		{runtime.Cgroup, "connecting", nil, connects, unix.EPERM, "refused", map[string]string{"listens": "false", "who.pid": fmt.Sprint(os.Getpid())}},
		{runtime.XDP, "arriving", []string{"lo"}, func(port int) error { return datagram(t, port) }, os.ErrDeadlineExceeded, "dropped", map[string]string{"early": "true", "from": "127.0.0.1"}},
		{runtime.TCX, "coming", []string{"lo"}, func(port int) error { return datagram(t, port) }, os.ErrDeadlineExceeded, "dropped", map[string]string{"early": "false", "from": "127.0.0.1"}},
		{runtime.Clsact, "coming", []string{"lo"}, func(port int) error { return datagram(t, port) }, os.ErrDeadlineExceeded, "dropped", map[string]string{"early": "false", "from": "127.0.0.1"}},
		{runtime.LSM, "listening", nil, listens, unix.EPERM, "refused", map[string]string{"listens": "true", "who.pid": fmt.Sprint(os.Getpid())}},
	} {
		t.Run(string(d.mechanism), func(t *testing.T) {
			g := by(d.mechanism, alone(shut.New(), d.probe))
			for i := range g.Probes {
				g.Probes[i].Optional = false
			}
			if lacking(t, d.mechanism, g) {
				return
			}
			port, other := free(t), free(t)
			if err := errors.Join(d.do(port), d.do(other)); err != nil {
				t.Fatalf("before: %v", err)
			}
			o := runtime.Options{Params: map[string]int64{"shut.port": int64(port)}}
			if d.on != nil {
				o.On = map[string][]string{"shut." + d.probe: d.on}
			}
			agent := start(t, o, g)
			err, open := d.do(port), d.do(other)
			rows, _ := stop(t, agent)
			if !errors.Is(err, d.shut) || open != nil {
				t.Errorf("got %v for the port that is shut, and %v for another one; want %v and none", err, open, d.shut)
			}
			if n := count(rows, d.event, d.want); n != 1 {
				t.Errorf("got %d events %v, want 1: %v", n, d.want, rows[:min(len(rows), 8)])
			}
			if err := d.do(port); err != nil {
				t.Errorf("after: %v", err)
			}
		})
	}
}

func TestGrainsThatDecideSaySo(t *testing.T) {
	for _, p := range shut.New().Probes {
		if !p.Decides {
			t.Errorf("%s does not say that it decides", p.Name)
		}
	}
}

// free is a port that nobody uses.
func free(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func address(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }

// listens listens at the port, once: package net would try again without MPTCP.
func listens(port int) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := unix.Bind(fd, &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return err
	}
	return unix.Listen(fd, 1)
}

// dialTCP connects to somebody who listens at the port.
func dialTCP(t *testing.T, port int) error {
	t.Helper()
	l, err := net.Listen("tcp4", address(port))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp4", address(port))
	if err != nil {
		return err
	}
	return c.Close()
}

// datagram sends one to the port and waits for it there, for a moment.
func datagram(t *testing.T, port int) error {
	t.Helper()
	l, err := net.ListenPacket("udp4", address(port))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("udp4", address(port))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write([]byte("knock")); err != nil {
		return err
	}
	if err := l.SetReadDeadline(time.Now().Add(300 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 16)
	n, _, err := l.ReadFrom(got)
	if err == nil && !strings.HasPrefix(string(got[:n]), "knock") {
		err = fmt.Errorf("got %q", got[:n])
	}
	return err
}
