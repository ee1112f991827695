// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"encoding/binary"
	"errors"
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

// filing is something that is done with files while the grain file looks at a
// folder of its own, and what the rows must say of it.
type filing struct {
	name string
	// before makes what is there before the agent, below top/watched, which is
	// looked at, and beside it. do is done by a thread called comm.
	before func(t *testing.T, top string) (do func(comm string), check func(t *testing.T, rows []runtimetest.Row))
}

// TestFilesAreToldAsTheyWereUsed starts one agent for all: that takes long
// under emulation.
func TestFilesAreToldAsTheyWereUsed(t *testing.T) {
	filings := []filing{
		{"below a folder", belowAFolder},
		{"bytes that a Go program moves", movedByGo},
		{"bytes that tools move", movedByTools},
		{"attributes", attributes},
		{"across mounts", acrossMounts},
		{"inside a container", inContainer},
		{"older than the agent", olderFile},
		{"moved in while open", movedIn},
	}
	type made struct {
		do    func(comm string)
		check func(t *testing.T, rows []runtimetest.Row)
	}
	var dirs []string
	var all []made
	for _, f := range filings {
		top := folder(t)
		dirs = append(dirs, filepath.Join(top, "watched"))
		must(t, os.Mkdir(filepath.Join(top, "watched"), 0o755))
		do, check := f.before(t, top)
		all = append(all, made{do, check})
	}
	options, lines := gathering(runtime.Options{Paths: map[string][]string{"file.dirs": dirs}})
	agent := runtimetest.Start(t, options, file.New())
	byFunctions := agent.Plans[0].Placements[0].Mechanism != ""
	for i, m := range all {
		comm := fmt.Sprintf("filer%d", i)
		runtimetest.Named(t, comm, func() { m.do(comm) })
	}
	rows, ledger := agent.Stop()
	if n := lost(ledger) + missed(ledger); n != 0 {
		t.Errorf("%d events were lost or missed, want 0", n)
	}
	t.Logf("by functions: %v", byFunctions)
	for i, m := range all {
		comm := fmt.Sprintf("filer%d", i)
		t.Run(filings[i].name, func(t *testing.T) {
			m.check(t, slices.DeleteFunc(slices.Clone(rows), func(r runtimetest.Row) bool {
				name := r.Text("who.comm") + r.Text("comm")
				return strings.HasPrefix(name, "filer") && name != comm
			}))
		})
	}
	_ = lines
}

// streamed are the rows of a thread that are of no table.
func streamed(rows []runtimetest.Row, comm string) (found []runtimetest.Row) {
	for _, r := range rows {
		if r.Text("event") != "" && r.Text("who.comm") == comm {
			found = append(found, r)
		}
	}
	return found
}

func belowAFolder(t *testing.T, top string) (func(string), func(*testing.T, []runtimetest.Row)) {
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
	var filer string
	do := func(comm string) {
		filer = comm
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
	}
	return do, func(t *testing.T, rows []runtimetest.Row) {
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
		told := streamed(rows, filer)
		if len(told) == len(want)-1 && !kernelAtLeast(t, 6, 1) {
			// Its vfs_rmdir may be a part of what calls it: then a refusal is not told.
			want = slices.DeleteFunc(want, func(w row) bool { return w["event"] == "remove" && w["error"] == name(refused[1]) })
		}
		checkRows(t, told, want...)
	}
}

// transfer is what was read from a file, or written to it.
type transfer struct{ calls, bytes, errors int64 }

// movedBy adds up what rows say of a program's accesses to a file, or to all.
func movedBy(rows []runtimetest.Row, comm, path, access string) (m transfer) {
	for _, r := range rows {
		if r.Text("table") == "transfers" && r.Text("comm") == comm && r.Text("access") == access && (path == "" || r.Text("path") == path) {
			m.calls += r.Int("calls")
			m.bytes += r.Int("bytes")
			m.errors += r.Int("errors")
		}
	}
	return m
}

func (m *transfer) count(n int, err error) {
	m.calls++
	if err != nil {
		m.errors++
	} else {
		m.bytes += int64(n)
	}
}

