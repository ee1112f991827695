// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/redsift/ingraind/generated/file"
	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/runtimetest"
)

// filed are the rows of what a thread called filer does while the grain file
// looks at folders.
func filed(t *testing.T, dirs []string, f func()) []runtimetest.Row {
	t.Helper()
	agent := runtimetest.Start(t, runtime.Options{Paths: map[string][]string{"file.dirs": dirs}}, file.New())
	for _, p := range agent.Plans[0].Placements {
		if p.Mechanism != "" {
			t.Logf("%s: %s", p.Point, p.Mechanism)
		}
	}
	runtimetest.Named(t, "filer", f)
	rows, ledger := agent.Stop()
	if n := lost(ledger) + missed(ledger); n != 0 {
		t.Errorf("%d events were lost or missed, want 0", n)
	}
	var ours []runtimetest.Row
	for _, r := range rows {
		if r.Text("who.comm") == "filer" || r.Text("comm") == "filer" {
			ours = append(ours, r)
		}
	}
	return ours
}

// streamed are the rows that are of no table.
func streamed(rows []runtimetest.Row) (found []runtimetest.Row) {
	for _, r := range rows {
		if r.Text("event") != "" {
			found = append(found, r)
		}
	}
	return found
}

func TestFilesBelowAFolderAreTold(t *testing.T) {
	top := folder(t)
	dir := filepath.Join(top, "watched")
	in := func(name string) string { return filepath.Join(dir, name) }
	out := func(name string) string { return filepath.Join(top, name) }
	must(t, os.MkdirAll(in("deep/deeper"), 0o755))
	must(t, os.MkdirAll(out("watched-not"), 0o755))
	must(t, os.WriteFile(out("watched-not/file"), []byte("elsewhere"), 0o600))
	must(t, os.WriteFile(out("outside"), nil, 0o600))
	open := func(name string, flags int) int {
		fd, err := unix.Open(name, flags|unix.O_CLOEXEC, 0o600)
		must(t, err)
		return fd
	}
	closed := func(name string, flags int) { unix.Close(open(name, flags)) }
	var refused [3]error
	rows := filed(t, []string{dir}, func() {
		closed(out("watched-not/file"), unix.O_RDONLY)
		closed(out("outside"), unix.O_WRONLY|unix.O_TRUNC)
		closed(in("a"), unix.O_CREAT|unix.O_RDWR)
		closed(in("a"), unix.O_WRONLY|unix.O_TRUNC)
		closed(in("deep/deeper/b"), unix.O_CREAT|unix.O_EXCL|unix.O_WRONLY)
		deep := open(in("deep"), unix.O_DIRECTORY)
		fd, err := unix.Openat(deep, "deeper/b", unix.O_RDONLY, 0)
		must(t, err)
		must(t, unix.Fchmod(fd, 0o640))
		must(t, unix.Chmod(in("a"), 0o4711))
		must(t, unix.Fchmodat(deep, "deeper/b", 0o600, 0))
		must(t, unix.Chown(in("a"), 1000, -1))
		must(t, unix.Fchown(fd, -1, 1001))
		must(t, unix.Fchownat(deep, "deeper/b", 1002, 1003, unix.AT_SYMLINK_NOFOLLOW))
		must(t, unix.Chmod(out("outside"), 0o600))
		must(t, unix.Rename(in("a"), in("deep/c")))
		must(t, unix.Renameat(deep, "c", unix.AT_FDCWD, out("left")))
		must(t, unix.Rename(out("left"), in("came")))
		must(t, unix.Rename(out("watched-not/file"), out("watched-not/other")))
		refused[0] = unix.Rename(in("came"), in("deep"))
		refused[1] = unix.Rmdir(in("deep"))
		refused[2] = unix.Unlink(in("deep"))
		must(t, unix.Unlinkat(deep, "deeper/b", 0))
		must(t, unix.Unlinkat(deep, "deeper", unix.AT_REMOVEDIR))
		must(t, unix.Unlink(in("came")))
		must(t, unix.Unlink(out("outside")))
		must(t, unix.Rmdir(in("deep")))
		unix.Close(fd)
		unix.Close(deep)
	})
	for i, err := range refused {
		if err == nil {
			t.Fatalf("what was to be refused was not: %d", i)
		}
	}
	name := func(err error) string { return unix.ErrnoName(err.(unix.Errno)) }
	want := []row{
		{"event": "open", "path": in("a"), "created": true, "read": true, "write": true, "folder": false, "error": nil},
		{"event": "open", "path": in("a"), "created": false, "read": false, "write": true},
		{"event": "open", "path": in("deep/deeper/b"), "created": true, "write": true, "read": false},
		{"event": "open", "path": in("deep"), "folder": true, "read": true},
		{"event": "open", "path": in("deep/deeper/b"), "created": false, "read": true, "write": false, "executed": false},
		{"event": "permission", "path": in("deep/deeper/b"), "mode": 0o640, "uid": -1, "gid": -1},
		{"event": "permission", "path": in("a"), "mode": 0o4711, "uid": -1, "gid": -1},
		{"event": "permission", "path": in("deep/deeper/b"), "mode": 0o600, "uid": -1},
		{"event": "permission", "path": in("a"), "uid": 1000, "gid": -1, "error": nil},
		{"event": "permission", "path": in("deep/deeper/b"), "uid": -1, "gid": 1001, "mode": -1},
		{"event": "permission", "path": in("deep/deeper/b"), "uid": 1002, "gid": 1003},
		{"event": "rename", "path": in("a"), "to": in("deep/c"), "error": nil},
		{"event": "rename", "path": in("deep/c"), "to": out("left"), "error": nil},
		{"event": "rename", "path": out("left"), "to": in("came"), "error": nil},
		{"event": "rename", "path": in("came"), "to": in("deep"), "error": name(refused[0])},
		{"event": "remove", "path": in("deep"), "folder": true, "error": name(refused[1])},
		{"event": "remove", "path": in("deep"), "folder": false, "error": name(refused[2])},
		{"event": "remove", "path": in("deep/deeper/b"), "folder": false, "error": nil},
		{"event": "remove", "path": in("deep/deeper"), "folder": true, "error": nil},
		{"event": "remove", "path": in("came"), "folder": false, "error": nil},
		{"event": "remove", "path": in("deep"), "folder": true, "error": nil},
	}
	if told := streamed(rows); len(told) == len(want)-1 && !kernelAtLeast(t, 6, 1) {
		// Its vfs_rmdir may be a part of what calls it: then a refusal is not told.
		want = slices.DeleteFunc(want, func(w row) bool { return w["event"] == "remove" && w["error"] == name(refused[1]) })
	}
	checkRows(t, streamed(rows), want...)
}

