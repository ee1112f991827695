// SPDX-License-Identifier: Apache-2.0

package vm

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFilesComeBackWholeOrNotAtAll(t *testing.T) {
	for _, test := range []struct {
		name, messages string
		want, err      string
	}{
		{"whole", "file 0|data aGVs|data bG8=|end 3610a686 5", "hello", ""},
		{"empty", "file 0|end 00000000 0", "", ""},
		{"a chunk is missing", "file 0|data aGVs|end 3610a686 5", "hel", "it was damaged on the serial port: got sum and size e50bf11b 3, sent were 3610a686 5"},
		{"a chunk is garbled", "file 0|data aG[ 1.0] oops|end 3610a686 5", "", "it was damaged on the serial port: got sum and size 00000000 0, sent were 3610a686 5"},
		{"not there", "none 0", "", "the guest has no such file"},
		{"not ended", "file 0|data aGVs", "hel", "it never came"},
		{"nothing", "", "", "it never came"},
		{"one that nobody asked for", "file 7|data aGVs|none -1|end 0 0|file x|file", "", "it never came"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			b := newBackFiles(dir, []File{{"here", "/there"}})
			for message := range strings.SplitSeq(test.messages, "|") {
				verb, rest, _ := strings.Cut(message, " ")
				if err := b.message(verb, rest); err != nil {
					t.Fatal(err)
				}
			}
			if err := b.close(); err != nil {
				t.Fatal(err)
			}
			got, _ := os.ReadFile(filepath.Join(dir, "here"))
			err := strings.TrimPrefix(errText(b.missing()), "bring back /there: ")
			if string(got) != test.want || err != test.err {
				t.Errorf("got %q, %s\nwant %q, %s", got, err, test.want, test.err)
			}
		})
	}
}
