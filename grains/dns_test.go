// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/redsift/ingraind/generated/dns"
	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/runtimetest"
)

// questions are what the resolver is asked, as dig is told.
var questions = [][]string{
	{"www.example.test", "A"}, {"example.test", "A"}, {"example.test", "AAAA"}, {"example.test", "MX"}, {"example.test", "NS"}, {"example.test", "SOA"},
	{"example.test", "TXT"}, {"example.test", "CAA"}, {"example.test", "HTTPS"}, {"+notcp", "example.test", "ANY"},
	{"www.example.test", "AAAA"}, {"outside.example.test", "AAAA"}, {"outside.example.test", "A"}, {"dangling.example.test", "A"},
	{"many.example.test", "A"}, {"svc.example.test", "SVCB"}, {"_sip._udp.example.test", "SRV"},
	{"x.tree.example.test", "A"}, {"odd.example.test", "TYPE65280"}, {`a\.dot.example.test`, "A"}, {`with\032space.example.test`, "A"},
	{"MIXED.example.test", "A"}, {"nothing.example.test", "A"}, {"ns.example.test", "AAAA"},
	{"x.refused.test", "A"}, {"x.static.test", "A"}, {"version.bind", "TXT", "CH"},
	{"l." + strings.Repeat("0123456789012345678901234567890123456789012345678901234567890.", 3) + "example.test", "A"},
	{"+dnssec", "example.test", "A"}, {"+noedns", "example.test", "A"}, {"+norecurse", "+cdflag", "example.test", "A"},
	{"+edns=1", "+noednsneg", "example.test", "A"},
	{"+bufsize=512", "+ignore", "big.example.test", "TXT"}, // tc, and no second try
}

// talked are the four rows of a question that dig asked and of its answer,
// between two sockets of this machine. Numbers are soon given again: the socket
// tells which one it is.
func talked(rows []runtimetest.Row, d dug, transport string) map[string]runtimetest.Row {
	found := map[string]runtimetest.Row{}
	var socket int64
	for _, r := range rows {
		if r.Text("event") == "query" && r.Int("who.pid") == int64(d.pid) && r.Int("id") == int64(d.id) && r.Text("transport") == transport {
			socket = r.Int("local_port")
		}
	}
	for _, r := range rows {
		if r.Int("id") == int64(d.id) && r.Text("transport") == transport && (r.Int("local_port") == socket || r.Int("peer_port") == socket) {
			found[r.Text("event")+" "+r.Text("direction")] = r
		}
	}
	return found
}

// checkTalk compares the rows with what dig printed.
func checkTalk(t *testing.T, rows []runtimetest.Row, r resolver, d dug, transport string) {
	t.Helper()
	found := talked(rows, d, transport)
	if len(found) != 4 {
		t.Errorf("dig %s: got %d rows %v, want 4 of id %d", d.what, len(found), found, d.id)
		return
	}
	check := func(row, path string, want any) {
		t.Helper()
		if got := found[row].Get(path); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("dig %s, %s: got %v for %s, want %v", d.what, row, got, path, want)
		}
	}
	for row := range found {
		check(row, "question", d.question)
		check(row, "type", d.kind)
		check(row, "service", "dns")
		check(row, "opcode", "QUERY")
		check(row, "flaw", nil)
	}
	for row, pid := range map[string]int{"query out": d.pid, "answer in": d.pid, "answer out": r.pid} {
		check(row, "who.pid", pid)
	}
	check("query out", "who_of", "sender")
	check("answer out", "who_of", "sender")
	check("answer in", "who_of", "asker")
	check("query out", "peer_port", r.port)
	check("query in", "local_port", r.port)
	check("answer out", "local_port", r.port)
	check("answer in", "peer_port", r.port)
	for _, row := range []string{"query out", "query in"} {
		check(row, "tries", 1)
		check(row, "size", found["query out"].Get("size"))
	}
	for _, row := range []string{"answer out", "answer in"} {
		check(row, "rcode", d.status)
		check(row, "flags", d.flags)
		// The server turns the order of records round from time to time, not on the way.
		got, _ := words(found[row], "answers")
		if diff := cmp.Diff(slices.Sorted(slices.Values(d.answers)), slices.Sorted(slices.Values(got))); diff != "" {
			t.Errorf("dig %s, %s: answers (-dig +row):\n%s", d.what, row, diff)
		}
	}
	if in, out := found["answer in"].Int("latency"), found["answer out"].Int("latency"); out <= 0 || in < out {
		t.Errorf("dig %s: got a latency of %d ns for the one who asked and of %d for the server, want the first to be longer", d.what, in, out)
	}
}

