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
	"testing"
	"time"

	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/sink/journald"
	"github.com/redsift/ingraind/runtime/sinktest"
)

func settings(changes ...string) runtime.Settings {
	return sinktest.Settings(journald.Part(), changes...)
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
	j.Start()
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
	sinktest.Until(t, "the entries", func() bool { all = j.entries(); return len(all) >= len(values) })
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
// back, and returns what is in the journal.
func numbers(t *testing.T, kills bool) *sinktest.Tally {
	j := newJournal(t)
	o := sinktest.Outage{Name: "journald", Sink: open(t, "socket="+j.socket), Rows: sinktest.Rows(), Faults: []sinktest.Fault{
		{Name: "a journal that is away", Begin: func() {}, End: j.Start},
		sinktest.Pause(func() { j.Pause() }, func() { j.Resume() }, 300*time.Millisecond),
	}}
	if kills {
		o.Faults = append(o.Faults, sinktest.Fault{Name: "a journal that is killed", Begin: j.Kill, End: j.Start})
	}
	o.Run(t)
	var tally *sinktest.Tally
	last := -1
	sinktest.Until(t, "the journal to be idle", func() bool {
		time.Sleep(time.Second)
		tally = sinktest.NewTally(o.Rows)
		for _, e := range j.entries() {
			tally.AddText(binary(e["MESSAGE"]))
		}
		idle := tally.Distinct() == last
		last = tally.Distinct()
		return idle || last == o.Rows
	})
	return tally
}

func TestEachRowIsInTheJournalOnceThroughAPause(t *testing.T) { numbers(t, false).MustHold(t, true) }

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
	tally := numbers(t, true)
	missing := tally.Missing(0, sinktest.Rows())
	t.Logf("missing are %v", missing)
	text, err := os.ReadFile("/proc/sys/net/unix/max_dgram_qlen")
	if err != nil {
		t.Fatal(err)
	}
	var most int
	if _, err := fmt.Sscan(string(text), &most); err != nil {
		t.Fatal(err)
	}
	most += 2
	if len(missing) > 1 || len(missing) == 1 && missing[0].Len() > most || tally.Again() > 0 {
		t.Errorf("rows are missing in %d stretches, want one of up to %d; %d came again", len(missing), most, tally.Again())
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
