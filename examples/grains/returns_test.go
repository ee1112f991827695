// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/redsift/ingraind/examples/grains/generated/change"
	"github.com/redsift/ingraind/examples/grains/generated/file_return"
	"github.com/redsift/ingraind/examples/grains/generated/receive"
	"github.com/redsift/ingraind/examples/grains/generated/refused"
	"github.com/redsift/ingraind/examples/grains/generated/remove"
	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/runtimetest"
	"golang.org/x/sys/unix"
)

// TestReturnsCarryTheirArguments: what a return probe says of arguments and
// result is that of one and the same call, by each mechanism.
func TestReturnsCarryTheirArguments(t *testing.T) {
	for _, m := range []runtime.Mechanism{runtime.Fexit, runtime.Pair} {
		t.Run(string(m), func(t *testing.T) {
			grains := []*runtime.Grain{refused.New(), change.New(), file_return.New(), receive.New(), alone(remove.New(), "removing")}
			for _, g := range grains {
				by(m, g)
			}
			if lacking(t, m, grains...) {
				return
			}
			agent := start(t, runtime.Options{Params: map[string]int64{"file_return.min_size": 7000}}, grains...)
			t.Run("results below zero", func(t *testing.T) { resultsBelowZero(t, agent) })
			t.Run("a function that calls itself", func(t *testing.T) { recursion(t, agent) })
			t.Run("forty calls in flight", func(t *testing.T) { inFlight(t, agent) })
			t.Run("a signature that differs between kernels", func(t *testing.T) { received(t, agent) })
			t.Run("two functions in one list", func(t *testing.T) { removed(t, agent) })
			rows, ledger := stop(t, agent)
			// A kernel that preempts programs does not let one begin while it
			// runs for another task of the same CPU, and counts that.
			for _, p := range ledger.Probes {
				if n := missing(rows); p.Grain == "file_return" && n > 0 {
					t.Logf("%d of %d calls in flight have no event, %d are counted as missed", n, calls, p.Missed)
					if n > p.Missed {
						t.Errorf("%d events are lost and not counted", n-p.Missed)
					}
				}
			}
		})
	}
}

// resultsBelowZero: do_sys_openat2 returns a long up to 6.12 and an int in
// later kernels, whose upper half is nobody's.
func resultsBelowZero(t *testing.T, agent *runtimetest.Agent) {
	missing := filepath.Join(t.TempDir(), "ingrain-missing")
	if _, err := os.Open(missing); !errors.Is(err, unix.ENOENT) {
		t.Fatal(err)
	}
	if _, err := os.Open(filepath.Dir(missing)); err != nil {
		t.Fatal(err) // opened: none of the refused
	}
	want := map[string]string{"path": missing, "error": "ENOENT", "dfd": fmt.Sprint(unix.AT_FDCWD), "who.pid": fmt.Sprint(os.Getpid())}
	agent.WaitFor(1, func(r runtimetest.Row) bool { return r.Text("event") == "refused" && has(r, want) })
}

