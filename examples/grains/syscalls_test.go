// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"unsafe"

	"github.com/redsift/ingraind/examples/grains/generated/open"
	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/runtimetest"
	"golang.org/x/sys/unix"
)

// TestCallsOf32BitProgramsAreCounted: they have other numbers, and registers
// of another width. They are not observed; their number is known.
func TestCallsOf32BitProgramsAreCounted(t *testing.T) {
	program := openat32(t)
	for _, m := range []runtime.Mechanism{runtime.TPBTF, runtime.RawTP} {
		t.Run(string(m), func(t *testing.T) {
			agent := start(t, runtime.Options{}, by(m, open.New()))
			cmd := exec.Command(program)
			err := cmd.Run()
			if runsNo32Bit(err) {
				t.Logf("this kernel starts no 32-bit programs; those of the virtual machines do")
				return
			}
			if err != nil {
				t.Fatalf("a 32-bit program (CONFIG_IA32_EMULATION or CONFIG_COMPAT is missing?): %v", err)
			}
			rows, ledger := stop(t, agent)
			if n := count(rows, "open", map[string]string{"who.comm": filepath.Base(program)}); n != 0 {
				t.Errorf("got %d events of a 32-bit program, want 0", n)
			}
			if got := ledger.Probes[0].Compat; got != 2 {
				t.Errorf("counted %d calls of 32-bit programs, want 2", got)
			}
		})
	}
}

// TestStringsThatCannotBeReadAreNull: programs run where no page can be
// brought in. A name in a page that is not there is not an empty one.
func TestStringsThatCannotBeReadAreNull(t *testing.T) {
	page := os.Getpagesize()
	file := filepath.Join(t.TempDir(), "names")
	name := append([]byte("/ingrain-absent"), make([]byte, page)...)
	if err := os.WriteFile(file, name, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	mapped := func(prot, flags, fd int) []byte {
		b, err := unix.Mmap(fd, 0, page, prot, flags)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { unix.Munmap(b) })
		return b
	}
	absent := mapped(unix.PROT_READ, unix.MAP_PRIVATE, int(f.Fd())) // never touched
	guarded := mapped(unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON, -1)
	empty := mapped(unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON, -1)
	empty[0] = 0
	present := mapped(unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON, -1)
	copy(present, "/ingrain-present")

	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) {
			if err := unix.Madvise(absent, unix.MADV_DONTNEED); err != nil {
				t.Fatal(err)
			}
			agent := start(t, runtime.Options{Transport: transport}, open.New())
			calls := []struct {
				flags int // by which its row is known
				path  *byte
				err   error
				want  any
			}{
				{unix.O_DIRECT | 1<<4, &absent[0], unix.ENOENT, nil},
				{unix.O_DIRECT | 1<<5, &guarded[0], unix.EFAULT, nil},
				{unix.O_DIRECT | 1<<4 | 1<<5, &empty[0], unix.ENOENT, ""},
				{unix.O_DIRECT | 1<<2, &present[0], unix.ENOENT, "/ingrain-present"},
				{unix.O_DIRECT | 1<<2 | 1<<4, nil, unix.EFAULT, nil},
			}
			for _, c := range calls {
				_, _, errno := unix.Syscall6(unix.SYS_OPENAT, atFdcwd, uintptr(unsafe.Pointer(c.path)), uintptr(c.flags), 0, 0, 0)
				if !errors.Is(errno, c.err) {
					t.Errorf("openat: got %v, want %v", errno, c.err)
				}
			}
			rows, _ := stop(t, agent)
			for _, c := range calls {
				mine := map[string]string{"who.pid": fmt.Sprint(os.Getpid()), "flags": fmt.Sprint(c.flags)}
				i := slices.IndexFunc(rows, func(r runtimetest.Row) bool { return has(r, mine) })
				if i < 0 {
					t.Errorf("no event of openat with flags %o", c.flags)
					continue
				}
				if path, is := rows[i]["path"]; !is || path != c.want {
					t.Errorf("got path %#v, want %#v", path, c.want)
				}
			}
		})
	}
}

// atFdcwd is AT_FDCWD as a register holds it.
const atFdcwd = ^uintptr(99)
