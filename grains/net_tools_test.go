// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"bytes"
	"encoding/json"
	"fmt"
	stdnet "net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redsift/ingraind/generated/net"
	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/runtimetest"
)

// tool is a program that the tests need, with what to do when it is missing.
func tool(t testing.TB, name string, places ...string) string {
	t.Helper()
	for _, place := range places {
		if path, err := filepath.Abs(place); err == nil {
			if _, err := os.Stat(path); err == nil {
				return path
			}
		}
	}
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("this test needs %s: .ci/deps and .ci/net install it", name)
	}
	return path
}

// freePort is a port of 127.0.0.1 and of ::1 that nobody has.
func dualPort(t testing.TB) string {
	t.Helper()
	for range 100 {
		l, err := stdnet.Listen("tcp", "127.0.0.1:0")
		must(t, err)
		_, port, _ := stdnet.SplitHostPort(l.Addr().String())
		six, err := stdnet.Listen("tcp", "[::1]:"+port)
		l.Close()
		if err == nil {
			six.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return ""
}

// full reports whether nothing is to be left out.
func full() bool { return os.Getenv("INGRAIN_FULL") != "" && !underEmulation() }

// total adds up what a table says of rows that fit.
func total(rows []runtimetest.Row, table string, fits func(runtimetest.Row) bool) (n int64) {
	return summed(rows, table, "bytes", fits)
}

// nginx is a server of files at work.
type nginx struct {
	*exec.Cmd
	port, log string
}

// startNginx serves a folder by sendfile from a worker process, and notes what
// it sends in a log.
func startNginx(t *testing.T, root string) *nginx {
	t.Helper()
	dir := folder(t)
	n := &nginx{port: dualPort(t), log: filepath.Join(dir, "log")}
	config := fmt.Sprintf(`daemon off;
worker_processes 1;
user root;
pid %[1]s/pid;
error_log stderr;
events { worker_connections 64; }
http {
	log_format counts "$remote_port $request_length $bytes_sent";
	access_log %[1]s/log counts;
	sendfile on;
	tcp_nopush on;
	client_body_temp_path %[1]s/a; proxy_temp_path %[1]s/b; fastcgi_temp_path %[1]s/c; uwsgi_temp_path %[1]s/d; scgi_temp_path %[1]s/e;
	server { listen 127.0.0.1:%[2]s; listen [::1]:%[2]s; root %[3]s; }
}
`, dir, n.port, root)
	must(t, os.WriteFile(filepath.Join(dir, "conf"), []byte(config), 0o644))
	n.Cmd = exec.Command(tool(t, "nginx", "../.cache/net/root/usr/sbin/nginx"), "-p", dir, "-c", filepath.Join(dir, "conf"), "-e", "stderr")
	n.Stderr = os.Stderr
	must(t, n.Start())
	t.Cleanup(func() { n.Process.Signal(syscall.SIGTERM); n.Wait() })
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		c, err := stdnet.Dial("tcp", "127.0.0.1:"+n.port)
		if err == nil {
			c.Close()
			return n
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
}

// served is what nginx counts of its requests, once it has ended.
func (n *nginx) served(t *testing.T) (requests int, received, sent int64) {
	t.Helper()
	n.Process.Signal(syscall.SIGQUIT) // once all requests are answered
	if err := n.Wait(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(n.log)
	must(t, err)
	for line := range strings.Lines(string(text)) {
		var port, in, out int64
		if _, err := fmt.Sscan(line, &port, &in, &out); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		requests, received, sent = requests+1, received+in, sent+out
	}
	return requests, received, sent
}

// TestFilesServedByNginxAreCountedAsItCounts serves large files by sendfile to
// curl, over both families, and compares with the log of the one and with what
// the other says.
func TestFilesServedByNginxAreCountedAsItCounts(t *testing.T) {
	size, times := int64(50<<20), 4
	if full() { // 10 GB
		size, times = 1<<30, 10
	}
	root := folder(t)
	must(t, os.WriteFile(filepath.Join(root, "file"), nil, 0o644))
	must(t, os.Truncate(filepath.Join(root, "file"), size))
	must(t, os.WriteFile(filepath.Join(root, "small"), []byte("a small file\n"), 0o644))
	curl := tool(t, "curl")

	agent := runtimetest.Start(t, runtime.Options{}, net.New())
	server := startNginx(t, root)
	var got, said struct{ sent, received int64 } // by the programs curl
	var clients []int64
	began := time.Now()
	for i := range times {
		host := []string{"127.0.0.1", "[::1]"}[i%2]
		url := "http://" + host + ":" + server.port + "/"
		cmd := exec.Command(curl, "-sS", "-w", "%{stderr}%{size_request} %{size_header} %{size_download}\n", url+"file", url+"small")
		cmd.Stdout = nil // away with it
		errors := &bytes.Buffer{}
		cmd.Stderr = errors
		must(t, cmd.Run())
		clients = append(clients, int64(cmd.Process.Pid))
		for line := range strings.Lines(errors.String()) {
			var request, head, body int64
			if _, err := fmt.Sscan(line, &request, &head, &body); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			said.sent, said.received = said.sent+request, said.received+head+body
		}
	}
	took := time.Since(began)
	requests, received, sent := server.served(t)
	rows, _ := agent.Stop()

	port := func(r runtimetest.Row) bool { return strconv.FormatInt(r.Int("port"), 10) == server.port }
	workers := map[int64]bool{}
	ofServer := func(r runtimetest.Row) bool {
		ok := port(r) && r.Text("role") == "server" && r.Text("comm") == "nginx" && r.Text("protocol") == "tcp"
		if ok {
			workers[r.Int("pid")] = true
		}
		return ok
	}
	if n := total(rows, "sent", ofServer); n != sent {
		t.Errorf("nginx counts %d bytes sent, net %d", sent, n)
	}
	if n := total(rows, "received", ofServer); n != received {
		t.Errorf("nginx counts %d bytes received, net %d", received, n)
	}
	if len(workers) != 1 || workers[int64(server.Process.Pid)] {
		t.Errorf("got traffic of processes %v, want the one worker of master %d", workers, server.Process.Pid)
	}
	for _, pid := range clients {
		ofClient := func(r runtimetest.Row) bool {
			return port(r) && r.Text("role") == "client" && r.Text("comm") == "curl" && r.Int("pid") == pid
		}
		got.sent += total(rows, "sent", ofClient)
		got.received += total(rows, "received", ofClient)
	}
	if got != said {
		t.Errorf("curl counts %+v, net %+v", said, got)
	}
	if requests != 2*times || sent < size*int64(times) {
		t.Errorf("nginx served %d requests and %d bytes, want %d and %d or more", requests, sent, 2*times, size*int64(times))
	}
	// What the connections carried, and who used them: nginx's master listens.
	var ends struct{ sent, received int64 }
	for _, r := range kind(rows, "close") {
		if strconv.FormatInt(r.Int("local_port"), 10) == server.port && r.Int("sent") > 0 {
			ends.sent, ends.received = ends.sent+r.Int("sent"), ends.received+r.Int("received")
			if r.Text("who_of") != "user" || !workers[r.Int("who.pid")] || r.Int("duration") == 0 {
				t.Errorf("got %v, want the worker", r)
			}
		}
	}
	if ends.sent != sent || ends.received != received {
		t.Errorf("connections carried %+v, want %d sent and %d received", ends, sent, received)
	}
	t.Logf("%d bytes sent by sendfile in %v", sent, took)
}

// measured is what iperf3 -J says at its end.
type measured struct {
	Start struct {
		Connected []struct {
			Local int `json:"local_port"`
		}
	}
	End struct {
		Sent     struct{ Bytes int64 } `json:"sum_sent"`
		Received struct{ Bytes int64 } `json:"sum_received"`
	}
	Error string
}

// iperf runs a server, which ends after one test, and a client.
func iperf(t *testing.T, port string, args ...string) (client, server measured, clientPid, serverPid int64) {
	t.Helper()
	path := tool(t, "iperf3")
	s := exec.Command(path, "-s", "-1", "-J", "-B", args[0], "-p", port)
	text := &bytes.Buffer{}
	s.Stdout = text
	must(t, s.Start())
	defer s.Process.Kill()
	waitForListener(t, port)
	c := exec.Command(path, append([]string{"-J", "-p", port, "-c"}, args...)...)
	out, err := c.Output()
	if err != nil {
		t.Fatalf("iperf3: %v: %s", err, out)
	}
	must(t, json.Unmarshal(out, &client))
	must(t, s.Wait())
	must(t, json.Unmarshal(text.Bytes(), &server))
	return client, server, int64(c.Process.Pid), int64(s.Process.Pid)
}

// waitForListener waits until somebody listens, without connecting: a server
// that ends after one connection would take that for it.
func waitForListener(t *testing.T, port string) {
	t.Helper()
	n, err := strconv.Atoi(port)
	must(t, err)
	mark := fmt.Sprintf(":%04X ", n)
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
			text, err := os.ReadFile(table)
			must(t, err)
			for line := range strings.Lines(string(text)) {
				if fields := strings.Fields(line); len(fields) > 3 && strings.Contains(fields[1]+" ", mark) && fields[3] == "0A" {
					return
				}
			}
		}
		if time.Now().After(end) {
			t.Fatalf("nobody listens on port %s after 30 s", port)
		}
	}
}

// iperfRun is a test of iperf3: what it was told, and what it said.
type iperfRun struct {
	name, protocol string
	streams        int
	backwards      bool
	args           []string

	port                 string
	client, server       measured
	clientPid, serverPid int64
}

// TestWhatIperfMovesIsCountedAsItCounts: beside what it measures iperf3 moves 37
// bytes from the client at the start of each TCP stream (its cookie), 4 bytes
// each way at the start of UDP, and what its first connection carries, which
// controls the test and is none of its streams.
func TestWhatIperfMovesIsCountedAsItCounts(t *testing.T) {
	amount := "200M"
	switch {
	case full():
		amount = "4G"
	case underEmulation():
		amount = "10M"
	}
	runs := []iperfRun{
		{name: "TCP", protocol: "tcp", streams: 1, args: []string{"127.0.0.1", "-n", amount}},
		{name: "TCP over IPv6, backwards, three at once", protocol: "tcp", streams: 3, backwards: true, args: []string{"::1", "-n", amount, "-R", "-P", "3"}},
		{name: "TCP by sendfile", protocol: "tcp", streams: 1, args: []string{"127.0.0.1", "-n", amount, "-Z"}},
		{name: "UDP, much of which is dropped", protocol: "udp", streams: 1, args: []string{"127.0.0.1", "-u", "-b", "0", "-l", "1400", "-n", amount}},
		{name: "UDP over IPv6, backwards", protocol: "udp", streams: 1, backwards: true, args: []string{"::1", "-u", "-b", "20M", "-l", "500", "-R", "-t", "1"}},
	}
	agent := runtimetest.Start(t, runtime.Options{}, net.New())
	for i := range runs {
		r := &runs[i]
		r.port = dualPort(t)
		r.client, r.server, r.clientPid, r.serverPid = iperf(t, r.port, r.args...)
	}
	rows, _ := agent.Stop()
	for _, r := range runs {
		t.Run(r.name, func(t *testing.T) { r.check(t, rows) })
	}
}

// at reports whether a row's port is the run's.
func (r *iperfRun) at(row runtimetest.Row, field string) bool {
	return strconv.FormatInt(row.Int(field), 10) == r.port
}

func (r *iperfRun) check(t *testing.T, rows []runtimetest.Row) {
	sender, receiver := r.client.End.Sent.Bytes, r.server.End.Received.Bytes
	senderPid, receiverPid, role := r.clientPid, r.serverPid, "client"
	if r.backwards {
		sender, receiver = r.server.End.Sent.Bytes, r.client.End.Received.Bytes
		senderPid, receiverPid, role = r.serverPid, r.clientPid, "server"
	}
	streams := map[int64]bool{} // their ports
	for _, c := range r.client.Start.Connected {
		streams[int64(c.Local)] = true
	}
	if sender == 0 || receiver == 0 || len(streams) != r.streams {
		t.Fatalf("iperf3 moved nothing: %+v, %+v", r.client, r.server)
	}
	beside := int64(4)
	if r.protocol == "tcp" {
		beside = 0
		if !r.backwards {
			beside = int64(37 * r.streams)
		}
		for _, row := range kind(rows, "close") {
			switch {
			case !r.at(row, "peer_port") || streams[row.Int("local_port")]:
			case r.backwards:
				beside += row.Int("received")
			default:
				beside += row.Int("sent")
			}
		}
	}
	of := func(pid int64) func(runtimetest.Row) bool {
		return func(row runtimetest.Row) bool {
			return row.Int("pid") == pid && row.Text("protocol") == r.protocol && r.at(row, "port") &&
				row.Text("peer") == r.args[0] && (row.Text("role") == role) == (pid == senderPid)
		}
	}
	if n := total(rows, "sent", of(senderPid)) - beside; n != sender {
		t.Errorf("iperf3 counts %d bytes sent, net %d, and %d beside", sender, n, beside)
	}
	// A client that receives until its time is over stops counting before it
	// stops receiving.
	late := r.protocol == "udp" && r.backwards
	if n := total(rows, "received", of(receiverPid)) - beside; n != receiver && !(late && n > receiver && n <= sender) {
		t.Errorf("iperf3 counts %d bytes received, net %d, and %d beside", receiver, n, beside)
	}
	t.Logf("%d bytes sent, %d received, %d beside", sender, receiver, beside)
}
