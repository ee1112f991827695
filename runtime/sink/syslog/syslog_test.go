// SPDX-License-Identifier: Apache-2.0

package syslog_test

import (
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/sink/syslog"
	"github.com/redsift/ingraind/runtime/sinktest"
)

func settings(changes ...string) runtime.Settings {
	return sinktest.Settings(syslog.Part(), changes...)
}

func open(t testing.TB, changes ...string) runtime.Sink {
	t.Helper()
	s, err := syslog.Part().Open(settings(changes...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// textRow is a row whose JSON is what it is given.
func textRow(grain, event, json string, at int64) *runtime.Row {
	e := &runtime.Event{Name: event, Stream: true, AppendJSON: func(dst []byte, _ runtime.Record) []byte { return append(dst, json...) }}
	return &runtime.Row{Grain: &runtime.Grain{Name: grain}, Event: e, Record: runtime.Record{Time: at, Weight: 1}}
}

// sent are the datagrams that a sink sends of rows.
func sent(t testing.TB, name string, rows []*runtime.Row, changes ...string) []string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	s := open(t, append([]string{"address=unix://" + path}, changes...)...)
	b := &runtime.Batch{Name: name, Rows: len(rows)}
	for _, row := range rows {
		b.Bytes = s.Encoding().AppendRow(b.Bytes, row)
	}
	done := make(chan error, 1)
	go func() { done <- s.Ship(t.Context(), b) }()
	var got []string
	buffer := make([]byte, 1<<17)
	for range rows {
		if err := conn.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
			t.Fatal(err)
		}
		n, err := conn.Read(buffer)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(buffer[:n]))
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	return got
}

func TestAMessageIsWhatTheDocumentSays(t *testing.T) {
	rows := []*runtime.Row{textRow("conn", "connect", `{"a":1}`, 1_700_000_000_123_456_789), textRow("conn", "a\"] \\b", `{}`, 0)}
	got := sent(t, "0123", rows, "hostname=h.example", "severity=warning", "facility=local3", "app_name=a")
	want := []string{
		`<156>1 2023-11-14T22:13:20.123456Z h.example a - conn.connect [ingraind@32473 grain="conn" event="connect" batch="0123" index="0"] {"a":1}`,
		`<156>1 1970-01-01T00:00:00.000000Z h.example a - conn.a"]_\b [ingraind@32473 grain="conn" event="a\"\] \\b" batch="0123" index="1"] {}`,
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("got  %s\nwant %s", got[i], want[i])
		}
	}
}

func TestALongMessageIsCutAndSaysSo(t *testing.T) {
	const most = 2048
	text := `"` + strings.Repeat("é", 3000) + `"`
	m, err := parse(sent(t, strings.Repeat("f", 32), []*runtime.Row{textRow("g", "e", text, 0)}, "max_size=2048")[0])
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(text, m.msg) || strings.HasSuffix(m.msg, "\xc3") || m.data["ingraind@32473"]["cut"] != fmt.Sprint(len(text)-len(m.msg)) || len(m.msg) < most/2 {
		t.Errorf("got %d bytes and %q", len(m.msg), m.data)
	}
}

func TestMistakesAreNamed(t *testing.T) {
	for change, want := range map[string]string{
		"address=":          `address: "" is neither a socket, such as unix:///dev/log, nor a server, such as udp://127.0.0.1:514, tcp://[::1]:601 or tls://logs.example.com:6514`,
		"address=unix://x":  `address: "unix://x" is no socket such as unix:///dev/log: want the whole path`,
		"address=tcp://h:0": `address: "tcp://h:0" is neither`,
		"facility=x":        `facility: "x" is none of kern, user,`,
		"severity=loud":     `severity: "loud" is none of emerg, alert,`,
		"app_name=a b":      `app_name: "a b" is no name of up to 48 characters`,
		"hostname=é":        `hostname: "é" is no name of up to 255 characters`,
		"max_size=1KiB":     `max_size: want from 2048 to 65507 bytes`,
		"max_size=x":        `max_size: "x" is no amount of bytes`,
		"ca_file=/nowhere":  `address: ca_file, cert_file and key_file are for one that begins with tls://`,
	} {
		if _, err := syslog.Part().Open(settings(change)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", change, err, want)
		}
	}
}

func TestARowAllocatesNothing(t *testing.T) {
	row, dst := textRow("g", "e", `{"a":1}`, 1), make([]byte, 0, 4096)
	e := open(t).Encoding()
	if n := testing.AllocsPerRun(100, func() { dst = e.AppendRow(dst[:0], row) }); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
}

func TestAForeignBatchIsRefusedForGood(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, address := range []string{"udp://127.0.0.1:9", "tcp://" + l.Addr().String()} {
		for _, text := range []string{"x", "\xff\xff\xff\xff00000000", "\x01\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00abc"} {
			if err := open(t, "address="+address).Ship(t.Context(), &runtime.Batch{Name: "a", Bytes: []byte(text)}); !runtime.IsPermanent(err) {
				t.Errorf("%s %q: got %v, want a permanent error", address, text, err)
			}
		}
	}
}

func FuzzAnyMessageParses(f *testing.F) {
	f.Add("conn", "connect", `{"a":"]\""}`, int64(1))
	f.Add("", "é]\\\"\x00", strings.Repeat("é", 2000), int64(-1))
	f.Add("\xff", strings.Repeat("\xff", 999), "\n\r\x00", int64(1)<<62)
	f.Fuzz(func(t *testing.T, grain, event, json string, at int64) {
		name := strings.Repeat("f", 32)
		text := sent(t, name, []*runtime.Row{textRow(grain, event, json, at)}, "max_size=2048")[0]
		m, err := parse(text)
		if err != nil || len(text) > 2048 {
			t.Fatalf("%d bytes, %v", len(text), err)
		}
		d := m.data["ingraind@32473"]
		if d["batch"] != name || d["index"] != "0" || !strings.HasPrefix(json, m.msg) || (d["cut"] == "") != (json == m.msg) {
			t.Errorf("got %q", text)
		}
	})
}