// capture keeps the messages of a recording, those that one side sees, for the
// fuzzer of package grains/dns.
func capture(t *testing.T, recording io.Reader) {
	t.Helper()
	in, err := runtime.NewRecordingReader(recording)
	must(t, err)
	var kept strings.Builder
	g := dns.New()
	for {
		raw, _, err := in.Next()
		if err == io.EOF {
			break
		}
		must(t, err)
		head, _ := runtime.ParseHead(raw)
		e := &g.Events[head.Event]
		whole, _ := e.Whole(new([]byte), raw[runtime.HeadSize:])
		var message []byte
		if v, ok := dns.NewQueryView(whole); e.Name == "query" && ok && v.Direction() == 0 && v.Transport() == 0 {
			message, _ = v.Message()
		}
		if v, ok := dns.NewAnswerView(whole); e.Name == "answer" && ok && v.Direction() == 0 && v.Transport() == 0 {
			message, _ = v.Message()
		}
		if message != nil {
			fmt.Fprintf(&kept, "%x\n", message)
		}
	}
	must(t, os.WriteFile("dns/testdata/captured.hex", []byte(kept.String()), 0o644))
}

func TestAnswersAreWhatDigPrints(t *testing.T) {
	r := startResolver(t, freePort(t))
	recording := &bytes.Buffer{}
	options, lines := gathering(runtime.Options{Params: map[string]int64{"dns.port": int64(r.port), "dns.timeout": 1e9}, Record: recording})
	agent := runtimetest.Start(t, options, dns.New())
	nobody, err := net.Dial("udp", fmt.Sprint("127.0.0.2:", r.port))
	must(t, err)
	defer nobody.Close()
	_, err = nobody.Write(asking(1, "nobody.example.test"))
	must(t, err)
	all := map[string][]dug{}
	for n, q := range questions {
		if underEmulation() && n%3 > 0 { // where a dig takes half a second
			continue
		}
		for _, server := range []string{"127.0.0.1", "::1"} {
			all["udp"] = append(all["udp"], r.dig(t, server, q...))
			all["tcp"] = append(all["tcp"], r.dig(t, server, append(slices.Clone(q), "+tcp")...))
		}
	}
	agent.Wait("unanswered", 1)
	rows, ledger := agent.Stop()
	for transport, list := range all {
		for _, d := range list {
			checkTalk(t, rows, r, d, transport)
		}
	}
	if lost := ledger.Losses(); lost != 0 {
		t.Errorf("%d events or rows were lost, want 0", lost)
	}
	if *update {
		capture(t, recording)
	}
	is := func(event, direction, question, transport string) func(runtimetest.Row) bool {
		return func(r runtimetest.Row) bool {
			return r.Text("event") == event && r.Text("direction") == direction && r.Text("question") == question && r.Text("transport") == transport
		}
	}
	if underEmulation() {
		return // not all of the sample was asked for
	}
	const name = "www.example.test"
	checkSample(t, "dns", lines, is("query", "out", name, "udp"), is("answer", "out", name, "udp"), is("answer", "in", name, "udp"), is("unanswered", "out", "nobody.example.test", "udp"),
		func(r runtimetest.Row) bool { return r.Text("table") == "names" && r.Text("question") == name },
		func(r runtimetest.Row) bool { return r.Text("table") == "outcomes" && r.Text("rcode") == "NXDOMAIN" })
}
