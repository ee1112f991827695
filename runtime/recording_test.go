// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"github.com/google/go-cmp/cmp"
)

// rawRecord is a head and a body.
func rawRecord(grain, event uint16, body string) []byte {
	raw := make([]byte, HeadSize, HeadSize+len(body))
	binary.LittleEndian.PutUint64(raw, 1000)
	binary.LittleEndian.PutUint32(raw[8:], 1)
	binary.LittleEndian.PutUint16(raw[12:], grain)
	binary.LittleEndian.PutUint16(raw[14:], event)
	return append(raw, body...)
}

func recordedGrains() []RecordedGrain {
	return []RecordedGrain{
		{Name: "exec", BTF: []byte{1, 2, 3}, Events: []RecordedEvent{{"exec", "struct 8\npid 0 4 signed\n"}, {"exit", "struct 4\n"}}},
		{Name: "conn", Events: []RecordedEvent{{"connect", "struct 16\n"}}},
	}
}

type recorded struct {
	Raw    string
	Offset int64
}

func record(t testing.TB, records ...recorded) []byte {
	t.Helper()
	var file bytes.Buffer
	w, err := NewRecordingWriter(&file, recordedGrains())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		if err := w.Append([]byte(r.Raw), r.Offset); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// readAll reads to the end, or to what is wrong.
func readAll(r *RecordingReader) ([]recorded, error) {
	var all []recorded
	for {
		raw, offset, err := r.Next()
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		all = append(all, recorded{string(raw), offset})
	}
}

func TestRecordingReturnsWhatWasAppended(t *testing.T) {
	want := []recorded{
		{string(rawRecord(0, 0, "one")), 77},
		{string(rawRecord(0, 1, "")), 77},
		{"short", -5},
		{"", -5},
		{string(rawRecord(1, 0, strings.Repeat("x", 3*recordingBuffer))), 78},
	}
	file := record(t, want...)
	for name, in := range map[string]io.Reader{
		"in one read":         bytes.NewReader(file),
		"a byte at a time":    iotest.OneByteReader(bytes.NewReader(file)),
		"with data and error": iotest.DataErrReader(bytes.NewReader(file)),
	} {
		r, err := NewRecordingReader(in)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(recordedGrains(), r.Grains()); diff != "" {
			t.Errorf("%s: grains, -want +got:\n%s", name, diff)
		}
		got, err := readAll(r)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: records, -want +got:\n%s", name, diff)
		}
	}
}

func TestRecordingWritesAnOffsetOnlyWhenItChanges(t *testing.T) {
	one := len(record(t, recorded{"x", 5}))
	two := len(record(t, recorded{"x", 5}, recorded{"x", 5}))
	if got, want := two-one, frameHeadSize+1; got != want {
		t.Errorf("the second record took %d bytes, want %d", got, want)
	}
}

// Wherever a recording ends, the records before are read, and the end is told
// to be torn unless it falls between two frames.
func TestRecordingCutAnywhereKeepsWholeRecords(t *testing.T) {
	records := []recorded{{string(rawRecord(0, 0, "one")), 1}, {string(rawRecord(0, 1, "two")), 2}}
	file := record(t, records...)
	described := len(record(t))
	offset := frameHeadSize + 8
	between := map[int]int{ // size of the file: records in it
		described:          0,
		described + offset: 0,
		described + offset + frameHeadSize + len(records[0].Raw):   1,
		described + 2*offset + frameHeadSize + len(records[0].Raw): 1,
		len(file): 2,
	}
	for size := range len(file) + 1 {
		r, err := NewRecordingReader(bytes.NewReader(file[:size]))
		if size < described {
			if err == nil {
				t.Errorf("cut at %d: got no error, though grains are missing", size)
			}
			continue
		}
		if err != nil {
			t.Errorf("cut at %d: %v", size, err)
			continue
		}
		got, err := readAll(r)
		n, whole := between[size]
		if whole {
			if err != nil || len(got) != n {
				t.Errorf("cut at %d: got %d records and %v, want %d and no error", size, len(got), err, n)
			}
			continue
		}
		var torn *TornError
		if !errors.As(err, &torn) {
			t.Errorf("cut at %d: got %v, want a TornError", size, err)
		}
		if diff := cmp.Diff(records[:len(got)], got, cmp.Transformer("empty", func(r []recorded) []recorded { return append([]recorded{}, r...) })); diff != "" {
			t.Errorf("cut at %d, -want +got:\n%s", size, diff)
		}
		if _, _, err := r.Next(); err != io.EOF {
			t.Errorf("cut at %d: after the TornError got %v, want io.EOF", size, err)
		}
	}
}

