// SPDX-License-Identifier: Apache-2.0

package console_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode"

	"golang.org/x/sys/unix"

	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/sink/console"
)

// connect is an event as the generator describes one. A test sets its values.
type connect struct {
	grain  runtime.Grain
	values []runtime.Value
}

func newConnect(grain, event string) *connect {
	c := &connect{}
	c.grain = runtime.Grain{Name: grain, Events: []runtime.Event{{
		Name: event,
		Fields: []runtime.Field{
			{Name: "who.comm", Type: runtime.TypeString},
			{Name: "who.pid", Type: runtime.TypePID},
			{Name: "who.tid", Type: runtime.TypePID},
			{Name: "who.uid", Type: runtime.TypeUser},
			{Name: "peer", Type: runtime.TypeIP4},
			{Name: "path", Type: runtime.TypeText},
			{Name: "args", Type: runtime.TypeWords},
		},
		AppendValues: func(dst []runtime.Value, _ runtime.Record) []runtime.Value { return append(dst, c.values...) },
		AppendJSON:   func(dst []byte, _ runtime.Record) []byte { return append(dst, `{"a":1}`...) },
	}}}
	c.set("curl", 4711, 4711, "/usr/bin/curl", "curl\x00-s\x00a b\x00")
	return c
}

func (c *connect) set(comm string, pid, tid uint64, path, args string) {
	c.values = []runtime.Value{
		{Type: runtime.TypeString, Bytes: []byte(comm)},
		{Type: runtime.TypePID, Num: pid},
		{Type: runtime.TypePID, Num: tid},
		{Type: runtime.TypeUser, Num: 1000},
		{Type: runtime.TypeIP4, Bytes: []byte{192, 0, 2, 1}},
		{Type: runtime.TypeText, State: runtime.TailSet, Bytes: []byte(path)},
		{Type: runtime.TypeWords, State: runtime.TailSet, Bytes: []byte(args)},
	}
}

func (c *connect) row() *runtime.Row {
	at := time.Date(2026, 11, 23, 12, 34, 56, 123_999_999, time.Local).UnixNano()
	return &runtime.Row{Grain: &c.grain, Event: &c.grain.Events[0], Record: runtime.Record{Time: at, Weight: 1}}
}