// moved is what was read from a file, or written to it.
type moved struct{ calls, bytes, errors int64 }

// movedBy adds up what rows say of a program's accesses to a file, or to all.
func movedBy(rows []runtimetest.Row, comm, path, access string) (m moved) {
	for _, r := range rows {
		if r.Text("table") == "transfers" && r.Text("comm") == comm && r.Text("access") == access && (path == "" || r.Text("path") == path) {
			m.calls += r.Int("calls")
			m.bytes += r.Int("bytes")
			m.errors += r.Int("errors")
		}
	}
	return m
}

func (m *moved) count(n int, err error) {
	m.calls++
	if err != nil {
		m.errors++
	} else {
		m.bytes += int64(n)
	}
}

// TestBytesThatAGoProgramMovesAreCounted by every call that moves them.
func TestBytesThatAGoProgramMovesAreCounted(t *testing.T) {
	top := folder(t)
	dir := filepath.Join(top, "watched")
	must(t, os.Mkdir(dir, 0o755))
	from, to, outside := filepath.Join(dir, "from"), filepath.Join(dir, "to"), filepath.Join(top, "outside")
	open := func(name string) int {
		fd, err := unix.Open(name, unix.O_CREAT|unix.O_RDWR|unix.O_CLOEXEC, 0o600)
		must(t, err)
		return fd
	}
	big := make([]byte, 100_000)
	vector := func(n int) [][]byte { return [][]byte{big[:n], big[:2*n]} }
	var read, written, into moved
	rows := filed(t, []string{dir}, func() {
		w, r, o, i := open(from), open(from), open(outside), open(to)
		for range 100 {
			written.count(unix.Write(w, big[:777]))
			written.count(unix.Pwrite(w, big[:333], 5))
			written.count(unix.Writev(w, vector(100)))
			written.count(unix.Pwritev(w, vector(10), 7))
			written.count(unix.Pwritev2(w, vector(10), 7, 0))
			read.count(unix.Read(r, big[:500]))
			read.count(unix.Pread(r, big[:50], 3))
			read.count(unix.Readv(r, vector(20)))
			read.count(unix.Preadv(r, vector(5), 1))
			read.count(unix.Preadv2(r, vector(5), 1, 0))
			_, _ = unix.Write(o, big[:1000])
			_, _ = unix.Pread(o, big[:1000], 0)
		}
		read.count(unix.Pread(r, big[:50], 1<<30)) // beyond its end
		only, err := unix.Open(from, unix.O_RDONLY, 0)
		must(t, err)
		written.count(unix.Write(only, big[:1])) // which is refused

		pipe := make([]int, 2)
		must(t, unix.Pipe(pipe))
		pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
		must(t, err)
		at := int64(0)
		read.count(unix.Sendfile(pair[0], r, &at, 3000))
		at = 0
		read.count(unix.Sendfile(pipe[1], r, &at, 2000))
		at = 0
		n, err := unix.Splice(r, &at, pipe[1], nil, 1500, 0)
		read.count(int(n), err)
		n, err = unix.Splice(pipe[0], nil, i, nil, 3500, 0)
		into.count(int(n), err)
		at = 0
		copied, err := unix.CopyFileRange(r, &at, o, nil, 4000, 0)
		read.count(copied, err)
		at = 0
		copied, err = unix.CopyFileRange(o, &at, i, nil, 4000, 0)
		into.count(copied, err)
		for _, fd := range []int{w, r, o, i, only, pipe[0], pipe[1], pair[0], pair[1]} {
			unix.Close(fd)
		}
	})
	for _, c := range []struct {
		path, access string
		want         moved
	}{{from, "read", read}, {from, "write", written}, {to, "write", into}, {to, "read", moved{}}, {outside, "read", moved{}}, {outside, "write", moved{}}} {
		if got := movedBy(rows, "filer", c.path, c.access); got != c.want {
			t.Errorf("%s %s: got %+v, want %+v", c.path, c.access, got, c.want)
		}
	}
	if read.bytes < 10_000 || read.errors != 0 || written.errors != 1 {
		t.Errorf("this load says nothing: read %+v, written %+v", read, written)
	}
	for access, want := range map[string]moved{"read": read, "write": {written.calls + into.calls, written.bytes + into.bytes, written.errors}} {
		own := func(r runtimetest.Row) bool { return r.Int("pid") == int64(os.Getpid()) && r.Text("access") == access }
		got := moved{summed(rows, "programs", "calls", own), summed(rows, "programs", "bytes", own), summed(rows, "programs", "errors", own)}
		if got != want {
			t.Errorf("by process, %s: got %+v, want %+v", access, got, want)
		}
	}
}