func TestRecordingWithAFlippedBitIsTornThere(t *testing.T) {
	file := record(t, recorded{string(rawRecord(0, 0, "one")), 1}, recorded{string(rawRecord(0, 0, "two")), 1})
	for at := recordingStart; at < len(file); at++ {
		bad := bytes.Clone(file)
		bad[at] ^= 0x10
		r, err := NewRecordingReader(bytes.NewReader(bad))
		if err == nil {
			_, err = readAll(r)
		}
		var torn *TornError
		if !errors.As(err, &torn) || torn.At > int64(at) || torn.At < int64(recordingStart) {
			t.Errorf("bit flipped at %d: got %v, want a TornError at or before it", at, err)
		}
	}
}

func TestRecordingRefusesOtherFiles(t *testing.T) {
	version2 := record(t)
	version2[len(recordingMagic)] = 2
	for _, test := range []struct{ file, want string }{
		{"", "this is no recording: it does not start with INGRAIN"},
		{"INGR", "this is no recording: it does not start with INGRAIN"},
		{"\x7fELF and so on", "this is no recording: it does not start with INGRAIN"},
		{string(version2), "the recording has version 2, and this agent reads version 1"},
	} {
		_, err := NewRecordingReader(strings.NewReader(test.file))
		if err == nil || err.Error() != test.want {
			t.Errorf("%.10q: got error %v, want %s", test.file, err, test.want)
		}
	}
}

func TestRecordingSizeThatLiesTakesNoMemory(t *testing.T) {
	file := record(t)
	file = binary.LittleEndian.AppendUint32(file, 0)
	file = binary.LittleEndian.AppendUint32(file, MaxRecordSize)
	file = append(file, frameRecord, 'x')
	r, err := NewRecordingReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := readAll(r); err == nil || !strings.Contains(err.Error(), "ends inside of a frame") {
		t.Errorf("got %v, want that it ends inside of a frame", err)
	}
	if got := cap(r.buffer); got > 2*recordingBuffer {
		t.Errorf("a lie of 1 MiB took %d bytes", got)
	}
}

// full takes room bytes, then no more.
type full struct {
	bytes.Buffer
	room int
}

func (f *full) Write(p []byte) (int, error) {
	n := min(len(p), f.room-f.Len())
	f.Buffer.Write(p[:n])
	if n < len(p) {
		return n, errors.New("no space left")
	}
	return n, nil
}

func TestRecordingWriterCountsWhatItLoses(t *testing.T) {
	disk := &full{room: len(record(t)) + 2*recordingBuffer}
	w, err := NewRecordingWriter(disk, recordedGrains())
	if err != nil {
		t.Fatal(err)
	}
	const records = 1000
	raw := rawRecord(0, 0, strings.Repeat("x", 1000))
	failed := 0
	for range records {
		if w.Append(raw, 1) != nil {
			failed++
		}
	}
	if err := w.Flush(); err == nil || err.Error() != "record: no space left" {
		t.Errorf("got error %v, want record: no space left", err)
	}
	r, err := NewRecordingReader(&disk.Buffer)
	if err != nil {
		t.Fatal(err)
	}
	got, err := readAll(r)
	var torn *TornError
	if !errors.As(err, &torn) {
		t.Errorf("got %v, want a TornError", err)
	}
	// Those of the write that went wrong count as lost, found or not.
	inOneWrite := uint64(recordingBuffer/len(raw) + 1)
	if n := uint64(len(got)); n+w.Lost() < records || n+w.Lost() > records+inOneWrite {
		t.Errorf("%d appended: got %d read and %d lost", records, n, w.Lost())
	}
	if failed == 0 || w.Lost() < uint64(failed) {
		t.Errorf("%d appends failed, got %d lost", failed, w.Lost())
	}
}

