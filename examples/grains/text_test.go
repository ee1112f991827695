// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"encoding/binary"
	"github.com/cilium/ebpf"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/redsift/ingraind/examples/grains/generated/written"
	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/runtimetest"
	"golang.org/x/sys/unix"
)

// said is a row of the grain written.
type said struct {
	Start, Line                 any // text, or nil
	Words                       any
	StartCut, WordsCut, LineCut bool
}

// TestTextsAndWordsHoldWhatFits: three variable parts share a record, each with
// a limit of its own.
func TestTextsAndWordsHoldWhatFits(t *testing.T) {
	long := strings.Repeat("0123456789", 10)
	tests := []struct {
		name, written string
		want          said
	}{
		{"nothing", "", said{Start: "", Line: "", Words: []any{}}},
		{"one letter", "x", said{Start: "x", Line: "x", Words: []any{"x"}}},
		{"as much as start has", long[:15], said{Start: long[:15], Line: long[:15], Words: []any{long[:15]}}},
		{"one more than that", long[:16], said{Start: long[:15], StartCut: true, Line: long[:16], Words: []any{long[:16]}}},
		{"as much as line has", long[:31], said{Start: long[:15], StartCut: true, Line: long[:31], Words: []any{long[:31]}}},
		{"one more than line", long[:32], said{Start: long[:15], StartCut: true, Line: long[:31], LineCut: true, Words: []any{long[:32]}}},
		{"as much as words have", long[:64], said{Start: long[:15], StartCut: true, Line: long[:31], LineCut: true, Words: []any{long[:64]}}},
		{"one more than words", long[:65], said{Start: long[:15], StartCut: true, Line: long[:31], LineCut: true, Words: []any{long[:64]}, WordsCut: true}},
		{"three words", "a\x00\x00bc\x00", said{Start: "a", Line: "a", Words: []any{"a", "", "bc"}}},
		{"quotes, newlines", "\"\\\n\x01<é\xff", said{Start: "\"\\\n\x01<é\ufffd", Line: "\"\\\n\x01<é\ufffd", Words: []any{"\"\\\n\x01<é\ufffd"}}},
	}
	null, err := unix.Open("/dev/null", unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(null)
	agent := speaking(t, null)
	for _, test := range tests {
		if _, err := unix.Write(null, append([]byte(test.written), make([]byte, 100)...)[:len(test.written)]); err != nil {
			t.Fatal(err)
		}
	}
	rows, _ := stop(t, agent)
	rows = slices.DeleteFunc(rows, func(r runtimetest.Row) bool { return r.Int("who.pid") != int64(os.Getpid()) })
	if len(rows) != len(tests) {
		t.Fatalf("got %d events, want %d: %v", len(rows), len(tests), rows)
	}
	for i, test := range tests {
		r := rows[i]
		got := said{r["start"], r["line"], r["words"], r["start_cut"] == true, r["words_cut"] == true, r["line_cut"] == true}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", test.name, diff)
		}
		if got := r.Int("count"); got != int64(len(test.written)) {
			t.Errorf("%s: count is %d, want %d", test.name, got, len(test.written))
		}
	}
}

// speaking is an agent that sees what is written to a file descriptor.
func speaking(t *testing.T, fd int) *runtimetest.Agent {
	t.Helper()
	return start(t, runtime.Options{Params: map[string]int64{"written.fd": int64(fd)}}, written.New())
}

// TestEventsWithoutScratchMemoryAreCounted: when probes nest deeper than there
// are slots, what finds none is an error of the ledger, not a silent loss. The
// test takes all slots itself.
func TestEventsWithoutScratchMemoryAreCounted(t *testing.T) {
	opened, err := unix.Open("/dev/null", unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(opened)
	const null = 977 // a descriptor that no other program writes to meanwhile
	if err := unix.Dup3(opened, null, unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	defer unix.Close(null)
	agent := speaking(t, null)
	slots := slotsOf(t)
	write := func(n int) {
		for range n {
			if _, err := unix.Write(null, []byte("x")); err != nil {
				t.Fatal(err)
			}
		}
	}
	set := func(taken uint32) {
		slot := make([]byte, slots.ValueSize())
		binary.NativeEndian.PutUint32(slot, taken)
		for i := range slots.MaxEntries() {
			if err := slots.Put(i, slot); err != nil {
				t.Fatal(err)
			}
		}
	}
	write(2)
	set(1)
	write(3)
	set(0)
	write(4)
	rows, ledger := agent.Stop()
	if b := ledger.Events[0]; len(rows) != 6 || b.Seen != 9 || b.Errors != 3 || b.Emitted != 6 {
		t.Errorf("got %d rows and the books %+v, want 6 of 9 events, and 3 errors", len(rows), b)
	}
}

// slotsOf is the scratch memory of the one agent that this process runs.
func slotsOf(t *testing.T) *ebpf.Map {
	t.Helper()
	for object := range held(t) {
		kind, number, _ := strings.Cut(object, " ")
		id, err := strconv.ParseUint(number, 10, 32)
		if kind != "map_id" || err != nil {
			continue
		}
		m, err := ebpf.NewMapFromID(ebpf.MapID(id))
		if err != nil {
			t.Fatal(err)
		}
		info, err := m.Info()
		if err != nil {
			t.Fatal(err)
		}
		if info.Name == "ingrain_slots" {
			t.Cleanup(func() { m.Close() })
			return m
		}
		m.Close()
	}
	t.Fatal("the agent holds no map ingrain_slots")
	return nil
}
