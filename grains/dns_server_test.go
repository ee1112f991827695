// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// resolver is an unbound with the zone of testdata/dns.
type resolver struct {
	port, pid int
}

// debian is the path of a program that a Debian package has.
func debian(t testing.TB, program, pkg string) string {
	t.Helper()
	for _, dir := range []string{"/usr/bin", "/usr/sbin"} {
		if _, err := os.Stat(dir + "/" + program); err == nil {
			return dir + "/" + program
		}
	}
	t.Fatalf("this test needs %s: apt-get install --no-install-recommends %s (.ci/deps does)", program, pkg)
	return ""
}

// freePort is a port that was free for UDP and TCP a moment ago.
func freePort(t testing.TB) int {
	t.Helper()
	for range 100 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		must(t, err)
		port := l.Addr().(*net.TCPAddr).Port
		l.Close()
		if c, err := net.ListenPacket("udp", fmt.Sprint("127.0.0.1:", port)); err == nil {
			c.Close()
			return port
		}
	}
	t.Fatal("no port is free for both UDP and TCP")
	return 0
}

// startResolver starts an unbound at a port of both loopback addresses, until
// the end of the test.
func startResolver(t testing.TB, port int) resolver {
	t.Helper()
	dir := t.TempDir()
	zone, err := filepath.Abs("testdata/dns/example.test.zone")
	must(t, err)
	config := filepath.Join(dir, "unbound.conf")
	must(t, os.WriteFile(config, fmt.Appendf(nil, `server:
	interface: 127.0.0.1
	interface: ::1
	port: %d
	do-daemonize: no
	use-syslog: no
	chroot: ""
	username: ""
	directory: "%s"
	pidfile: ""
	access-control: 127.0.0.0/8 allow
	access-control: ::1 allow
	module-config: "iterator"
	num-threads: 1
	local-zone: "test." nodefault
	local-zone: "refused.test." refuse
	local-zone: "static.test." static
auth-zone:
	name: "example.test."
	zonefile: "%s"
	for-downstream: yes
	for-upstream: no
	fallback-enabled: no
remote-control:
	control-enable: no
`, port, dir, zone), 0o644))
	log, err := os.Create(filepath.Join(dir, "log"))
	must(t, err)
	defer log.Close()
	cmd := exec.Command(debian(t, "unbound", "unbound"), "-c", config)
	cmd.Stdout, cmd.Stderr = log, log
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		c, err := net.Dial("tcp", fmt.Sprint("127.0.0.1:", port))
		if err == nil {
			c.Close()
			return resolver{port, cmd.Process.Pid}
		}
		if time.Now().After(end) {
			text, _ := os.ReadFile(log.Name())
			t.Fatalf("unbound does not answer: %v\n%s", err, text)
		}
	}
}

// dug is what dig printed of one answer.
type dug struct {
	pid                   int
	id                    int
	status, flags         string
	question, kind        string
	answers               []string // name, TTL, type and data, as rows have them
	server, what, printed string
}

var (
	dugHeader   = regexp.MustCompile(`(?m)^;; ->>HEADER<<- opcode: QUERY, status: (\w+), id: (\d+)$`)
	dugFlags    = regexp.MustCompile(`(?m)^;; flags: ([a-z ]*);`)
	dugEDNS     = regexp.MustCompile(`(?m)^; EDNS: version: 0, flags:([a-z ]*);`)
	dugQuestion = regexp.MustCompile(`(?m)^;(\S+)\s+(?:IN|CH)\s+(\S+)$`)
	dugRecord   = regexp.MustCompile(`^(\S+)\s+(\d+)\s+(?:IN|CH)\s+(\S+)\s+(.*)$`)
)

// dig asks the resolver, as args say.
func (r resolver) dig(t testing.TB, server string, args ...string) dug {
	t.Helper()
	// Without an init file, and with what a record's data are on one line.
	args = append([]string{"-r", "-p", strconv.Itoa(r.port), "@" + server, "+tries=1", "+timeout=10"}, args...)
	cmd := exec.Command(debian(t, "dig", "bind9-dnsutils"), args...)
	text, err := cmd.CombinedOutput()
	d := dug{server: server, what: strings.Join(args[6:], " "), printed: string(text)}
	header := dugHeader.FindStringSubmatch(d.printed)
	if err != nil || header == nil {
		t.Fatalf("dig %v: %v\n%s", args, err, text)
	}
	d.pid, d.status = cmd.Process.Pid, header[1]
	d.id, _ = strconv.Atoi(header[2])
	d.flags = dugFlags.FindStringSubmatch(d.printed)[1]
	if edns := dugEDNS.FindStringSubmatch(d.printed); edns != nil {
		d.flags += edns[1]
	}
	if question := dugQuestion.FindStringSubmatch(d.printed); question != nil {
		d.question, d.kind = withoutDot(question[1]), question[2]
	}
	_, section, _ := strings.Cut(d.printed, ";; ANSWER SECTION:\n")
	for line := range strings.Lines(section) {
		record := dugRecord.FindStringSubmatch(strings.TrimSpace(line))
		if record == nil {
			break
		}
		data := record[4]
		if !slices.Contains([]string{"TXT", "CAA", "HTTPS"}, record[3]) {
			data = withoutDots(data)
		}
		d.answers = append(d.answers, withoutDot(record[1])+" "+record[2]+" "+record[3]+" "+data)
	}
	return d
}

// withoutDot is a name as rows have it.
func withoutDot(name string) string {
	if name != "." {
		name = strings.TrimSuffix(name, ".")
	}
	return strings.ToLower(name)
}

// withoutDots are data of which some words are names.
func withoutDots(data string) string {
	words := strings.Fields(data)
	for i, w := range words {
		words[i] = withoutDot(w)
	}
	return strings.Join(words, " ")
}
