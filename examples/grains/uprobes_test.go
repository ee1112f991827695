// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/redsift/ingraind/examples/grains/generated/resolve"
	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/runtimetest"
)

// TestLibrariesAreFoundByNameAndByPath looks up a name as programs do, through
// the C library.
func TestLibrariesAreFoundByNameAndByPath(t *testing.T) {
	library := "libc.so.6"
	files, err := filepath.Glob("/lib/*/" + library)
	if err != nil {
		t.Fatal(err)
	}
	files = slices.DeleteFunc(files, func(file string) bool { return machine(t, file) != machine(t, program(t)) })
	if len(files) == 0 {
		if !underEmulation() {
			t.Fatalf("this test needs /lib/*/%s", library)
		}
		// A guest of another architecture than its host's has no libraries.
		want := "resolve: asked cannot run at uprobe/libc.so.6:getaddrinfo: uprobe: no library libc.so.6 on this machine"
		if p := plan(t, alone(resolve.New(), "asked")); p.Err == nil || p.Err.Error() != want {
			t.Errorf("got  %v\nwant %s", p.Err, want)
		}
		return
	}
	if _, err := exec.LookPath("getent"); err != nil {
		t.Fatalf("this test needs getent of the C library (in a virtual machine: vmtest run -file /usr/bin/getent): %v", err)
	}
	for _, target := range []string{"libc", files[0]} {
		t.Run(filepath.Base(target), func(t *testing.T) {
			agent := start(t, runtime.Options{}, at(target+":getaddrinfo", resolve.New()))
			cmd := exec.Command("getent", "ahosts", "127.0.0.1")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("getent: %v\n%s", err, out)
			}
			rows, _ := stop(t, agent)
			who := fmt.Sprint(cmd.Process.Pid)
			if n := count(rows, "ask", map[string]string{"name": "127.0.0.1", "who.pid": who, "who.comm": "getent", "who.ppid": fmt.Sprint(os.Getpid())}); n != 1 {
				t.Errorf("got %d events ask, want 1: %v", n, rows)
			}
			if n := count(rows, "answer", map[string]string{"result": "0", "who.pid": who}); n != 1 {
				t.Errorf("got %d events answer, want 1: %v", n, rows)
			}
		})
	}
}

// machine is what an ELF file is for.
func machine(t *testing.T, file string) elf.Machine {
	t.Helper()
	f, err := elf.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return f.Machine
}

// underEmulation reports whether this is a guest of vmtest.
func underEmulation() bool { return os.Getenv("INGRAIN_VM") != "" }

// touched is a function that a probe is set on. A Go function's arguments are
// not where C has them, and its return must not be probed.
//
//go:noinline
func touched(n int) int { return n + 1 }

func TestGoFunctionsCanBeProbed(t *testing.T) {
	const function = "github.com/redsift/ingraind/examples/grains.touched"
	target := program(t) + ":" + function
	if stripped(t) {
		want := "resolve: asked cannot run at uprobe/libc.so.6:getaddrinfo: uprobe: " + program(t) + " has no function " + function
		if p := plan(t, at(target, alone(resolve.New(), "asked"))); p.Err == nil || p.Err.Error() != want {
			t.Errorf("got  %v\nwant %s", p.Err, want)
		}
		return
	}
	// A goroutine's stack moves, and a return address that was replaced with it.
	want := "resolve: answered cannot run at uretprobe/libc.so.6:getaddrinfo: uretprobe: " + program(t) + " is written in Go: a probe at the return of a function would break it"
	if p := plan(t, at(target, alone(resolve.New(), "answered"))); p.Err == nil || p.Err.Error() != want {
		t.Errorf("got  %v\nwant %s", p.Err, want)
	}
	agent := start(t, runtime.Options{}, at(target, alone(resolve.New(), "asked")))
	sum := 0
	for range 7 {
		sum = touched(sum)
	}
	own := map[string]string{"who.pid": fmt.Sprint(os.Getpid())}
	agent.WaitFor(sum, func(r runtimetest.Row) bool { return has(r, own) })
	if rows, _ := stop(t, agent); count(rows, "ask", own) != sum {
		t.Errorf("got %d events, want %d", count(rows, "ask", own), sum)
	}
}

// stripped reports whether this program has no symbols. That is so when `go
// test` runs it; `go test -c` leaves them in, and virtual machines get that.
func stripped(t *testing.T) bool {
	t.Helper()
	f, err := elf.Open(program(t))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	_, err = f.Symbols()
	if err != nil && underEmulation() {
		t.Fatalf("the test's binary must be built with go test -c and not be stripped: %v", err)
	}
	return err != nil
}
