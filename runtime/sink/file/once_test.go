// SPDX-License-Identifier: Apache-2.0

package file_test

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/redsift/ingraind/runtime"
)

// crash gives up a sink without a word, as the end of its process would: the
// lock goes with the last descriptor of the file.
func crash(t *testing.T, path string) {
	t.Helper()
	aside := path + ".aside"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var b [128]byte
	n, err := unix.Getxattr(path, "user.ingrain.batch", b[:])
	if err == nil {
		err = os.WriteFile(aside, text, 0o640)
	}
	if err == nil {
		err = unix.Setxattr(aside, "user.ingrain.batch", b[:n], 0)
	}
	if err == nil {
		err = os.Rename(aside, path)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestABatchThatComesAgainAfterACrashIsThereOnce(t *testing.T) {
	batch := func(name, lines string) *runtime.Batch {
		return &runtime.Batch{Name: name, Rows: 2, Bytes: []byte(lines)}
	}
	for written := range len("3\n4\n") + 1 {
		path := filepath.Join(t.TempDir(), "rows")
		s := open(t, path)
		for _, b := range []*runtime.Batch{batch("a", "1\n2\n"), batch("b", "3\n4\n")} {
			if err := s.Ship(t.Context(), b); err != nil {
				t.Fatal(err)
			}
		}
		crash(t, path)
		if err := os.Truncate(path, int64(len("1\n2\n")+written)); err != nil {
			t.Fatal(err)
		}
		s = open(t, path)
		for _, b := range []*runtime.Batch{batch("b", "3\n4\n"), batch("c", "5\n6\n")} {
			if err := s.Ship(t.Context(), b); err != nil {
				t.Fatal(err)
			}
		}
		if got, want := content(t, path), "1\n2\n3\n4\n5\n6\n"; got != want {
			t.Errorf("%d bytes of it were written: got %q, want %q", written, got, want)
		}
		mustClose(t, s)
	}
}

func TestABatchThatWasNotWrittenLastIsAppended(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rows")
	s := open(t, path)
	if err := s.Ship(t.Context(), &runtime.Batch{Name: "a", Rows: 1, Bytes: []byte("1\n")}); err != nil {
		t.Fatal(err)
	}
	crash(t, path)
	s = open(t, path)
	for _, name := range []string{"b", "a"} {
		if err := s.Ship(t.Context(), &runtime.Batch{Name: name, Rows: 1, Bytes: []byte("2\n")}); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := content(t, path), "1\n2\n2\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	mustClose(t, s)
}
