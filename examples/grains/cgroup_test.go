// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redsift/ingraind/examples/grains/generated/dial"
	"github.com/redsift/ingraind/examples/grains/generated/post"
	"github.com/redsift/ingraind/examples/grains/generated/traffic"
	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/runtimetest"
)

func TestACgroupsPacketsAreSeenAndLeftAlone(t *testing.T) {
	for _, address := range []string{"127.0.0.1", "::1"} {
		t.Run(address, func(t *testing.T) {
			agent := start(t, runtime.Options{}, traffic.New())
			said := datagrams(t, address)
			rows, _ := stop(t, agent)
			head := 28 // of IPv4 and UDP
			if address == "::1" {
				head = 48
			}
			for i := range said.messages {
				for _, port := range []struct{ local, peer int }{{said.client, said.server}, {said.server, 0}} {
					for _, direction := range []string{"IN", "OUT"} {
						want := map[string]string{
							"size": fmt.Sprint(head + 100 + i), "direction": direction,
							"local_port": fmt.Sprint(port.local), "peer_port": fmt.Sprint(port.peer),
						}
						if n := count(rows, "packet", want); n != 1 {
							t.Errorf("message %d: got %d events %v, want 1", i, n, want)
						}
					}
				}
			}
		})
	}
}

// dialRole connects sockets to the addresses that it reads, line by line.
func dialRole() {
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		network, address, _ := strings.Cut(lines.Text(), " ")
		if c, err := net.Dial(network, address); err == nil {
			c.Close()
		}
	}
}

func TestConnectsAreSeenWithTheirCause(t *testing.T) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) {
			agent := start(t, runtime.Options{Transport: transport}, dial.New())
			cmd := role(t, "dial")
			cmd.Stdin = strings.NewReader("tcp 127.0.0.1:" + port + "\nudp 127.0.0.9:4321\nudp [::1]:4322\n")
			if err := cmd.Run(); err != nil {
				t.Fatal(err)
			}
			rows, _ := stop(t, agent)
			for _, want := range []map[string]string{
				{"peer": "127.0.0.1", "peer_port": port, "protocol": "6"},
				{"peer": "127.0.0.9", "peer_port": "4321", "protocol": "17"},
				{"peer": "::1", "peer_port": "4322", "protocol": "17"},
			} {
				want["who.pid"], want["who.ppid"] = fmt.Sprint(cmd.Process.Pid), fmt.Sprint(os.Getpid())
				if n := count(rows, "dial", want); n != 1 {
					t.Errorf("got %d events %v, want 1: %v", n, want, ours(rows, "dial"))
				}
			}
		})
	}
}

// postRole sends datagrams to the addresses that it reads, line by line, from
// sockets that are not connected, and waits for the answers.
func postRole() {
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		network, address, _ := strings.Cut(lines.Text(), " ")
		to, err := net.ResolveUDPAddr("udp", address)
		if err != nil {
			continue
		}
		c, err := net.ListenPacket(network, ":0")
		if err != nil {
			continue
		}
		c.WriteTo([]byte("question"), to)
		c.SetDeadline(time.Now().Add(10 * time.Second))
		c.ReadFrom(make([]byte, 100))
		c.Close()
	}
}

func TestDatagramsAreSeenWithTheOtherEndThatTheCallNames(t *testing.T) {
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) {
			var lines strings.Builder
			wants := map[string]string{} // port: address
			for _, to := range []struct{ network, address string }{{"udp4", "127.0.0.1"}, {"udp6", "::1"}, {"udp", "127.0.0.9"}} {
				echo, err := net.ListenPacket("udp", net.JoinHostPort(to.address, "0"))
				if err != nil {
					t.Fatal(err)
				}
				defer echo.Close()
				go func() {
					got := make([]byte, 100)
					if n, from, err := echo.ReadFrom(got); err == nil {
						echo.WriteTo(got[:n], from)
					}
				}()
				_, port, _ := net.SplitHostPort(echo.LocalAddr().String())
				wants[port] = to.address
				fmt.Fprintf(&lines, "%s %s\n", to.network, echo.LocalAddr())
			}
			agent := start(t, runtime.Options{Transport: transport}, post.New())
			cmd := role(t, "post")
			cmd.Stdin = strings.NewReader(lines.String())
			if err := cmd.Run(); err != nil {
				t.Fatal(err)
			}
			rows, _ := stop(t, agent)
			for port, address := range wants {
				for _, direction := range []string{"OUT", "IN"} {
					want := map[string]string{"peer": address, "peer_port": port, "direction": direction, "who.pid": fmt.Sprint(cmd.Process.Pid)}
					if n := count(rows, "datagram", want); n != 1 {
						t.Errorf("got %d events %v, want 1: %v", n, want, rows)
					}
				}
			}
		})
	}
}

func TestOneCgroupIsWatchedAndNoOther(t *testing.T) {
	name := "/ingrain-test-" + strconv.Itoa(os.Getpid())
	folder := filepath.Join(cgroups(t), name)
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(folder)
	dir, err := os.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	agent := start(t, runtime.Options{On: map[string][]string{"dial.ip4": {name}}}, alone(dial.New(), "ip4"))
	pids := map[string]int{}
	for _, where := range []string{"outside", "inside"} {
		cmd := role(t, "dial")
		cmd.Stdin = strings.NewReader("udp 127.0.0.9:4321\n")
		if where == "inside" {
			cmd.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(dir.Fd())}
		}
		if err := cmd.Run(); err != nil {
			t.Fatal(err)
		}
		pids[where] = cmd.Process.Pid
	}
	agent.WaitFor(1, func(r runtimetest.Row) bool { return r.Int("who.pid") == int64(pids["inside"]) })
	rows, _ := stop(t, agent)
	if n := count(rows, "dial", map[string]string{"who.pid": fmt.Sprint(pids["outside"])}); n != 0 {
		t.Errorf("got %d events from outside of the cgroup, want 0", n)
	}
}

func TestACgroupThatIsNotThereIsSaid(t *testing.T) {
	k, err := kernel()
	if err != nil {
		t.Fatal(err)
	}
	p := k.Plan(alone(dial.New(), "ip4"), runtime.PlanOptions{On: map[string][]string{"dial.ip4": {"/ingrain/none"}}})
	want := "dial: ip4 cannot run at cgroup/connect4: cgroup: there is no cgroup /ingrain/none below " + cgroups(t)
	if p.Err == nil || p.Err.Error() != want {
		t.Errorf("got  %v\nwant %s", p.Err, want)
	}
}

// cgroups is where cgroups of version 2 are mounted.
func cgroups(t *testing.T) string {
	t.Helper()
	for _, dir := range []string{"/sys/fs/cgroup/unified", "/sys/fs/cgroup"} {
		if _, err := os.Stat(filepath.Join(dir, "cgroup.procs")); !errors.Is(err, os.ErrNotExist) {
			return dir
		}
	}
	t.Fatal("this test needs cgroups of version 2 (in a virtual machine vmtest mounts them)")
	return ""
}
