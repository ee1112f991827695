// SPDX-License-Identifier: Apache-2.0

package gen_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/redsift/ingraind/gen/testdata/golden/generated/said"
	"github.com/redsift/ingraind/runtime"
)

// wordBody is struct _data_word of testdata/golden/bpf/said.bpf.c, a note and
// the bytes that are parsed behind it; state is that of the bytes.
func wordBody(note, text string, state runtime.TailState) []byte {
	var b bytes.Buffer
	binary.Write(&b, binary.LittleEndian, struct {
		Note, Said mirrorTail
		Port       uint16
		_          [2]byte
	}{
		mirrorTail{0, uint16(len(note)), uint32(runtime.TailSet)},
		mirrorTail{uint16(len(note)), uint16(len(text)), uint32(state)},
		53, [2]byte{},
	})
	return append(b.Bytes(), note+text...)
}

// parsedRow is the row of a body, and whether it could be parsed.
func parsedRow(t *testing.T, e *runtime.Event, body []byte) (runtime.Record, map[string]any, bool) {
	t.Helper()
	if !e.Check(body) {
		t.Fatalf("%s: the body is not whole", e.Name)
	}
	whole, parsed := e.Whole(new([]byte), body)
	r := runtime.Record{Time: 1, Weight: 2, Body: whole}
	row := map[string]any{}
	if line := e.AppendJSON(nil, r); json.Unmarshal(line, &row) != nil {
		t.Fatalf("%s: no JSON: %s", e.Name, line)
	}
	return r, row, parsed
}

func TestFieldsThatAFunctionOfGoGivesAreLikeOthers(t *testing.T) {
	e := &said.New().Events[0]
	r, row, parsed := parsedRow(t, e, wordBody("note", "one two three", runtime.TailSet))
	if !parsed {
		t.Error("got false, want the words parsed")
	}
	want := map[string]any{
		"time": "1970-01-01T00:00:00.000000001Z", "grain": "said", "event": "word", "weight": 2.0, "note": "note", "port": 53.0,
		"first": "one", "rest": []any{"two", "three"}, "many": true,
		"u8": 2.0, "u16": 2.0, "u32": 2.0, "u64": 2.0, "s8": -2.0, "s16": -2.0, "s32": -2.0, "s64": -2.0,
		"ip": "192.0.2.2", "ip4": "192.0.2.2", "mac": "02:00:00:00:00:02", "peer": 2.0, "size": 13.0, "wait": 2000.0,
	}
	if diff := cmp.Diff(want, row); diff != "" {
		t.Errorf("JSON (-want +got):\n%s", diff)
	}
	if n := len(e.AppendValues(nil, r)); n != len(e.Fields) {
		t.Errorf("got %d values, want %d", n, len(e.Fields))
	}
	got, ok := said.DecodeWord(r)
	set := func(text string) runtime.Text { return runtime.Text{Text: text, State: runtime.TailSet} }
	typed := said.Word{
		Note: set("note"), Said: set("one two three"), Port: 53,
		First: set("one"), Others: runtime.Words{Words: []string{"two", "three"}, State: runtime.TailSet}, Many: true,
		U8: 2, U16: 2, U32: 2, U64: 2, S8: -2, S16: -2, S32: -2, S64: -2,
		IP: netip.MustParseAddr("192.0.2.2"), IP4: netip.MustParseAddr("192.0.2.2"), MAC: [6]byte{2, 5: 2},
		Peer: 2, Size: 13, Wait: 2 * time.Microsecond, Secret: 2, Parsed: true,
	}
	if diff := cmp.Diff(typed, got, cmpopts.IgnoreFields(said.Word{}, "Time"), cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" || !ok {
		t.Errorf("decoded %v (-want +got):\n%s", ok, diff)
	}
}

// What could not be parsed is a row all the same, with what the C says.
func TestWhatCouldNotBeParsedIsNull(t *testing.T) {
	e := &said.New().Events[0]
	for name, body := range map[string][]byte{
		"refused":        wordBody("note", "one\x00two", runtime.TailSet),
		"never set":      wordBody("note", "", 0),
		"not readable":   wordBody("note", "", runtime.TailSet|runtime.TailFault),
		"after a parsed": wordBody("note", "\x00", runtime.TailSet),
	} {
		e.Whole(new([]byte), wordBody("", "some words before", runtime.TailSet))
		r, row, parsed := parsedRow(t, e, body)
		if parsed {
			t.Errorf("%s: got true, want false", name)
		}
		if row["note"] != "note" || row["port"] != 53.0 || row["weight"] != 2.0 || len(row) != 6+17 {
			t.Errorf("%s: got %v, want note, port, weight and 17 nulls", name, row)
		}
		for _, f := range e.Fields[2:] {
			if v, there := row[f.Name]; v != nil || !there {
				t.Errorf("%s: got %v for %s, want null", name, v, f.Name)
			}
		}
		for i, v := range e.AppendValues(nil, r)[2:] {
			if !v.Null || v.Type != e.Fields[2+i].Type {
				t.Errorf("%s: got %+v for %s, want none", name, v, e.Fields[2+i].Name)
			}
		}
		if got, ok := said.DecodeWord(r); !ok || got.Parsed || got.First.State != 0 || got.Size != 0 {
			t.Errorf("%s: decoded %+v, %v", name, got, ok)
		}
	}
}

