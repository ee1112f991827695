// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/redsift/ingraind/examples/grains/generated/advise"
	"github.com/redsift/ingraind/runtime"
	"golang.org/x/sys/unix"
)

func TestAPatternIsAtAllFunctionsThatItMatches(t *testing.T) {
	for _, m := range []runtime.Mechanism{runtime.KprobeMulti, runtime.Kprobe} {
		t.Run(string(m), func(t *testing.T) {
			if lacking(t, m, by(m, advise.New())) {
				return
			}
			for _, transport := range transports {
				t.Run(transport, func(t *testing.T) { advised(t, m, transport) })
			}
		})
	}
}

// advised calls two of the functions, vfs_fallocate three times and
// vfs_fsync_range twice.
func advised(t *testing.T, m runtime.Mechanism, transport string) {
	agent := start(t, runtime.Options{Transport: transport, Only: map[runtime.Mechanism]bool{m: true}}, advise.New())
	for _, row := range agent.Plans[0].Placements {
		if row.Mechanism != m {
			t.Errorf("%s runs by %q, want %s", row.Point, row.Mechanism, m)
		}
	}
	file, err := os.Create(filepath.Join(t.TempDir(), "ingrain-advise"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for range 3 {
		_ = unix.Fallocate(int(file.Fd()), 0, 0, 4096) // not every file system can
	}
	if err := file.Truncate(4096); err != nil {
		t.Fatal(err)
	}
	page, err := unix.Mmap(int(file.Fd()), 0, 4096, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Munmap(page)
	for range 2 {
		if err := unix.Msync(page, unix.MS_SYNC); err != nil { // vfs_fsync_range, from a file of its own: not inlined
			t.Fatal(err)
		}
	}
	rows, _ := stop(t, agent)
	mine := map[string]string{"who.pid": fmt.Sprint(os.Getpid())}
	if n := count(rows, "call", mine); n < 5 {
		t.Errorf("got %d calls, want 5 or more", n)
	}
	mine["name"] = filepath.Base(file.Name())
	if n := count(rows, "file", mine); n != 5 {
		t.Errorf("got %d events of the file, want 5, of %v", n, ours(rows, "file"))
	}
}

// Hundreds of functions: one link takes them, and kprobes do not.
func TestManyFunctionsTakeOneLink(t *testing.T) {
	many := func(m runtime.Mechanism) *runtime.Grain {
		return by(m, at("tcp_*", alone(advise.New(), "called")))
	}
	if !lacking(t, runtime.Kprobe, many(runtime.Kprobe)) {
		err := plan(t, many(runtime.Kprobe)).Err
		if want := "functions match tcp_*; without kprobe.multi at most 100 are probed one by one: narrow the pattern"; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, want %q", err, want)
		}
		t.Log(err)
	}
	if lacking(t, runtime.KprobeMulti, many(runtime.KprobeMulti)) {
		return
	}
	agent := start(t, runtime.Options{}, many(runtime.KprobeMulti))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	peer, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	peer.Close()
	rows, _ := stop(t, agent)
	if n := count(rows, "call", map[string]string{"who.pid": fmt.Sprint(os.Getpid())}); n < 10 {
		t.Errorf("got %d calls of tcp_*, want 10 or more: a connection takes dozens", n)
	}
}