// movedByGo: by every call that moves bytes.
func movedByGo(t *testing.T, top string) (func(string), func(*testing.T, []runtimetest.Row)) {
	dir := filepath.Join(top, "watched")
	from, to, outside := filepath.Join(dir, "from"), filepath.Join(dir, "to"), filepath.Join(top, "outside")
	open := func(name string) int {
		fd, err := unix.Open(name, unix.O_CREAT|unix.O_RDWR|unix.O_CLOEXEC, 0o600)
		must(t, err)
		return fd
	}
	big := make([]byte, 100_000)
	vector := func(n int) [][]byte { return [][]byte{big[:n], big[:2*n]} }
	var read, written, into transfer
	var filer string
	do := func(comm string) {
		filer = comm
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
	}
	return do, func(t *testing.T, rows []runtimetest.Row) {
		for _, c := range []struct {
			path, access string
			want         transfer
		}{{from, "read", read}, {from, "write", written}, {to, "write", into}, {to, "read", transfer{}}, {outside, "read", transfer{}}, {outside, "write", transfer{}}} {
			if got := movedBy(rows, filer, c.path, c.access); got != c.want {
				t.Errorf("%s %s: got %+v, want %+v", c.path, c.access, got, c.want)
			}
		}
		if read.bytes < 10_000 || read.errors != 0 || written.errors != 1 {
			t.Errorf("this load says nothing: read %+v, written %+v", read, written)
		}
		for access, want := range map[string]transfer{"read": read, "write": {written.calls + into.calls, written.bytes + into.bytes, written.errors}} {
			own := func(r runtimetest.Row) bool {
				return r.Text("comm") == filer && r.Int("pid") == int64(os.Getpid()) && r.Text("access") == access
			}
			got := transfer{summed(rows, "programs", "calls", own), summed(rows, "programs", "bytes", own), summed(rows, "programs", "errors", own)}
			if got != want {
				t.Errorf("by process, %s: got %+v, want %+v", access, got, want)
			}
		}
	}
}