// TestBytesThatToolsMoveAreCounted: dd says how many they were, tar moves as
// many as the files have.
func TestBytesThatToolsMoveAreCounted(t *testing.T) {
	top := folder(t)
	dir := filepath.Join(top, "watched")
	must(t, os.MkdirAll(filepath.Join(dir, "many"), 0o755))
	tool := func(name string, args ...string) (says string) {
		t.Helper()
		c := exec.Command(name, args...)
		c.Env = append(os.Environ(), "LC_ALL=C")
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("%s %q: %v: %s", name, args, err, out)
		}
		return string(out)
	}
	var size int64
	files := scale(1000) + 10
	for i := range files {
		size += int64(i * 37)
		must(t, os.WriteFile(fmt.Sprintf("%s/many/%d", dir, i), make([]byte, i*37), 0o600))
	}
	agent := runtimetest.Start(t, runtime.Options{Paths: map[string][]string{"file.dirs": {dir}}}, file.New())
	blocks := scale(1000) + 10
	count := fmt.Sprintf("count=%d", blocks)
	written := tool("dd", "if=/dev/zero", "of="+dir+"/zeros", "bs=12345", count)
	read := tool("dd", "if="+dir+"/zeros", "of="+top+"/copy", "bs=1000")
	tool("tar", "-cf", top+"/all.tar", "-C", dir+"/many", ".")
	must(t, os.Mkdir(dir+"/again", 0o755))
	tool("tar", "-xf", top+"/all.tar", "-C", dir+"/again")
	rows, ledger := agent.Stop()
	if n := lost(ledger) + missed(ledger); n != 0 {
		t.Errorf("%d events were lost or missed, want 0", n)
	}
	for says, want := range map[string]string{written: fmt.Sprintf("%d bytes", blocks*12345), read: fmt.Sprintf("%d bytes", blocks*12345)} {
		if !strings.Contains(says, want) {
			t.Fatalf("dd says %q, want %s", says, want)
		}
	}
	all := int64(blocks * 12345)
	if got, want := movedBy(rows, "dd", dir+"/zeros", "write"), (moved{int64(blocks), all, 0}); got != want {
		t.Errorf("dd wrote %+v, want %+v", got, want)
	}
	if got, want := movedBy(rows, "dd", dir+"/zeros", "read"), (moved{(all+999)/1000 + 1, all, 0}); got != want { // and the end
		t.Errorf("dd read %+v, want %+v", got, want)
	}
	if got := movedBy(rows, "tar", "", "read"); got.bytes != size {
		t.Errorf("tar read %+v, want the %d bytes of %d files", got, size, files)
	}
	if got := movedBy(rows, "tar", "", "write"); got.bytes != size {
		t.Errorf("tar wrote %+v, want the %d bytes of %d files", got, size, files)
	}
	created := 0
	for _, r := range rows {
		if r.Text("event") == "open" && r.Text("who.comm") == "tar" && r.Get("created") == true && strings.HasPrefix(r.Text("path"), dir+"/again/") {
			created++
		}
	}
	if created != files {
		t.Errorf("tar created %d files, want %d", created, files)
	}
}