// recursion: a change of a file of overlayfs is one of the file below, which
// notify_change makes by calling itself.
func recursion(t *testing.T, agent *runtimetest.Agent) {
	dir := t.TempDir()
	mount(t, "tmpfs", dir, "")
	for _, name := range []string{"lower", "upper", "work", "merged"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	merged := filepath.Join(dir, "merged")
	mount(t, "overlay", merged, fmt.Sprintf("lowerdir=%[1]s/lower,upperdir=%[1]s/upper,workdir=%[1]s/work", dir))
	file := filepath.Join(merged, "ingrain-change")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(file, 0o640); err != nil {
		t.Fatal(err)
	}
	change := map[string]string{"name": "ingrain-change", "who.pid": fmt.Sprint(os.Getpid()), "error": "<nil>"}
	rows := agent.WaitFor(2, func(r runtimetest.Row) bool { return r.Text("event") == "change" && has(r, change) })
	var magic []int64
	for _, r := range rows {
		magic = append(magic, r.Int("filesystem"))
	}
	// The inner call returns first.
	if len(magic) != 2 || magic[0] != unix.TMPFS_MAGIC || magic[1] != unix.OVERLAYFS_SUPER_MAGIC {
		t.Errorf("chmod of a file of overlayfs: got changes in file systems %x, want %x and then %x", magic, unix.TMPFS_MAGIC, unix.OVERLAYFS_SUPER_MAGIC)
	}
}

// mount mounts a file system until the end of the test.
func mount(t *testing.T, kind, dir, data string) {
	t.Helper()
	if err := unix.Mount("ingrain", dir, kind, 0, data); err != nil {
		t.Fatalf("mount %s (a module that has to be loaded?): %v", kind, err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
}

// calls is how many reads are in flight at the same time.
const calls = 40

// inFlight: forty reads wait at the same time, and end in another order.
func inFlight(t *testing.T, agent *runtimetest.Agent) {
	var writers [calls]int
	var readers sync.WaitGroup
	for i := range calls {
		var pipe [2]int
		if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
			t.Fatal(err)
		}
		writers[i] = pipe[1]
		readers.Go(func() {
			// A thread of its own for each, which blocks in the kernel.
			n, err := unix.Read(pipe[0], make([]byte, 7000+i))
			if n != 100+i || err != nil {
				t.Errorf("read %d: got %d, %v", i, n, err)
			}
			unix.Close(pipe[0])
		})
	}
	time.Sleep(100 * time.Millisecond) // all of them wait now
	for i := calls - 1; i >= 0; i-- {
		if _, err := unix.Write(writers[i], make([]byte, 100+i)); err != nil {
			t.Fatal(err)
		}
		unix.Close(writers[i])
	}
	readers.Wait()
}

// missing is how many of those reads have no event.
func missing(rows []runtimetest.Row) (n uint64) {
	for i := range calls {
		want := map[string]string{"asked": fmt.Sprint(7000 + i), "got": fmt.Sprint(100 + i), "who.pid": fmt.Sprint(os.Getpid())}
		if count(rows, "read", want) == 0 {
			n++
		}
	}
	return n
}

// received: tcp_recvmsg has six arguments up to 5.18, five from 5.19, and four
// in later kernels; sk, len and the result are found in each.
func received(t *testing.T, agent *runtimetest.Agent) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	client, err := net.Dial("tcp4", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	server, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	if err := client.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := server.Write(make([]byte, 321)); err != nil {
		t.Fatal(err)
	}
	if n, err := client.Read(make([]byte, 4321)); n != 321 || err != nil {
		t.Fatalf("got %d, %v", n, err)
	}
	port := fmt.Sprint(listener.Addr().(*net.TCPAddr).Port)
	for _, got := range []string{"321", fmt.Sprint(-int(unix.EAGAIN))} {
		if got != "321" {
			raw, err := client.(*net.TCPConn).SyscallConn()
			if err != nil {
				t.Fatal(err)
			}
			err = raw.Read(func(fd uintptr) bool {
				_, _, err = unix.Recvfrom(int(fd), make([]byte, 4321), unix.MSG_DONTWAIT)
				return true
			})
			if err != nil && !errors.Is(err, unix.EAGAIN) {
				t.Fatal(err)
			}
		}
		want := map[string]string{"peer_port": port, "asked": "4321", "got": got, "who.pid": fmt.Sprint(os.Getpid())}
		agent.WaitFor(1, func(r runtimetest.Row) bool { return r.Text("event") == "receive" && has(r, want) })
	}
}

// removed: one probe at two functions.
func removed(t *testing.T, agent *runtimetest.Agent) {
	dir := filepath.Join(t.TempDir(), "ingrain-dir")
	file := filepath.Join(dir, "ingrain-file")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(unix.Unlink(file), unix.Rmdir(dir)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []map[string]string{
		{"name": "ingrain-file", "error": "<nil>"},
		{"name": "ingrain-dir", "error": "<nil>"},
	} {
		want["who.pid"] = fmt.Sprint(os.Getpid())
		agent.WaitFor(1, func(r runtimetest.Row) bool { return r.Text("event") == "removing" && has(r, want) })
	}
}
