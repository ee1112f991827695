// SPDX-License-Identifier: Apache-2.0

package runtime_test

import (
	"bytes"
	"testing"

	"github.com/redsift/ingraind/runtime"
)

// A struct of 8 bytes, a half of 9 that is a descriptor and one byte more, and
// a tail that had 3 bytes.
func TestAnExtendedEventHasAllItsParts(t *testing.T) {
	body := []byte("structur" + "raw")
	for name, test := range map[string]struct {
		words bool
		text  string
		null  bool
		room  int
		want  string
		state runtime.TailState
	}{
		"nothing":                  {null: true, room: 4},
		"empty":                    {room: 4, state: runtime.TailSet},
		"as much as there is room": {text: "abc", room: 4, want: "abc", state: runtime.TailSet},
		"one too many":             {text: "abcd", room: 4, want: "abc", state: runtime.TailSet | runtime.TailCut},
		"words that fit":           {words: true, text: "a\x00b\x00", room: 4, want: "a\x00b\x00", state: runtime.TailSet},
		"a word too many":          {words: true, text: "a\x00bc\x00", room: 4, want: "a\x00", state: runtime.TailSet | runtime.TailCut},
		"no word fits":             {words: true, text: "abcd\x00", room: 4, state: runtime.TailSet | runtime.TailCut},
		"no words":                 {words: true, null: true, room: 4},
	} {
		part := []byte(test.text)
		if test.null {
			part = nil
		}
		whole := runtime.Extend(nil, body, 8, 9)
		if want := "structur" + string(make([]byte, 9)) + "raw"; string(whole) != want {
			t.Fatalf("extended: got %q, want %q", whole, want)
		}
		if test.words {
			whole = runtime.AppendWordsPart(whole, 8, 17, part, test.room)
		} else {
			whole = runtime.AppendPart(whole, 8, 17, part, test.room)
		}
		if !runtime.TailOK(whole[17:], whole[8:16]) {
			t.Errorf("%s: the part is not inside: %q", name, whole)
			continue
		}
		got, state := runtime.Tail(whole[17:], whole[8:16])
		if string(got) != test.want || state != test.state {
			t.Errorf("%s: got %q, %b, want %q, %b", name, got, state, test.want, test.state)
		}
		if !bytes.HasPrefix(whole[17:], []byte("raw")) {
			t.Errorf("%s: got the tail %q, want what was there before", name, whole[17:])
		}
	}
}