// movedByTools: dd says how many bytes it transfer, tar moves as many as the files
// have.
func movedByTools(t *testing.T, top string) (func(string), func(*testing.T, []runtimetest.Row)) {
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
	blocks := scale(1000) + 10
	var written, read string
	do := func(string) {
		count := fmt.Sprintf("count=%d", blocks)
		written = tool("dd", "if=/dev/zero", "of="+dir+"/zeros", "bs=12345", count)
		read = tool("dd", "if="+dir+"/zeros", "of="+top+"/copy", "bs=1000")
		tool("tar", "-cf", top+"/all.tar", "-C", dir+"/many", ".")
		must(t, os.Mkdir(dir+"/again", 0o755))
		tool("tar", "-xf", top+"/all.tar", "-C", dir+"/again")
	}
	return do, func(t *testing.T, rows []runtimetest.Row) {
		for says, want := range map[string]string{written: fmt.Sprintf("%d bytes", blocks*12345), read: fmt.Sprintf("%d bytes", blocks*12345)} {
			if !strings.Contains(says, want) {
				t.Fatalf("dd says %q, want %s", says, want)
			}
		}
		all := int64(blocks * 12345)
		if got, want := movedBy(rows, "dd", dir+"/zeros", "write"), (transfer{int64(blocks), all, 0}); got != want {
			t.Errorf("dd wrote %+v, want %+v", got, want)
		}
		if got, want := movedBy(rows, "dd", dir+"/zeros", "read"), (transfer{(all+999)/1000 + 1, all, 0}); got != want { // and the end
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
}

// attributes are set and removed on a file system that has them.
func attributes(t *testing.T, top string) (func(string), func(*testing.T, []runtimetest.Row)) {
	dir := filepath.Join(top, "watched")
	name := filepath.Join(mounted(t, filepath.Join(dir, "mount")), "file")
	elsewhere := filepath.Join(mounted(t, filepath.Join(top, "mount")), "file")
	must(t, os.WriteFile(name, nil, 0o600))
	must(t, os.WriteFile(elsewhere, nil, 0o600))
	fd, err := unix.Open(name, unix.O_RDWR|unix.O_CLOEXEC, 0)
	must(t, err)
	// include/uapi/linux/posix_acl_xattr.h: version 2; entries of a tag, permissions and an id.
	list := []byte{2, 0, 0, 0}
	for _, e := range [][3]uint32{{0x01, 6, ^uint32(0)}, {0x02, 7, 1000}, {0x04, 0, ^uint32(0)}, {0x10, 7, ^uint32(0)}, {0x20, 0, ^uint32(0)}} {
		list = binary.LittleEndian.AppendUint16(list, uint16(e[0]))
		list = binary.LittleEndian.AppendUint16(list, uint16(e[1]))
		list = binary.LittleEndian.AppendUint32(list, e[2])
	}
	const trusted, acl = "trusted.ingrain", "system.posix_acl_access"
	var filer string
	do := func(comm string) {
		filer = comm
		must(t, unix.Setxattr(name, trusted, []byte("x"), 0))
		must(t, unix.Fsetxattr(fd, trusted, []byte("y"), unix.XATTR_REPLACE))
		must(t, unix.Setxattr(elsewhere, trusted, []byte("x"), 0))
		if err := unix.Lsetxattr(name, trusted, []byte("x"), unix.XATTR_CREATE); !errors.Is(err, unix.EEXIST) {
			t.Errorf("got %v, want EEXIST", err)
		}
		must(t, unix.Setxattr(name, acl, list, 0))
		must(t, unix.Removexattr(name, acl))
		must(t, unix.Fremovexattr(fd, trusted))
		unix.Close(fd)
	}
	return do, func(t *testing.T, rows []runtimetest.Row) {
		var told []runtimetest.Row
		for _, r := range streamed(rows, filer) {
			if r.Text("event") == "attribute" { // a list sets the mode too
				told = append(told, r)
			}
		}
		checkRows(t, told,
			row{"path": name, "name": trusted, "removed": false, "error": nil},
			row{"path": name, "name": trusted, "removed": false, "error": nil},
			row{"path": name, "name": trusted, "removed": false, "error": "EEXIST"},
			row{"path": name, "name": acl, "removed": false, "error": nil},
			row{"path": name, "name": acl, "removed": true, "error": nil},
			row{"path": name, "name": trusted, "removed": true, "error": nil})
	}
}

// acrossMounts: one file system is mounted below the folder, and a folder below
// it is mounted elsewhere.
func acrossMounts(t *testing.T, top string) (func(string), func(*testing.T, []runtimetest.Row)) {
	dir := filepath.Join(top, "watched")
	must(t, os.MkdirAll(filepath.Join(dir, "deep/deeper"), 0o755))
	below := mounted(t, filepath.Join(dir, "deep/mount"))
	elsewhere := filepath.Join(top, "elsewhere")
	must(t, os.Mkdir(elsewhere, 0o755))
	must(t, unix.Mount(filepath.Join(dir, "deep"), elsewhere, "", unix.MS_BIND, ""))
	t.Cleanup(func() { must(t, unix.Unmount(elsewhere, unix.MNT_DETACH)) })
	var filer string
	do := func(comm string) {
		filer = comm
		must(t, os.WriteFile(below+"/a", make([]byte, 1000), 0o600))
		must(t, unix.Rename(below+"/a", below+"/b"))
		must(t, unix.Unlink(below+"/b"))
		must(t, os.WriteFile(elsewhere+"/deeper/c", make([]byte, 2000), 0o600))
		at, err := unix.Open(elsewhere+"/deeper", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		must(t, err)
		must(t, unix.Renameat(at, "c", at, "d"))
		must(t, unix.Unlinkat(at, "d", 0))
		unix.Close(at)
	}
	return do, func(t *testing.T, rows []runtimetest.Row) {
		checkRows(t, streamed(rows, filer),
			row{"event": "open", "path": below + "/a", "created": true},
			row{"event": "rename", "path": below + "/a", "to": below + "/b"},
			row{"event": "remove", "path": below + "/b"},
			row{"event": "open", "path": elsewhere + "/deeper/c", "created": true},
			row{"event": "open", "path": elsewhere + "/deeper", "folder": true, "read": false},
			row{"event": "rename", "path": elsewhere + "/deeper/c", "to": elsewhere + "/deeper/d"},
			row{"event": "remove", "path": elsewhere + "/deeper/d"})
		for path, want := range map[string]int64{below + "/a": 1000, elsewhere + "/deeper/c": 2000} {
			if got := movedBy(rows, filer, path, "write"); got != (transfer{1, want, 0}) {
				t.Errorf("%s: got %+v, want a write of %d bytes", path, got, want)
			}
		}
	}
}

// inContainer: a process with mounts of its own, and another root, has the
// folder as /data.
func inContainer(t *testing.T, top string) (func(string), func(*testing.T, []runtimetest.Row)) {
	root := filepath.Join(top, "root")
	for _, name := range []string{"data", "old"} {
		must(t, os.MkdirAll(filepath.Join(root, name), 0o755))
	}
	var pid int
	do := func(string) {
		pid = copied(t,
			makes(unix.SYS_UNSHARE, unix.CLONE_NEWNS),
			makes(unix.SYS_MOUNT, text("none"), text("/"), 0, unix.MS_REC|unix.MS_PRIVATE, 0),
			makes(unix.SYS_MOUNT, text(root), text(root), 0, unix.MS_BIND, 0),
			makes(unix.SYS_MOUNT, text(filepath.Join(top, "watched")), text(filepath.Join(root, "data")), 0, unix.MS_BIND, 0),
			makes(unix.SYS_PIVOT_ROOT, text(root), text(filepath.Join(root, "old"))),
			makes(unix.SYS_CHDIR, text("/data")),
			makes(unix.SYS_UMOUNT2, text("/old"), unix.MNT_DETACH),
			makes(unix.SYS_CLOSE_RANGE, 3, 1<<20, 0),
			makes(unix.SYS_OPENAT, ^uintptr(99), text("/data/inside"), unix.O_CREAT|unix.O_RDWR, 0o600),
			makes(unix.SYS_WRITE, 3, text("hello"), 5),
			makes(unix.SYS_RENAMEAT, ^uintptr(99), text("inside"), ^uintptr(99), text("other")),
			makes(unix.SYS_OPENAT, ^uintptr(99), text("/data/../top"), unix.O_CREAT|unix.O_RDWR, 0o600),
			makes(unix.SYS_UNLINKAT, ^uintptr(99), text("other"), 0),
		)
	}
	return do, func(t *testing.T, rows []runtimetest.Row) {
		var told []runtimetest.Row
		for _, r := range rows {
			if r.Int("who.pid") == int64(pid) {
				told = append(told, r)
			}
		}
		checkRows(t, told,
			row{"event": "open", "path": "/data/inside", "created": true},
			row{"event": "rename", "path": "/data/inside", "to": "/data/other"},
			row{"event": "remove", "path": "/data/other"})
		var bytes int64
		for _, r := range rows {
			if r.Text("table") == "programs" && r.Int("pid") == int64(pid) {
				bytes += r.Int("bytes")
			}
		}
		if bytes != 5 {
			t.Errorf("got %d bytes, want 5", bytes)
		}
	}
}

// olderFile is open before the agent is there.
func olderFile(t *testing.T, top string) (func(string), func(*testing.T, []runtimetest.Row)) {
	name := filepath.Join(top, "watched/old")
	fd, err := unix.Open(name, unix.O_CREAT|unix.O_RDWR|unix.O_CLOEXEC, 0o600)
	must(t, err)
	var filer string
	do := func(comm string) {
		filer = comm
		_, err := unix.Write(fd, make([]byte, 42))
		must(t, err)
		unix.Close(fd)
	}
	return do, func(t *testing.T, rows []runtimetest.Row) {
		if got := movedBy(rows, filer, name, "write"); got != (transfer{1, 42, 0}) {
			t.Errorf("got %+v, want a write of 42 bytes", got)
		}
	}
}

// movedIn: what was said of a file that was elsewhere does not hold any more.
func movedIn(t *testing.T, top string) (func(string), func(*testing.T, []runtimetest.Row)) {
	outside, inside := filepath.Join(top, "file"), filepath.Join(top, "watched/file")
	var filer string
	do := func(comm string) {
		filer = comm
		fd, err := unix.Open(outside, unix.O_CREAT|unix.O_RDWR|unix.O_CLOEXEC, 0o600)
		must(t, err)
		for range 3 {
			_, err = unix.Write(fd, make([]byte, 1000))
			must(t, err)
		}
		must(t, unix.Rename(outside, inside))
		_, err = unix.Write(fd, make([]byte, 7))
		must(t, err)
		must(t, unix.Rename(inside, outside))
		_, err = unix.Write(fd, make([]byte, 1000))
		must(t, err)
		unix.Close(fd)
	}
	return do, func(t *testing.T, rows []runtimetest.Row) {
		if got := movedBy(rows, filer, "", "write"); got != (transfer{1, 7, 0}) {
			t.Errorf("got %+v, want a write of 7 bytes", got)
		}
	}
}