func TestRecordingWriterRefusesARecordThatIsTooLong(t *testing.T) {
	w, err := NewRecordingWriter(io.Discard, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Append(make([]byte, MaxRecordSize+1), 0); err == nil || w.Lost() != 1 {
		t.Errorf("got error %v and %d lost, want an error and 1", err, w.Lost())
	}
	if err := w.Append(make([]byte, MaxRecordSize), 0); err != nil || w.Lost() != 1 {
		t.Errorf("afterwards got error %v and %d lost, want none and 1", err, w.Lost())
	}
}

func TestRecordingMapsNumbersByName(t *testing.T) {
	file := record(t,
		recorded{string(rawRecord(0, 0, "exec")), 1},
		recorded{string(rawRecord(0, 1, "exit")), 1},
		recorded{string(rawRecord(1, 0, "connect")), 1},
		recorded{string(rawRecord(1, 1, "not described")), 1},
		recorded{string(rawRecord(9, 0, "not described")), 1},
		recorded{"short", 1})
	r, err := NewRecordingReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	then := recordedGrains()
	here := []RecordedGrain{
		{Name: "other"},
		{Name: "conn", Events: []RecordedEvent{{Name: "accept"}, then[1].Events[0]}},
		{Name: "exec", Events: []RecordedEvent{then[0].Events[1], then[0].Events[0]}},
	}
	if err := r.Map(here); err != nil {
		t.Fatal(err)
	}
	got, err := readAll(r)
	if err != nil {
		t.Fatal(err)
	}
	want := []recorded{
		{string(rawRecord(2, 1, "exec")), 1},
		{string(rawRecord(2, 0, "exit")), 1},
		{string(rawRecord(1, 1, "connect")), 1},
		{string(rawRecord(nowhere, nowhere, "not described")), 1},
		{string(rawRecord(nowhere, nowhere, "not described")), 1},
		{"short", 1},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestRecordingRefusesEventsThatAreNotTheSame(t *testing.T) {
	r, err := NewRecordingReader(bytes.NewReader(record(t)))
	if err != nil {
		t.Fatal(err)
	}
	err = r.Map([]RecordedGrain{{Name: "exec", Events: []RecordedEvent{{"exec", "struct 8\npid 4 4 signed\n"}}}})
	want := `event exec.exec was recorded with another layout: "pid 0 4 signed" there, "pid 4 4 signed" here
event exec.exit is in the recording, and not in this agent
grain conn is in the recording, and not in this agent`
	if err == nil || err.Error() != want {
		t.Errorf("got:\n%v\nwant:\n%s", err, want)
	}
}

func TestDescribeGrainSaysHowEventsLie(t *testing.T) {
	u16 := &btf.Int{Name: "__u16", Size: 2}
	u32 := &btf.Int{Name: "__u32", Size: 4}
	char := &btf.Int{Name: "char", Size: 1, Encoding: btf.Signed}
	who := &btf.Struct{Name: "who", Size: 20, Members: []btf.Member{
		{Name: "comm", Type: &btf.Array{Index: u32, Type: char, Nelems: 16}},
		{Name: "pid", Type: &btf.Typedef{Name: "pid_t", Type: &btf.Int{Name: "int", Size: 4, Encoding: btf.Signed}}, Offset: 16 * 8},
	}}
	path := &btf.Struct{Size: 8, Members: []btf.Member{
		{Name: "at", Type: u16},
		{Name: "len", Type: u16, Offset: 2 * 8},
		{Name: "state", Type: u32, Offset: 4 * 8},
		{Name: "text", Type: &btf.Array{Index: u32, Type: &btf.Array{Index: u32, Type: char, Nelems: 256}}, Offset: 8 * 8},
	}}
	event := &btf.Struct{Name: "_data_exec", Size: 32, Members: []btf.Member{
		{Name: "who", Type: who},
		{Name: "path", Type: path, Offset: 20 * 8},
		{Name: "direction", Type: &btf.Enum{Name: "direction", Size: 4}, Offset: 28 * 8},
	}}
	builder, err := btf.NewBuilder([]btf.Type{event}, nil)
	if err != nil {
		t.Fatal(err)
	}
	types, err := builder.Spec()
	if err != nil {
		t.Fatal(err)
	}
	grain := &Grain{Name: "exec", Events: []Event{{Name: "exec"}}, Load: func() (*ebpf.CollectionSpec, error) {
		return &ebpf.CollectionSpec{Types: types}, nil
	}}
	got, err := DescribeGrain(grain)
	if err != nil {
		t.Fatal(err)
	}
	want := `struct 32
who.comm[16] 0 1 signed
who.pid 16 4 signed
path.at 20 2 unsigned
path.len 22 2 unsigned
path.state 24 4 unsigned
path.text[] 28
direction 28 4 enum
`
	if diff := cmp.Diff(want, got.Events[0].Layout); diff != "" {
		t.Errorf("layout, -want +got:\n%s", diff)
	}
	alone, err := btf.LoadSpecFromReader(bytes.NewReader(got.BTF))
	if err != nil {
		t.Fatalf("the BTF does not stand alone: %v", err)
	}
	var s *btf.Struct
	if err := alone.TypeByName("_data_exec", &s); err != nil {
		t.Fatal(err)
	}
	if got := layoutOf(s); got != want {
		t.Errorf("the layout from the recorded BTF: got\n%s\nwant\n%s", got, want)
	}

	grain.Events = append(grain.Events, Event{
		Name:   "exit",
		Fields: []Field{{Name: "pid", Type: TypePID}, {Name: "code", Type: TypeInt}},
		Check:  func(body []byte) bool { return len(body) >= 8 },
	})
	if got, err = DescribeGrain(grain); err != nil {
		t.Fatal(err)
	}
	if got, want := got.Events[1].Layout, "body 8\npid type 23\ncode type 2\n"; got != want {
		t.Errorf("an event without a struct: got layout\n%s\nwant\n%s", got, want)
	}
}

func TestRecordingAllocatesNothingPerRecord(t *testing.T) {
	raw := rawRecord(0, 0, strings.Repeat("x", 200))
	w, err := NewRecordingWriter(io.Discard, recordedGrains())
	if err != nil {
		t.Fatal(err)
	}
	offset := int64(0)
	if got := testing.AllocsPerRun(2000, func() {
		offset++
		if err := w.Append(raw, offset/2); err != nil {
			t.Fatal(err)
		}
	}); got != 0 {
		t.Errorf("Append: got %v allocations a record, want 0", got)
	}
	records := make([]recorded, 3000)
	for i := range records {
		records[i] = recorded{string(raw), int64(i / 2)}
	}
	r, err := NewRecordingReader(bytes.NewReader(record(t, records...)))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.Next(); err != nil {
		t.Fatal(err)
	}
	if got := testing.AllocsPerRun(2000, func() {
		if _, _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
	}); got != 0 {
		t.Errorf("Next: got %v allocations a record, want 0", got)
	}
}

// Whatever the bytes are: no panic, an end, and what is read can be written
// again to read the same.
func FuzzRecordingReader(f *testing.F) {
	f.Add([]byte{})
	f.Add(record(f))
	whole := record(f, recorded{string(rawRecord(0, 0, "one")), 1}, recorded{string(rawRecord(1, 0, "two")), 2})
	f.Add(whole)
	f.Add(whole[:len(whole)-2])
	f.Add(append(bytes.Clone(whole), 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, frameRecord))
	f.Fuzz(func(t *testing.T, file []byte) {
		r, err := NewRecordingReader(bytes.NewReader(file))
		if err != nil {
			return
		}
		first, _ := readAll(r)
		var again bytes.Buffer
		w, err := NewRecordingWriter(&again, r.Grains())
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range first {
			if err := w.Append([]byte(one.Raw), one.Offset); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		copied, err := NewRecordingReader(&again)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(r.Grains(), copied.Grains()); diff != "" {
			t.Errorf("grains, -first +again:\n%s", diff)
		}
		if err := copied.Map(r.Grains()); err != nil && len(r.Grains()) == 0 {
			t.Error(err)
		}
		second, err := readAll(copied)
		if err != nil || len(second) != len(first) {
			t.Errorf("got %d records and %v, want %d and no error", len(second), err, len(first))
		}
	})
}
