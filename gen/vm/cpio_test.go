// SPDX-License-Identifier: Apache-2.0

package vm

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// unpacked is one file as readCPIO finds it.
type unpacked struct {
	Name         string
	Mode         uint32
	Major, Minor uint32
	Content      string
}

// readCPIO is a reader for newc archives written from the kernel's document,
// strict about magic numbers, padding and the trailer.
func readCPIO(archive []byte) ([]unpacked, error) {
	var files []unpacked
	at := 0
	take := func(n int) ([]byte, error) {
		if at+n > len(archive) {
			return nil, io.ErrUnexpectedEOF
		}
		at += n
		return archive[at-n : at], nil
	}
	align := func() error {
		for at%4 != 0 {
			if b, err := take(1); err != nil || b[0] != 0 {
				return fmt.Errorf("padding at %d: %v %v", at, b, err)
			}
		}
		return nil
	}
	for {
		head, err := take(110)
		if err != nil {
			return nil, err
		}
		if string(head[:6]) != "070701" {
			return nil, fmt.Errorf("magic number %q", head[:6])
		}
		var field [13]uint32
		for i := range field {
			v, err := strconv.ParseUint(string(head[6+8*i:14+8*i]), 16, 32)
			if err != nil {
				return nil, err
			}
			field[i] = uint32(v)
		}
		name, err := take(int(field[11]))
		if err != nil || !bytes.HasSuffix(name, []byte{0}) {
			return nil, fmt.Errorf("name %q: %v", name, err)
		}
		if err := align(); err != nil {
			return nil, err
		}
		content, err := take(int(field[6]))
		if err != nil {
			return nil, err
		}
		f := unpacked{strings.TrimSuffix(string(name), "\x00"), field[1], field[9], field[10], string(content)}
		if f.Name == "TRAILER!!!" {
			if at != len(archive) {
				return nil, fmt.Errorf("%d bytes after the trailer", len(archive)-at)
			}
			return files, nil
		}
		if err := align(); err != nil {
			return nil, err
		}
		files = append(files, f)
	}
}

func TestCPIOIsReadBackAsWritten(t *testing.T) {
	want := []unpacked{
		{"dev", modeDir | 0o755, 0, 0, ""},
		{"dev/console", modeChar | 0o600, 5, 1, ""},
		{"bin", modeSymlink | 0o777, 0, 0, "usr/bin"},
		{"empty", modeFile | 0o644, 0, 0, ""},
		{"one", modeFile | 0o644, 0, 0, "1"},
		{"four", modeFile | 0o644, 0, 0, "1234"},
		{"a name of odd length", modeFile | 0o755, 0, 0, strings.Repeat("x", 70000)},
	}
	var archive bytes.Buffer
	w := newCPIO(&archive)
	for _, f := range want {
		w.Add(entry{f.Name, f.Mode, int64(len(f.Content)), f.Major, f.Minor}, strings.NewReader(f.Content))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := readCPIO(archive.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestCPIORefusesWhatItCannotHold(t *testing.T) {
	for _, test := range []struct {
		name    string
		size    int64
		content string
		want    string
	}{
		{"a file of 4 GiB", 4 << 30, "", "big: a cpio archive holds no file of 4294967296 bytes"},
		{"a file that shrank", 10, "abc", "big: 3 of 10 bytes: EOF"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newCPIO(io.Discard)
			w.Add(entry{name: "big", mode: modeFile, size: test.size}, strings.NewReader(test.content))
			if err := w.Close(); err == nil || err.Error() != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

func TestImagePutsFoldersBeforeFilesAndMergesUsr(t *testing.T) {
	m := newImage(arches[0])
	m.text("/lib/x86_64-linux-gnu/libc.so.6", "libc")
	m.text("/a/b/c", "deep")
	var archive bytes.Buffer
	if _, err := m.write(&archive); err != nil {
		t.Fatal(err)
	}
	files, err := readCPIO(archive.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	place := make(map[string]int)
	for i, f := range files {
		place[f.Name] = i + 1
		if above, _, deep := cutLast(f.Name, "/"); deep && place[above] == 0 {
			t.Errorf("%s comes before its folder", f.Name)
		}
	}
	for _, name := range []string{"dev/console", "a/b/c", "usr/lib/x86_64-linux-gnu/libc.so.6"} {
		if place[name] == 0 {
			t.Errorf("the image has no %s", name)
		}
	}
	if got := files[place["lib"]-1]; got.Content != "usr/lib" || got.Mode != modeSymlink|0o777 {
		t.Errorf("lib is %+v, want a link to usr/lib", got)
	}
}
