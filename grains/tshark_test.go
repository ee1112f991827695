// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/redsift/ingraind/generated/dns"
	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/runtimetest"
)

// sniffer is a tshark that listens on the loopback.
type sniffer struct {
	cmd *exec.Cmd
	out bytes.Buffer
	log *bufio.Scanner
}

// sniff starts a tshark that prints fields of each packet it captures, a line
// each, with | between and commas between several of a kind.
func sniff(t testing.TB, filter string, decode []string, fields ...string) *sniffer {
	t.Helper()
	args := []string{"-i", "lo", "-f", filter, "-l", "-n", "-T", "fields", "-E", "separator=|", "-E", "occurrence=a", "-E", "aggregator=,"}
	for _, d := range decode {
		args = append(args, "-d", d)
	}
	for _, f := range fields {
		args = append(args, "-e", f)
	}
	s := &sniffer{cmd: exec.Command(debian(t, "tshark", "tshark"), args...)}
	s.cmd.Stdout = &s.out
	errors, err := s.cmd.StderrPipe()
	must(t, err)
	must(t, s.cmd.Start())
	t.Cleanup(func() { _ = s.cmd.Process.Kill() })
	s.log = bufio.NewScanner(errors)
	for s.log.Scan() {
		if strings.HasPrefix(s.log.Text(), "Capturing on") {
			time.Sleep(500 * time.Millisecond) // it says so a little before
			return s
		}
	}
	t.Fatalf("tshark does not capture: %v", s.cmd.Wait())
	return nil
}

// lines are the fields of the packets that were captured.
func (s *sniffer) lines(t testing.TB) [][]string {
	t.Helper()
	time.Sleep(time.Second) // until it has what it was sent
	_ = s.cmd.Process.Signal(os.Interrupt)
	for s.log.Scan() {
	}
	must(t, s.cmd.Wait())
	var all [][]string
	for line := range strings.Lines(s.out.String()) {
		all = append(all, strings.Split(strings.TrimSuffix(line, "\n"), "|"))
	}
	return all
}

// The numbers that tshark shows of what rows name.
var (
	tsharkTypes  = map[string]string{"1": "A", "2": "NS", "5": "CNAME", "6": "SOA", "15": "MX", "16": "TXT", "28": "AAAA", "33": "SRV", "39": "DNAME", "64": "SVCB", "65": "HTTPS", "255": "ANY", "257": "CAA", "65280": "TYPE65280"}
	tsharkRcodes = map[string]string{"0": "NOERROR", "3": "NXDOMAIN", "5": "REFUSED"}
)

func TestTsharkReadsTheSameMessages(t *testing.T) {
	if underEmulation() {
		return // a guest has no tshark: what it reads does not depend on the kernel
	}
	r := startResolver(t, freePort(t))
	tshark := sniff(t, fmt.Sprint("port ", r.port), []string{fmt.Sprintf("udp.port==%d,dns", r.port), fmt.Sprintf("tcp.port==%d,dns", r.port)},
		"dns.id", "dns.flags.response", "dns.qry.name", "dns.qry.type", "dns.flags.rcode", "dns.count.answers", "dns.a", "dns.aaaa", "dns.resp.ttl", "frame.protocols")
	agent := runtimetest.Start(t, runtime.Options{Params: map[string]int64{"dns.port": int64(r.port)}}, dns.New())
	for _, q := range questions {
		if strings.Contains(strings.Join(q, " "), "+edns") { // whose rcode tshark shows in two parts
			continue
		}
		r.dig(t, "127.0.0.1", q...)
		r.dig(t, "::1", append([]string{"+tcp"}, q...)...)
	}
	rows, _ := agent.Stop()
	ours := map[string]int{}
	for _, row := range rows {
		event, direction := row.Text("event"), row.Text("direction")
		if event != "query" && event != "answer" || direction != "out" {
			continue
		}
		answers, _ := words(row, "answers")
		addresses, _ := words(row, "addresses")
		ours[strings.Join([]string{fmt.Sprint(row.Int("id")), row.Text("transport"), event, row.Text("question"), row.Text("type"), row.Text("rcode"), fmt.Sprint(len(answers)), strings.Join(addresses, ",")}, " ")]++
	}
	theirs := map[string]int{}
	for _, f := range tshark.lines(t) {
		if len(f) < 10 || f[0] == "" {
			continue // no message
		}
		id, event, rcode := int64(0), "query", ""
		_, _ = fmt.Sscanf(f[0], "0x%x", &id)
		if f[1] == "1" || f[1] == "True" {
			event, rcode = "answer", tsharkRcodes[f[4]]
		}
		transport := "udp"
		if strings.Contains(f[9], ":tcp:") {
			transport = "tcp"
		}
		name := strings.ToLower(f[2])
		if strings.ContainsAny(name, ` \`) || strings.HasPrefix(name, "a.dot") { // which tshark does not escape
			name = map[bool]string{true: `a\.dot.example.test`, false: `with\032space.example.test`}[strings.HasPrefix(name, "a")]
		}
		kind, addresses := tsharkTypes[f[3]], strings.Trim(f[6]+","+f[7], ",")
		if kind == "NS" {
			addresses = "" // those of the additional section
		}
		theirs[strings.Join([]string{fmt.Sprint(id), transport, event, name, kind, rcode, f[5], addresses}, " ")]++
	}
	for message, n := range theirs {
		if ours[message] != n {
			t.Errorf("tshark has %d of %s, and rows have %d", n, message, ours[message])
		}
	}
	for message, n := range ours {
		if theirs[message] != n {
			t.Errorf("rows have %d of %s, and tshark has %d", n, message, theirs[message])
		}
	}
	if len(theirs) < 4*len(questions)-8 {
		t.Errorf("got %d messages from tshark, want about %d", len(theirs), 4*len(questions))
	}
}
