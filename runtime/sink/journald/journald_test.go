// SPDX-License-Identifier: Apache-2.0

package journald_test

import (
	"bytes"
	encbinary "encoding/binary"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/sink/journald"
)

func settings(changes ...string) runtime.Settings {
	s := runtime.Settings{}
	for _, one := range journald.Part().Settings {
		s[one.Name] = one.Default
	}
	for _, change := range changes {
		name, value, _ := strings.Cut(change, "=")
		s[name] = value
	}
	return s
}

func open(t testing.TB, changes ...string) runtime.Sink {
	t.Helper()
	s, err := journald.Part().Open(settings(changes...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// texts is an event with a string and a number.
func texts(text *[]byte, n *uint64) *runtime.Event {
	return &runtime.Event{
		Name: "e", Stream: true,
		Fields: []runtime.Field{{Name: "who.text", Type: runtime.TypeString}, {Name: "n", Type: runtime.TypeUint}, {Name: "none", Type: runtime.TypeErrno}},
		AppendJSON: func(dst []byte, _ runtime.Record) []byte {
			return append(runtime.AppendUint(append(dst, `{"n":`...), *n), '}')
		},
		AppendValues: func(dst []runtime.Value, _ runtime.Record) []runtime.Value {
			return append(dst, runtime.Value{Type: runtime.TypeString, Bytes: *text}, runtime.Value{Type: runtime.TypeUint, Num: *n}, runtime.Value{Type: runtime.TypeErrno})
		},
	}
}

func TestTheJournalHasTheFieldsAsTheyWere(t *testing.T) {
	j := newJournal(t)
	j.start()
	var text []byte
	var n uint64
	e := texts(&text, &n)
	s := open(t, "socket="+j.socket, "priority=warning")
	values := []string{"curl", "two\nlines\n", "\x01\xff\nINGRAIND_EVENT=false\n", strings.Repeat("long\n", 100_000), strings.Repeat("y", 300_000)}
	b := &runtime.Batch{Name: "0123"}
	for i, v := range values {
		text, n = []byte(v), uint64(i)
		b.Bytes = s.Encoding().AppendRow(b.Bytes, &runtime.Row{Grain: &runtime.Grain{Name: "g"}, Event: e, Record: runtime.Record{Time: 5, Weight: 2}})
	}
	if err := s.Ship(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	var all []map[string]any
	until(t, "the entries", func() bool { all = j.entries(); return len(all) >= len(values) })
	for i, got := range all {
		want := map[string]string{
			"MESSAGE": fmt.Sprintf(`{"n":%d}`, i), "PRIORITY": "4", "INGRAIND_GRAIN": "g", "INGRAIND_EVENT": "e", "INGRAIND_TIME": "5", "INGRAIND_WEIGHT": "2",
			"INGRAIND_BATCH": "0123", "INGRAIND_INDEX": fmt.Sprint(i), "INGRAIND_ROW_WHO_TEXT": values[i], "INGRAIND_ROW_N": fmt.Sprint(i),
		}
		for name, value := range want {
			if have := binary(got[name]); have != value {
				t.Errorf("entry %d: %s is %.60q, want %.60q", i, name, have, value)
			}
		}
		if _, ok := got["INGRAIND_ROW_NONE"]; ok {
			t.Errorf("entry %d has a field without a value", i)
		}
	}
}

// numbers ships rows while the journal is away, paused, killed if kills, and
// back. It returns how often each is in the journal.
func numbers(t *testing.T, kills bool) (times []int) {
	const rows = 100_000
	j := newJournal(t)
	spool, err := runtime.OpenSpool(runtime.SpoolOptions{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	var failed atomic.Int64
	lanes := runtime.NewLanes(runtime.NewLane(runtime.LaneOptions{
		Name: "journald", Sink: open(t, "socket="+j.socket), Spool: spool, Log: func(error) { failed.Add(1) },
	}))
	text, n := []byte("curl"), uint64(0)
	row := &runtime.Row{Event: texts(&text, &n), Record: runtime.Record{Weight: 1}}
	add := func(to uint64) {
		for ; n < to; n++ {
			lanes.Add(row)
		}
	}
	shipped := func(at uint64) func() bool {
		return func() bool { lanes.Tick(time.Now().Add(time.Minute)); return lanes.Books()[0].Shipped >= at }
	}
	add(rows / 4)
	until(t, "an error", func() bool { return shipped(0)() && failed.Load() > 0 })
	j.start()
	until(t, "rows", shipped(1))
	_ = j.cmd.Process.Signal(syscall.SIGSTOP)
	add(rows / 2)
	time.Sleep(300 * time.Millisecond) // a pause, not a wait for anything
	_ = j.cmd.Process.Signal(syscall.SIGCONT)
	until(t, "a quarter", shipped(rows/4))
	if kills {
		j.kill()
	}
	add(rows)
	if kills {
		j.start()
	}
	until(t, "all rows", shipped(rows))
	if err := lanes.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if b := lanes.Books()[0]; b.In != rows || b.Dropped != 0 || b.Retries == 0 {
		t.Errorf("got %+v, want all rows shipped, with retries", b)
	}
	last := -1
	var all []map[string]any
	until(t, "the journal to be idle", func() bool {
		time.Sleep(time.Second)
		all = j.entries()
		idle := len(all) == last
		last = len(all)
		return idle || last == rows
	})
	times = make([]int, rows)
	for _, e := range all {
		var i int
		if _, err := fmt.Sscan(binary(e["INGRAIND_ROW_N"]), &i); err != nil || i < 0 || i >= rows {
			t.Fatalf("got %q", e)
		}
		times[i]++
	}
	return times
}

func TestEachRowIsInTheJournalOnceThroughAPause(t *testing.T) {
	for n, k := range numbers(t, false) {
		if k != 1 {
			t.Fatalf("row %d is there %d times", n, k)
		}
	}
}

func TestMistakesAreNamed(t *testing.T) {
	for change, want := range map[string]string{
		"socket=x":       `socket: "x" is no whole path such as /run/systemd/journal/socket`,
		"identifier=":    `identifier: "" is no name of up to 64 characters of ASCII without spaces`,
		"identifier=a\n": `identifier: "a\n" is no name of up to 64 characters of ASCII without spaces`,
		"priority=7":     `priority: "7" is none of emerg, alert, crit, err, warning, notice, info, debug`,
	} {
		if _, err := journald.Part().Open(settings(change)); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", change, err, want)
		}
	}
}

func TestARowAllocatesNothing(t *testing.T) {
	text, n, dst := []byte("a\nb"), uint64(7), make([]byte, 0, 4096)
	row := &runtime.Row{Event: texts(&text, &n), Record: runtime.Record{Weight: 1}}
	e := open(t).Encoding()
	if n := testing.AllocsPerRun(100, func() { dst = e.AppendRow(dst[:0], row) }); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
}

// What waits in the socket of a journal that is killed is lost with it, unless
// systemd holds the socket, as it does where it runs the machine.
func TestRowsLostWithAKilledJournalAreThoseInItsSocket(t *testing.T) {
	first, last, missing := -1, -1, 0
	for n, k := range numbers(t, true) {
		if k > 1 {
			t.Fatalf("row %d is there %d times", n, k)
		}
		if k == 0 {
			if last = n; first < 0 {
				first = n
			}
			missing++
		}
	}
	t.Logf("%d rows are missing, from %d to %d", missing, first, last)
	text, err := os.ReadFile("/proc/sys/net/unix/max_dgram_qlen")
	if err != nil {
		t.Fatal(err)
	}
	var most int
	if _, err := fmt.Sscan(string(text), &most); err != nil {
		t.Fatal(err)
	}
	if most += 2; missing > most || missing > 0 && last-first+1 != missing {
		t.Errorf("%d rows are missing, from %d to %d: want one stretch of up to %d", missing, first, last, most)
	}
}

func FuzzEachValueIsOneField(f *testing.F) {
	f.Add([]byte("a"), uint64(1))
	f.Add([]byte("a\nINGRAIND_EVENT=x\n"), uint64(0))
	f.Fuzz(func(t *testing.T, text []byte, n uint64) {
		socket := filepath.Join(t.TempDir(), "s")
		conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		s := open(t, "socket="+socket)
		text = text[:min(len(text), 10_000)]
		b := &runtime.Batch{Name: "b", Bytes: s.Encoding().AppendRow(nil, &runtime.Row{Event: texts(&text, &n), Record: runtime.Record{Weight: 1}})}
		if err := s.Ship(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		buffer := make([]byte, 1<<16)
		size, err := conn.Read(buffer)
		if err != nil {
			t.Fatal(err)
		}
		fields, err := parse(buffer[:size])
		want, _, _ := bytes.Cut(text, []byte{0})
		if err != nil || fields["INGRAIND_ROW_WHO_TEXT"] != string(want) || fields["INGRAIND_ROW_N"] != fmt.Sprint(n) || fields["INGRAIND_EVENT"] != "e" || len(fields) != 11 {
			t.Errorf("got %q, %v", fields, err)
		}
	})
}

// parse reads an entry of the native protocol, each field once.
func parse(b []byte) (map[string]string, error) {
	fields := map[string]string{}
	for len(b) > 0 {
		end := bytes.IndexAny(b, "=\n")
		if end <= 0 {
			return nil, fmt.Errorf("no name: %q", b)
		}
		name, equals := string(b[:end]), b[end] == '='
		b = b[end+1:]
		var n int
		if equals {
			n = bytes.IndexByte(b, '\n')
		} else if len(b) >= 8 {
			n, b = int(encbinary.LittleEndian.Uint64(b)), b[8:]
		}
		if n < 0 || n >= len(b) || b[n] != '\n' {
			return nil, fmt.Errorf("%s has no end: %q", name, b)
		}
		if _, again := fields[name]; again {
			return nil, fmt.Errorf("%s comes again", name)
		}
		fields[name] = string(b[:n])
		b = b[n+1:]
	}
	return fields, nil
}
