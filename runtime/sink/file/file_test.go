// SPDX-License-Identifier: Apache-2.0

package file_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/sink/file"
	"github.com/redsift/ingraind/runtime/sinktest"
)

// open is the sink with its default settings, but for some: "keep=2".
func open(t *testing.T, path string, settings ...string) runtime.Sink {
	t.Helper()
	s, err := tryOpen(path, settings...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func tryOpen(path string, settings ...string) (runtime.Sink, error) {
	f, err := file.Part().Open(sinktest.Settings(file.Part(), append([]string{"path=" + path}, settings...)...))
	if err == nil {
		err = runtime.Start(f)
	}
	return f, err
}

func ship(t *testing.T, s runtime.Sink, lines string) {
	t.Helper()
	if err := s.Ship(t.Context(), &runtime.Batch{Rows: strings.Count(lines, "\n"), Bytes: []byte(lines)}); err != nil {
		t.Fatal(err)
	}
}

func mustClose(t *testing.T, s runtime.Sink) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func content(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// full is the content of the full files of path, the oldest first.
func full(t *testing.T, path string) []string {
	t.Helper()
	names, err := filepath.Glob(path + ".*Z")
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	var contents []string
	for _, name := range names {
		contents = append(contents, content(t, name))
	}
	return contents
}

func mustHold(t *testing.T, path, want string, wantFull ...string) {
	t.Helper()
	if got := content(t, path); got != want {
		t.Errorf("the file: got %q, want %q", got, want)
	}
	if got := full(t, path); !slices.Equal(got, wantFull) {
		t.Errorf("full files: got %q, want %q", got, wantFull)
	}
}

func TestFileIsFullAtItsExactSize(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rows")
	s := open(t, path, "max_size=8B")
	ship(t, s, "1\n2\n")
	ship(t, s, "3\n4\n")
	mustHold(t, path, "1\n2\n3\n4\n")
	ship(t, s, "5\n")
	mustHold(t, path, "5\n", "1\n2\n3\n4\n")
	ship(t, s, "6\n7\n8\n9\n") // not with 5, and just in a file of its own
	mustHold(t, path, "6\n7\n8\n9\n", "1\n2\n3\n4\n", "5\n")
	ship(t, s, "a batch larger than a file\n")
	ship(t, s, "b\n")
	mustHold(t, path, "b\n", "1\n2\n3\n4\n", "5\n", "6\n7\n8\n9\n", "a batch larger than a file\n")
	mustClose(t, s)
}

func TestFileIsFullWhenItsFirstRowIsOldEnough(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rows")
	synctest.Test(t, func(t *testing.T) {
		s := open(t, path, "max_age=1h")
		time.Sleep(3 * time.Hour) // empty: nothing to keep
		ship(t, s, "1\n")
		time.Sleep(time.Hour - 1)
		ship(t, s, "2\n")
		mustHold(t, path, "1\n2\n")
		time.Sleep(time.Nanosecond)
		ship(t, s, "3\n")
		mustHold(t, path, "3\n", "1\n2\n")
		mustClose(t, s)
	})
}

func TestBoundsOfZeroAreNone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rows")
	synctest.Test(t, func(t *testing.T) {
		s := open(t, path, "max_age=0", "max_size=0")
		ship(t, s, "1\n")
		time.Sleep(1e6 * time.Hour)
		ship(t, s, strings.Repeat("x\n", 100_000))
		ship(t, s, "2\n")
		if got := full(t, path); len(got) != 0 {
			t.Errorf("got %d full files", len(got))
		}
		mustClose(t, s)
	})
}

func TestOldestFullFilesGo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rows")
	for _, other := range []string{".gz", ".1", ".20260101T000000.000000000Z.gz", "-2.20260101T000000.000000000Z"} {
		if err := os.WriteFile(path+other, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := open(t, path, "max_size=2", "keep=2")
	for i := range 6 {
		ship(t, s, fmt.Sprintf("%d\n", i))
	}
	mustClose(t, s)
	if names, _ := filepath.Glob(path + "*"); len(names) != 1+2+4 {
		t.Errorf("got %q, want the file, 2 full ones, and 4 that are not ours", names)
	}
	if got := content(t, path); got != "5\n" {
		t.Errorf("got %q", got)
	}
	all := filepath.Join(t.TempDir(), "all")
	s = open(t, all, "max_size=2", "keep=0")
	for i := range 20 {
		ship(t, s, fmt.Sprintf("%d\n", i%10))
	}
	mustClose(t, s)
	if got := strings.Join(full(t, all), ""); len(got) != 2*19 {
		t.Errorf("keep=0 kept %q", got)
	}
}

func TestFileGoesOnAfterAStop(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rows")
	s := open(t, path, "max_size=6")
	ship(t, s, "1\n2\n")
	mustClose(t, s)
	s = open(t, path, "max_size=6")
	ship(t, s, "3\n")
	mustHold(t, path, "1\n2\n3\n")
	ship(t, s, "4\n")
	mustHold(t, path, "4\n", "1\n2\n3\n")
	mustClose(t, s)
}

func TestLineTornByACrashIsEnded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rows")
	if err := os.WriteFile(path, []byte("1\n{\"tor"), 0o640); err != nil {
		t.Fatal(err)
	}
	s := open(t, path)
	ship(t, s, "2\n")
	mustHold(t, path, "1\n{\"tor\n2\n")
	mustClose(t, s)
}

func TestFileMovedBySomebodyElseIsBegunAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rows")
	s := open(t, path)
	ship(t, s, "1\n")
	if err := os.Rename(path, path+".moved"); err != nil {
		t.Fatal(err)
	}
	ship(t, s, "2\n")
	mustHold(t, path, "2\n")
	if got := content(t, path+".moved"); got != "1\n" {
		t.Errorf("the moved file: got %q", got)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	ship(t, s, "3\n")
	mustHold(t, path, "3\n")
	mustClose(t, s)
}

func TestOnlyItsOwnerAndGroupMayReadTheFile(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	path := filepath.Join(t.TempDir(), "rows")
	s := open(t, path)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != 0o640 {
		t.Errorf("got %o, want 640", got)
	}
	mustClose(t, s)
}

func TestMistakesInSettingsAreSaid(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	taken := filepath.Join(dir, "taken")
	defer open(t, taken).Close()
	for _, c := range []struct {
		path, setting, want string
	}{
		{"", "keep=8", "path: the file sink needs one, such as /var/log/ingraind.ndjson"},
		{"x", "max_size=big", `max_size: "big" is no amount of bytes such as 512B, 64KiB or 5MB`},
		{"x", "max_age=1 day", `max_age: "1 day" is no duration such as 10s or 24h`},
		{"x", "keep=-1", `keep: "-1" is no number of files`},
		{dir + "/no/x", "keep=8", "open " + dir + "/no/x: no such file or directory"},
		{dir, "keep=8", "open " + dir + ": it is no regular file"},
		{pipe, "keep=8", "open " + pipe + ": it is no regular file"},
		{taken, "keep=8", "open " + taken + ": another agent writes to it"},
	} {
		if _, err := tryOpen(c.path, c.setting); err == nil || err.Error() != c.want {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

func TestFullDiskTakesWholeBatchesOnly(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Fatalf("mount a small tmpfs, run this as root: %v", err)
	}
	defer syscall.Unmount(dir, syscall.MNT_DETACH)
	path := filepath.Join(dir, "rows")
	s := open(t, path)
	line := strings.Repeat("x", 9_999) + "\n"
	var want string
	batch := &runtime.Batch{Rows: 1, Bytes: []byte(line)}
	var err error
	for err == nil {
		if err = s.Ship(t.Context(), batch); err == nil {
			want += line
		}
	}
	if !errors.Is(err, syscall.ENOSPC) || runtime.IsPermanent(err) {
		t.Errorf("got %v, want a disk that is full, to be tried again", err)
	}
	if got := content(t, path); got != want || len(want) != 60_000 {
		t.Errorf("the full disk holds %d bytes, want the %d of whole batches", len(got), len(want))
	}
	ship(t, s, "a\n") // what fits does
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT, "size=128k"); err != nil {
		t.Fatal(err)
	}
	if err := s.Ship(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	mustHold(t, path, want+"a\n"+line)
	mustClose(t, s)
}

func TestReaderSeesEveryRowOnceThroughRotations(t *testing.T) {
	const rows = 200_000
	path := filepath.Join(t.TempDir(), "rows")
	lanes := runtime.NewLanes(runtime.NewLane(runtime.LaneOptions{Name: "file", Sink: open(t, path, "max_size=256KiB", "keep=0"), Limit: 64 << 20}))
	var wait sync.WaitGroup
	stop := make(chan struct{})
	wait.Go(func() { follow(t, path, stop) })
	numbers := sinktest.NewNumbers()
	for n := range rows {
		lanes.Add(numbers.Row(n))
	}
	if err := lanes.Close(t.Context()); err != nil {
		t.Error(err)
	}
	close(stop)
	wait.Wait()
	if b := lanes.Books()[0]; b.Shipped != rows {
		t.Errorf("got %+v, want %d rows shipped", b, rows)
	}
	all := strings.Join(full(t, path), "") + content(t, path)
	for i, line := range strings.Split(strings.TrimSuffix(all, "\n"), "\n") {
		if want := fmt.Sprintf(`{"n":%d,`, i); !strings.HasPrefix(line, want) {
			t.Fatalf("line %d: got %s, want %s", i, line, want)
		}
	}
	for _, content := range full(t, path) {
		if len(content) > 256<<10 || len(content) < 192<<10 {
			t.Errorf("a full file has %d bytes", len(content))
		}
	}
}

// follow reads the file as it grows, and wants JSON in each line of it.
func follow(t *testing.T, path string, stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		f, err := os.Open(path)
		if errors.Is(err, os.ErrNotExist) {
			continue // between its rename and the next
		}
		if err != nil {
			t.Error(err)
			return
		}
		b, err := io.ReadAll(f)
		f.Close()
		if err != nil {
			t.Error(err)
			return
		}
		lines := bytes.Split(b, []byte("\n"))
		for _, line := range lines[:len(lines)-1] {
			if !json.Valid(line) {
				t.Errorf("got line %q", line)
				return
			}
		}
	}
}

func TestShipAfterAFailedReopenTriesAgain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "logs")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "rows")
	s := open(t, path)
	if err := os.Rename(dir, dir+".away"); err != nil {
		t.Fatal(err)
	}
	err := s.Ship(context.Background(), &runtime.Batch{Rows: 1, Bytes: []byte("1\n")})
	if err == nil || runtime.IsPermanent(err) {
		t.Errorf("got %v, want an error to be tried again", err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	ship(t, s, "1\n")
	mustHold(t, path, "1\n")
	mustClose(t, s)
}