func open(t *testing.T, w *bytes.Buffer, terminal bool, format string) runtime.Sink {
	t.Helper()
	s, err := console.Open(w, terminal, runtime.Settings{"format": format})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestRowsOfAnEventLineUp(t *testing.T) {
	c, e := newConnect("conn", "connect"), open(t, nil, false, "text").Encoding()
	got := e.AppendRow(nil, c.row())
	c.set("systemd-resolve", 9, 10, "/bin/x", "x\x00")
	got = e.AppendRow(got, c.row())
	c.set("sh", 123456, 123456, "/usr/lib/a/very/long/path/to/a/program", "")
	got = e.AppendRow(got, c.row())
	c.set("sh", 1, 1, "/bin/sh", "sh\x00")
	got = e.AppendRow(got, c.row())
	want := `12:34:56.123 conn.connect curl[4711] uid=1000 peer=192.0.2.1 path=/usr/bin/curl args=curl -s 'a b'
12:34:56.123 conn.connect systemd-resolve[9] tid=10 uid=1000 peer=192.0.2.1 path=/bin/x        args=x
12:34:56.123 conn.connect sh[123456]         uid=1000 peer=192.0.2.1 path=/usr/lib/a/very/long/path/to/a/program args=
12:34:56.123 conn.connect sh[1]              uid=1000 peer=192.0.2.1 path=/bin/sh                  args=sh
`
	if string(got) != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestEventNamedAsItsGrainIsNamedOnce(t *testing.T) {
	c := newConnect("exec", "exec")
	if got := string(open(t, nil, false, "text").Encoding().AppendRow(nil, c.row())); !strings.HasPrefix(got, "12:34:56.123 exec curl[4711] ") {
		t.Errorf("got %s", got)
	}
}

func TestWeightIsSaidWhenARowStandsForMore(t *testing.T) {
	row := newConnect("conn", "connect").row()
	row.Record.Weight = 100
	if got := string(open(t, nil, false, "text").Encoding().AppendRow(nil, row)); !strings.HasSuffix(got, " weight=100\n") {
		t.Errorf("got %s", got)
	}
}

func TestColoursAreForTerminalsThatWantThem(t *testing.T) {
	for _, c := range []struct {
		terminal      bool
		noColor, term string
		want          bool
	}{
		{true, "", "xterm", true},
		{true, "1", "xterm", false},
		{true, "", "dumb", false},
		{false, "", "xterm", false},
	} {
		t.Setenv("NO_COLOR", c.noColor)
		t.Setenv("TERM", c.term)
		got := open(t, nil, c.terminal, "text").Encoding().AppendRow(nil, newConnect("conn", "connect").row())
		if bytes.Contains(got, []byte("\x1b[")) != c.want {
			t.Errorf("%+v: got %q", c, got)
		}
	}
}

func TestColouredAndPlainTextAreTheSameText(t *testing.T) {
	t.Setenv("NO_COLOR", "")
	t.Setenv("TERM", "xterm")
	c := newConnect("conn", "connect")
	coloured, plain := open(t, nil, true, "text").Encoding(), open(t, nil, false, "text").Encoding()
	if coloured.Name() == plain.Name() {
		t.Errorf("both are named %s, and would share batches", plain.Name())
	}
	for range 3 {
		got := regexp.MustCompile("\x1b\\[[0-9;]*m").ReplaceAll(coloured.AppendRow(nil, c.row()), nil)
		if want := plain.AppendRow(nil, c.row()); !bytes.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		c.set("bash", 1, 2, "/bin/bash", "bash\x00")
	}
}

func TestNothingInARowReachesTheTerminalAsACommand(t *testing.T) {
	c, e := newConnect("conn", "connect"), open(t, nil, false, "text").Encoding()
	for _, s := range []string{"\x1b[2J", "a\nb", "\r", "\u009b1m", "\u202e", "\xff", "\x07"} {
		c.set(s, 1, 1, s, s+"\x00"+s)
		got := string(e.AppendRow(nil, c.row()))
		if i := strings.IndexFunc(strings.TrimSuffix(got, "\n"), func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }); i >= 0 {
			t.Errorf("%q: got %q", s, got)
		}
	}
}

func TestFormatFollowsTheOutput(t *testing.T) {
	for _, c := range []struct {
		format   string
		terminal bool
		want     string
	}{
		{"auto", false, "ndjson"}, {"auto", true, "text-colour"}, {"json", true, "ndjson"}, {"text", false, "text"},
	} {
		t.Setenv("NO_COLOR", "")
		t.Setenv("TERM", "xterm")
		if got := open(t, nil, c.terminal, c.format).Encoding().Name(); got != c.want {
			t.Errorf("%+v: got %s", c, got)
		}
	}
	if _, err := console.Open(nil, false, runtime.Settings{"format": "xml"}); err == nil || err.Error() != `format: "xml" is none of auto, text, json` {
		t.Errorf("xml: got %v", err)
	}
}

func TestJSONIsALineForARow(t *testing.T) {
	got := open(t, nil, false, "json").Encoding().AppendRow(nil, newConnect("conn", "connect").row())
	if !bytes.HasSuffix(got, []byte("\n")) || !json.Valid(got) {
		t.Errorf("got %q", got)
	}
}

// writes is a writer that takes at most so many bytes a time, then an error.
type writes struct {
	bytes.Buffer
	takes []int
	calls int
}

var errFull = errors.New("full")

func (w *writes) Write(b []byte) (int, error) {
	w.calls++
	if len(w.takes) == 0 {
		return w.Buffer.Write(b)
	}
	n := min(w.takes[0], len(b))
	w.takes = w.takes[1:]
	w.Buffer.Write(b[:n])
	return n, errFull
}

func TestBatchIsOneWrite(t *testing.T) {
	w := &writes{}
	s, err := console.Open(w, false, runtime.Settings{"format": "json"})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := s.(runtime.Prompt); !ok {
		t.Error("the console is not prompt")
	}
	if err := s.Ship(t.Context(), &runtime.Batch{Rows: 3, Bytes: []byte("1\n2\n3\n")}); err != nil || w.calls != 1 {
		t.Errorf("got %d writes, %v; want 1", w.calls, err)
	}
}

func TestBatchShippedAgainIsPrintedOnce(t *testing.T) {
	w := &writes{takes: []int{3, 0, 1}}
	s, err := console.Open(w, false, runtime.Settings{"format": "json"})
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range []string{"1\n2\n3\n", "4\n"} {
		batch := &runtime.Batch{Bytes: []byte(b)}
		for s.Ship(t.Context(), batch) != nil {
		}
	}
	if got, want := w.String(), "1\n2\n3\n4\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestPipeThatNobodyReadsIsErrClosed(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	s, err := console.Open(w, false, runtime.Settings{"format": "json"})
	if err != nil {
		t.Fatal(err)
	}
	err = s.Ship(t.Context(), &runtime.Batch{Rows: 1, Bytes: []byte("1\n")})
	if !runtime.IsPermanent(err) || !errors.Is(err, console.ErrClosed) {
		t.Errorf("got %v, want a permanent ErrClosed", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestStandardOutputThatNobodyReadsIsErrClosed replaces this process's own
// standard output for a moment.
func TestStandardOutputThatNobodyReadsIsErrClosed(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	saved, err := syscall.Dup(1)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Dup3(int(w.Fd()), 1, 0); err != nil {
		t.Fatal(err)
	}
	s, err := console.Part().Open(runtime.Settings{"format": "auto"})
	if err2 := unix.Dup3(saved, 1, 0); err2 != nil {
		t.Fatal(err2)
	}
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Encoding().Name(); got != "ndjson" {
		t.Errorf("a pipe gets %s, want ndjson", got)
	}
	r.Close()
	w.Close()
	if err := s.Ship(context.Background(), &runtime.Batch{Rows: 1, Bytes: []byte("1\n")}); !errors.Is(err, console.ErrClosed) {
		t.Errorf("got %v, want ErrClosed", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestTextOfARowAllocatesNothing(t *testing.T) {
	t.Setenv("NO_COLOR", "")
	t.Setenv("TERM", "xterm")
	row, e := newConnect("conn", "connect").row(), open(t, nil, true, "text").Encoding()
	dst := e.AppendRow(make([]byte, 0, 4096), row)
	if n := testing.AllocsPerRun(100, func() { dst = e.AppendRow(dst[:0], row) }); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
}
