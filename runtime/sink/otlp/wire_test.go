// SPDX-License-Identifier: Apache-2.0

package otlp

import (
	stdbytes "bytes"
	"encoding/binary"
	"strings"
	"testing"
	"time"
)

func TestLengthsTakeAsManyBytesAsTheyNeed(t *testing.T) {
	for _, n := range []int{0, 1, 127, 128, 129, 16383, 16384, 3 << 20} {
		text := strings.Repeat("x", n)
		dst, at := begin([]byte("before"), 7)
		got := end(append(dst, text...), at)
		if want := appendBytes([]byte("before"), 7, text); !stdbytes.Equal(got, want) {
			t.Errorf("%d: the bytes differ", n)
		}
	}
}

func FuzzSplit(f *testing.F) {
	f.Add([]byte("\x12\x01a\x1a\x01b\x12\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		logs, metrics, err := split(b)
		if err != nil {
			return
		}
		// Nothing is lost: as many elements as before, and their content.
		var before, after int
		walk(b, func(e element) { before += 1 + len(e.body) })
		walk(append(logs, metrics...), func(e element) {
			after += 1 + len(e.body)
			if e.field != logField {
				t.Errorf("got field %d", e.field)
			}
		})
		if before != after {
			t.Errorf("got %d, want %d", after, before)
		}
	})
}

func FuzzAnswers(f *testing.F) {
	f.Add([]byte("\x0a\x08\x08\x03\x12\x04oops"), "gzip")
	f.Add([]byte("\x12\x03bad\x1a\x2f\x0a\x28type.googleapis.com/google.rpc.RetryInfo\x12\x03\x0a\x01\x08\x02"), "")
	f.Fuzz(func(t *testing.T, b []byte, encoding string) {
		parsePartial(b)
		if s := parseStatus(b); s.after < 0 || s.after > 25*time.Hour && len(b) < 40 {
			t.Errorf("got a delay of %s", s.after)
		}
		_, _ = unframe(b, encoding)
		framed := append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(b))), b...)
		if got, err := unframe(framed, encoding); err != nil || !stdbytes.Equal(got, b) {
			t.Errorf("got %q, %v", got, err)
		}
		if said := extract(string(b), []string{"secret"}); strings.Contains(said, "secret") || len(said) > 204 || strings.ContainsAny(said, "\n\x00") {
			t.Errorf("got %q", said)
		}
	})
}
