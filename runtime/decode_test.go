// SPDX-License-Identifier: Apache-2.0

package runtime_test

import (
	"bytes"
	"testing"

	"github.com/redsift/ingraind/runtime"
)

// Every length that an array of an event has, the NUL in every place of it, and
// bytes around it that look almost like one.
func TestAStringEndsAtItsFirstNULOrItsEnd(t *testing.T) {
	for size := range 35 {
		for end := range size + 1 {
			for _, fill := range []byte{1, 'a', 0x80, 0x81, 0xff} {
				b := bytes.Repeat([]byte{fill}, size)
				if end < size {
					b[end] = 0
				}
				if end+2 < size {
					b[end+2] = 0
				}
				if got := runtime.CString(b); len(got) != end {
					t.Errorf("%q: got %d bytes, want %d", b, len(got), end)
				}
			}
		}
	}
}
