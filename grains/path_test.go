// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/redsift/ingraind/generated/exec"
	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/runtimetest"
)

// program installs a program at a path, its folders included.
func program(t testing.TB, name string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	return runtimetest.Install(t, name, runtimetest.Program(runtimetest.Call{Number: unix.SYS_EXIT_GROUP}))
}

func symlink(t testing.TB, target, name string) string {
	t.Helper()
	if err := os.Symlink(target, name); err != nil {
		t.Fatal(err)
	}
	return name
}

// mounted mounts an empty file system for the time of the test.
func mounted(t testing.TB, dir string) string {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Fatalf("mount %s: %v", dir, err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// started is what an exec event must say of a process.
type started struct {
	name              string
	process           ended
	path, exe, interp string // "" of interp: null
}

func TestPathIsAsGivenAndExeIsTheFile(t *testing.T) {
	dir := folder(t)
	real := program(t, dir+"/real")
	symbolic := symlink(t, "real", dir+"/symbolic")
	script := runtimetest.Install(t, dir+"/script", []byte("#!"+symbolic+" -x\n"))
	outer := runtimetest.Install(t, dir+"/outer", []byte("#! "+script+"\n"))
	deep := program(t, dir+strings.Repeat("/deep", 30)+"/program")
	odd := program(t, dir+"/ü \"\n\xff/program")
	long := program(t, dir+"/"+strings.Repeat("n", 255)+"/"+strings.Repeat("m", 255))
	outside := mounted(t, dir+"/mounted")
	elsewhere := program(t, outside+"/a/program")
	inside := program(t, mounted(t, outside+"/again")+"/program")
	t.Chdir(dir)

	agent := runtimetest.Start(t, runtime.Options{}, exec.New())
	at := func(path string, attr syscall.ProcAttr) ended { return run(t, path, []string{"x"}, attr) }
	plain := syscall.ProcAttr{}
	load := []started{
		{"absolute", at(real, plain), real, real, ""},
		{"relative", at("./real", plain), "./real", real, ""},
		{"relative to another folder", at("../real", syscall.ProcAttr{Dir: outside}), "../real", real, ""},
		{"symbolic link", at(symbolic, plain), symbolic, real, ""},
		{"with dots", at(dir+"/./mounted/..//real", plain), dir + "/./mounted/..//real", real, ""},
		{"script", at(script, plain), script, real, symbolic},
		{"script of a script", at(outer, plain), outer, real, symbolic},
		{"deep", at(deep, plain), deep, deep, ""},
		{"odd", at(odd, plain), odd, odd, ""},
		{"long", at(long, plain), long, long, ""},
		{"another mount", at(elsewhere, plain), elsewhere, elsewhere, ""},
		{"a mount on it", at(inside, plain), inside, inside, ""},
		{"changed root", at("/program", syscall.ProcAttr{Dir: "/", Sys: &syscall.SysProcAttr{Chroot: outside + "/again"}}), "/program", inside, ""},
		{"mount namespace", at(elsewhere, syscall.ProcAttr{Sys: &syscall.SysProcAttr{Unshareflags: unix.CLONE_NEWNS}}), elsewhere, elsewhere, ""},
	}
	rows, _ := agent.Stop()
	checkStarted(t, rows, load)
	r := event(t, rows, "exec", load[6].process.pid)
	checkWords(t, "args", r, symbolic, "-x", script, outer)
}

func checkStarted(t *testing.T, rows []runtimetest.Row, load []started) {
	for _, l := range load {
		t.Run(l.name, func(t *testing.T) {
			r := event(t, rows, "exec", l.process.pid)
			for field, want := range map[string]string{"path": l.path, "exe": l.exe, "interp": l.interp} {
				want = string([]rune(want))
				if got := r.Text(field); got != want || r.Get(field+"_cut") != nil || (r.Get(field) == nil) != (want == "") {
					t.Errorf("got %s %q (null: %v, cut: %v), want %q", field, got, r.Get(field) == nil, r.Get(field+"_cut"), want)
				}
			}
		})
	}
}

func TestPathThatIsTooDeepIsCutAtItsFront(t *testing.T) {
	for _, test := range []struct {
		name   string
		depth  int
		folder string
	}{
		{"directories", 60, "/deep"},
		{"bytes", 20, "/" + strings.Repeat("l", 240)},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := folder(t)
			t.Chdir(dir)
			for range test.depth {
				if err := os.Mkdir(test.folder[1:], 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.Chdir(test.folder[1:]); err != nil {
					t.Fatal(err)
				}
			}
			program(t, "program")
			agent := runtimetest.Start(t, runtime.Options{}, exec.New())
			p := run(t, "./program", nil, syscall.ProcAttr{})
			rows, _ := agent.Stop()
			r := event(t, rows, "exec", p.pid)
			exe, whole := r.Text("exe"), dir+strings.Repeat(test.folder, test.depth)+"/program"
			if r.Get("exe_cut") != true || len(exe) < 240 || len(exe) > 4096 || !strings.HasPrefix(exe, test.folder) || !strings.HasSuffix(whole, exe) {
				t.Errorf("got exe %q of %d bytes, cut %v, want the end of %q, cut", exe, len(exe), r.Get("exe_cut"), whole)
			}
		})
	}
}

func TestProgramInNoDirectoryIsNamedAfterItsMemory(t *testing.T) {
	fd, err := unix.MemfdCreate("a secret", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if _, err := unix.Write(fd, runtimetest.Program(runtimetest.Call{Number: unix.SYS_EXIT_GROUP})); err != nil {
		t.Fatal(err)
	}
	number := strconv.Itoa(fd)
	// Nobody may have it open for writing, by any descriptor.
	reading, err := unix.Open("/proc/self/fd/"+number, unix.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(reading)
	unix.Close(fd)
	number = strconv.Itoa(reading)

	agent := runtimetest.Start(t, runtime.Options{}, exec.New())
	load := []started{
		{"by path", run(t, "/proc/self/fd/"+number, []string{"x"}, syscall.ProcAttr{}), "/proc/self/fd/" + number, "memfd:a secret", ""},
		{"by descriptor", fork(t, runtimetest.Fexecve(reading, "x"), runtimetest.Exit(1)), "/dev/fd/" + number, "memfd:a secret", ""},
	}
	rows, _ := agent.Stop()
	checkStarted(t, rows, load)
}
