// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	goruntime "runtime"
	"testing"
	"unsafe"

	"github.com/redsift/ingraind/examples/grains/generated/remove"
	"github.com/redsift/ingraind/runtime"
	"golang.org/x/sys/unix"
)

// removers are the ways to remove something, and which system call of a list
// sees each. Those that this architecture lacks are made of the others.
var removers = map[string]func(string) error{
	"unlinkat": func(name string) error { return unix.Unlinkat(unix.AT_FDCWD, name, unix.AT_REMOVEDIR) },
	"rmdir":    unix.Rmdir,
	"unlink":   unix.Unlink,
}

func TestAProbeRunsUnlessTheOtherDoes(t *testing.T) {
	// Where neither fexit nor kprobes are, the second runs by itself.
	_, without := here(t).lacks[runtime.Pair]
	for name, switched := range map[string]bool{"as the kernel allows": without, "forced off": true} {
		t.Run(name, func(t *testing.T) {
			g := remove.New()
			if name == "forced off" {
				g = each(g, func(probe *runtime.Probe, p *runtime.Point) {
					if probe.Name == "removing" {
						p.Ways = nil
					}
				})
			}
			agent := start(t, runtime.Options{}, g)
			for _, row := range agent.Plans[0].Placements {
				if runs := row.Mechanism != ""; runs != (switched == (row.Probe == "asked") && !absent(row.Point)) || !row.OK && row.Probe == "asked" {
					t.Errorf("placed as %+v, but the first probe can run is %t", row, !switched)
				}
			}
			dir := t.TempDir()
			for call, remove := range removers {
				if err := remove(filepath.Join(dir, call)); !errors.Is(err, unix.ENOENT) {
					t.Fatal(err)
				}
			}
			if err := errors.Join(os.Mkdir(filepath.Join(dir, "real"), 0o700), unix.Rmdir(filepath.Join(dir, "real"))); err != nil {
				t.Fatal(err)
			}
			noCall(t, filepath.Join(dir, "none"))
			rows, _ := stop(t, agent)
			if got := count(rows, "ask", map[string]string{"path": filepath.Join(dir, "none")}); got != 0 {
				t.Errorf("got %d events of a system call that does not exist, want 0", got)
			}
			for call := range removers {
				want := map[string]string{"path": filepath.Join(dir, call), "who.pid": fmt.Sprint(os.Getpid())}
				if got := count(rows, "ask", want); got != one(switched) {
					t.Errorf("%s: got %d events, want %d", call, got, one(switched))
				}
			}
			if got := count(rows, "removing", map[string]string{"name": "real", "error": "<nil>"}); got != one(!switched) {
				t.Errorf("rmdir: got %d events, want %d", got, one(!switched))
			}
		})
	}
}

// noCall makes the system call -1, which is none, with a name for its argument:
// the number of calls that an architecture lacks must not be that.
func noCall(t *testing.T, name string) {
	t.Helper()
	path, err := unix.BytePtrFromString(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := unix.Syscall(^uintptr(0), uintptr(unsafe.Pointer(path)), uintptr(unsafe.Pointer(path)), 0); !errors.Is(err, unix.ENOSYS) {
		t.Fatal(err)
	}
}

// absent reports whether a point is a system call that this architecture
// does not have.
func absent(point string) bool {
	return goruntime.GOARCH == "arm64" && (point == "syscall/unlink" || point == "syscall/rmdir")
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}