func TestPartsAreCutToTheirRoom(t *testing.T) {
	e := &said.New().Events[0]
	// 15 bytes of a text(16), as in C; of words(32) those that fit whole.
	_, row, _ := parsedRow(t, e, wordBody("", "0123456789abcdefghij "+strings.Repeat("x", 20)+" fourteen_bytes", runtime.TailSet))
	for name, want := range map[string]any{
		"first": "0123456789abcde", "first_cut": true, "rest": []any{strings.Repeat("x", 20)}, "rest_cut": true, "size": 56.0,
	} {
		if diff := cmp.Diff(want, row[name]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if _, row, _ := parsedRow(t, e, wordBody("", "one "+strings.Repeat("x", 32), runtime.TailSet)); len(row["rest"].([]any)) != 0 || row["rest_cut"] != true {
		t.Errorf("got %v, want a word that does not fit left out", row["rest"])
	}
}

func TestConditionsAndTablesKnowWhatGoGives(t *testing.T) {
	g := said.New()
	e := &g.Events[0]
	words, lines := g.Tables[0].New(10, nil), g.Tables[1].New(10, nil)
	for _, text := range []string{"one two", "one two", "third", "", "one\x00", "one two three"} {
		r, _, parsed := parsedRow(t, e, wordBody("", text, runtime.TailSet))
		if wants, want := e.Where(&r, nil), parsed && text != "third" && text != ""; wants != want {
			t.Errorf("%q: got %v from the condition, want %v", text, wants, want)
		} else if wants {
			words.Update(&r)
		}
		line := append(make([]byte, 16), wordBody("", text, runtime.TailSet)[8:16]...)
		r, _, _ = parsedRow(t, &g.Events[1], append(line, text...))
		lines.Update(&r)
	}
	got := map[string][]uint64{}
	words.Each(func(key []byte, words []uint64, _ bool) {
		got[string(runtime.CString(key[:16]))+" "+string('0'+key[16])+string('0'+key[18])] = slices.Clone(words[:2])
	})
	// Weight 2: "one two" twice, "one two three" once.
	want := map[string][]uint64{"one 11": {4, 2*7 + 2*7}, "one 12": {2, 2 * 13}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("words (-want +got):\n%s", diff)
	}
	lines.Each(func(_ []byte, words []uint64, _ bool) {
		if words[0] != 12 || words[1] != 4 { // as far as there is room, "one two" and "one two three" are one
			t.Errorf("got %v, want 12 lines, of 4 texts", words[:2])
		}
	})
}

func TestParsingAllocatesNothing(t *testing.T) {
	e := &said.New().Events[0]
	body, memory := wordBody("note", "one two three", runtime.TailSet), []byte(nil)
	line, values := make([]byte, 0, 4096), make([]runtime.Value, 0, 64)
	n := testing.AllocsPerRun(1000, func() {
		whole, _ := e.Whole(&memory, body)
		r := runtime.Record{Body: whole}
		line, values = e.AppendJSON(line[:0], r), e.AppendValues(values[:0], r)
	})
	if n != 0 {
		t.Errorf("got %v allocations for an event, want 0", n)
	}
}

// FuzzParsed feeds bodies of any length to events with a function of Go: what
// Check takes is one that all can read once it is whole, and the body is as it
// was.
func FuzzParsed(f *testing.F) {
	whole := wordBody("note", "one two three", runtime.TailSet)
	for _, body := range [][]byte{whole, whole[:len(whole)-1], whole[:20], whole[:19], nil, bytes.Repeat([]byte{0xff}, 400), make([]byte, 300), wordBody("", strings.Repeat("a ", 70), 7)} {
		f.Add(body)
	}
	grain := said.New()
	f.Fuzz(func(t *testing.T, body []byte) {
		decoders := []func(runtime.Record) bool{
			func(r runtime.Record) bool { _, ok := said.DecodeWord(r); return ok },
			func(r runtime.Record) bool { _, ok := said.DecodeLine(r); return ok },
		}
		before := bytes.Clone(body)
		for i := range grain.Events {
			e := &grain.Events[i]
			if !e.Check(body) {
				continue
			}
			whole, _ := e.Whole(new([]byte), body)
			r := runtime.Record{Body: whole}
			if !decoders[i](r) {
				t.Fatalf("%s: not decoded", e.Name)
			}
			if n := len(e.AppendValues(nil, r)); n != len(e.Fields) {
				t.Fatalf("%s: got %d values, want %d", e.Name, n, len(e.Fields))
			}
			if text := e.AppendJSON(nil, r); !json.Valid(text) {
				t.Fatalf("%s: got no JSON: %s", e.Name, text)
			}
			if e.Where != nil {
				e.Where(&r, nil)
			}
		}
		if !bytes.Equal(before, body) {
			t.Fatal("the body was written to")
		}
	})
}
