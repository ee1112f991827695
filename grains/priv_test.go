// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"fmt"
	"os"
	"path/filepath"
	goruntime "runtime"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/redsift/ingraind/generated/priv"
	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/runtimetest"
)

// none is an id that is not asked for.
const none = ^uintptr(0)

// pointed is what steps have the addresses of: on the heap, which does not move.
var pointed []any

// at is the address of what p points to, until the test binary ends.
func at[T any](p *T) uintptr {
	pointed = append(pointed, p)
	return uintptr(unsafe.Pointer(p))
}

// text is a string of C.
func text(s string) uintptr { return at(&append([]byte(s), 0)[0]) }

// makes is a step that makes a system call.
func makes(number uintptr, args ...uintptr) runtimetest.Step {
	s := runtimetest.Step{Number: number}
	copy(s.Args[:], args)
	return s
}

// copied starts a process with memory of its own that does steps, and waits
// for its end.
func copied(t testing.TB, steps ...runtimetest.Step) int {
	t.Helper()
	p, err := runtimetest.Copy(append(steps, runtimetest.Exit(0))...)
	must(t, err)
	if status := wait(t, p).status; status.ExitStatus() != 0 {
		t.Fatalf("a process of the load ended with %v", status)
	}
	return p.PID
}

// of are the rows of a process that are of an event.
func of(rows []runtimetest.Row, event string, pid int) (found []runtimetest.Row) {
	for _, r := range rows {
		if r.Text("event") == event && r.Int("who.pid") == int64(pid) {
			found = append(found, r)
		}
	}
	return found
}

// told are the rows of a grain while f runs. The books must balance, and
// nothing may be lost.
func told(t *testing.T, g *runtime.Grain, f func()) []runtimetest.Row {
	t.Helper()
	agent := runtimetest.Start(t, runtime.Options{}, g)
	f()
	rows, ledger := agent.Stop()
	if n := lost(ledger) + missed(ledger); n != 0 {
		t.Errorf("%d events were lost or missed, want 0", n)
	}
	return rows
}

func TestChangesOfUserAndGroupAreTold(t *testing.T) {
	var pid int
	rows := told(t, priv.New(), func() {
		pid = copied(t,
			makes(unix.SYS_SETGROUPS, 0, 0),
			makes(unix.SYS_SETRESGID, 10, 20, 30),
			makes(unix.SYS_SETREGID, none, 10),
			makes(unix.SYS_SETGID, 40),
			makes(unix.SYS_SETFSGID, 50),
			makes(unix.SYS_SETREUID, none, 60),
			makes(unix.SYS_SETRESUID, 1000, 1001, 1002),
			makes(unix.SYS_SETFSUID, 1000),
			makes(unix.SYS_SETUID, 1002),
			makes(unix.SYS_SETUID, 0),
			makes(unix.SYS_SETGROUPS, 1, 0),
		)
	})
	checkRows(t, of(rows, "ids", pid),
		row{"call": "setgroups", "asked": 0, "asked_effective": -1, "asked_saved": -1, "groups": 0, "error": nil, "who.uid": 0},
		row{"call": "setresgid", "asked": 10, "asked_effective": 20, "asked_saved": 30, "gid": 10, "egid": 20, "sgid": 30, "fsgid": 20},
		row{"call": "setregid", "asked": -1, "asked_effective": 10, "asked_saved": -1, "gid": 10, "egid": 10, "sgid": 30, "fsgid": 10},
		row{"call": "setgid", "asked": 40, "asked_effective": -1, "gid": 40, "egid": 40, "sgid": 40},
		row{"call": "setfsgid", "asked": 50, "error": nil, "gid": 40, "fsgid": 50},
		row{"call": "setreuid", "asked": -1, "asked_effective": 60, "uid": 0, "euid": 60, "suid": 60, "fsuid": 60},
		row{"call": "setresuid", "asked": 1000, "asked_effective": 1001, "asked_saved": 1002, "error": "EPERM", "uid": 0, "euid": 60},
		row{"call": "setfsuid", "asked": 1000, "error": nil, "fsuid": 60},
		row{"call": "setuid", "asked": 1002, "error": "EPERM", "uid": 0, "euid": 60},
		row{"call": "setuid", "asked": 0, "error": nil, "uid": 0, "euid": 0, "suid": 60, "who.uid": 0},
		row{"call": "setgroups", "asked": 1, "error": "EFAULT"},
	)
}

func TestChangesOfCapabilitiesAreTold(t *testing.T) {
	head := &unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	fewer := &[2]unix.CapUserData{{Effective: 1 << unix.CAP_KILL, Permitted: 1<<unix.CAP_KILL | 1<<unix.CAP_CHOWN}, {Permitted: 1 << (unix.CAP_BPF - 32)}}
	more := &[2]unix.CapUserData{{Effective: 1 << unix.CAP_SYS_ADMIN, Permitted: 1 << unix.CAP_SYS_ADMIN}}
	var pid int
	rows := told(t, priv.New(), func() {
		pid = copied(t,
			makes(unix.SYS_CAPSET, at(head), at(fewer)),
			makes(unix.SYS_CAPSET, at(head), at(more)),
		)
	})
	const permitted = 1<<unix.CAP_KILL | 1<<unix.CAP_CHOWN | 1<<unix.CAP_BPF
	checkRows(t, of(rows, "capset", pid),
		row{"error": nil, "effective": 1 << unix.CAP_KILL, "permitted": permitted, "inheritable": 0},
		row{"error": "EPERM", "effective": 1 << unix.CAP_KILL, "permitted": permitted, "inheritable": 0})
}

func TestUseOfACapabilityIsCounted(t *testing.T) {
	chroot := makes(unix.SYS_CHROOT, text("/"))
	const granted, refused = 5, 7
	rows := told(t, priv.New(), func() {
		runtimetest.Named(t, "caged", func() {
			var steps []runtimetest.Step
			for range granted {
				steps = append(steps, chroot)
			}
			steps = append(steps, makes(unix.SYS_SETRESUID, 65534, 65534, 65534))
			for range refused {
				steps = append(steps, chroot)
			}
			copied(t, steps...)
		})
	})
	for _, want := range []struct {
		uid, n int64
		error  string
	}{{0, granted, ""}, {65534, refused, "EPERM"}} {
		got := summed(rows, "capabilities", "asked", func(r runtimetest.Row) bool {
			return r.Text("comm") == "caged" && r.Text("capability") == "CAP_SYS_CHROOT" && r.Int("uid") == want.uid && r.Text("error") == want.error
		})
		if got != want.n {
			t.Errorf("user %d was asked for it %d times, want %d with the result %q", want.uid, got, want.n, want.error)
		}
	}
}

func TestPtraceIsTold(t *testing.T) {
	var pid int
	me := uintptr(os.Getpid())
	rows := told(t, priv.New(), func() {
		runtimetest.Named(t, "tracer", func() {
			pid = copied(t,
				makes(unix.SYS_PTRACE, unix.PTRACE_TRACEME),
				makes(unix.SYS_PTRACE, unix.PTRACE_TRACEME),
				makes(unix.SYS_PTRACE, unix.PTRACE_PEEKDATA, me, 0, 0),
				makes(unix.SYS_PTRACE, unix.PTRACE_POKEDATA, me, 0, 0),
				makes(unix.SYS_PTRACE, unix.PTRACE_SEIZE, 1<<22, 0, 0),
				makes(unix.SYS_SETRESUID, 65534, 65534, 65534),
				makes(unix.SYS_PTRACE, unix.PTRACE_ATTACH, 1, 0, 0),
			)
		})
	})
	checkRows(t, of(rows, "ptrace", pid),
		row{"request": "PTRACE_TRACEME", "target": 0, "error": nil},
		row{"request": "PTRACE_TRACEME", "target": 0, "error": "EPERM"},
		row{"request": "PTRACE_POKEDATA", "target": int(me), "error": "ESRCH"},
		row{"request": "PTRACE_SEIZE", "target": 1 << 22, "error": "ESRCH"},
		row{"request": "PTRACE_ATTACH", "target": 1, "error": "EPERM", "who.uid": 65534})
	for request, want := range map[string]int64{"PTRACE_TRACEME": 2, "PTRACE_PEEKDATA": 1, "PTRACE_POKEDATA": 1, "PTRACE_SEIZE": 1, "PTRACE_ATTACH": 1} {
		got := summed(rows, "ptraces", "calls", func(r runtimetest.Row) bool { return r.Text("comm") == "tracer" && r.Text("request") == request })
		if got != want {
			t.Errorf("%s: got %d calls, want %d", request, got, want)
		}
	}
}

// TestModulesAreTold: INGRAIN_MODULE names one that can be loaded, dummy, where
// the kernel has modules.
func TestModulesAreTold(t *testing.T) {
	const name = "dummy"
	dir := folder(t)
	bad := filepath.Join(dir, "no.ko")
	must(t, os.WriteFile(bad, []byte("this is no module"), 0o600))
	none, err := os.Open(bad)
	must(t, err)
	defer none.Close()
	module := os.Getenv("INGRAIN_MODULE")
	if underEmulation() && module == "" {
		t.Fatal("INGRAIN_MODULE does not name a module to load")
	}
	var want []row
	rows := told(t, priv.New(), func() {
		failed := func(err error) any {
			if err == nil {
				return nil
			}
			return unix.ErrnoName(err.(unix.Errno))
		}
		err := unix.FinitModule(int(none.Fd()), "", 0)
		want = append(want, row{"call": "finit_module", "error": failed(err), "name": nil, "path": bad})
		err = unix.InitModule([]byte("nor is this"), "")
		want = append(want, row{"call": "init_module", "error": failed(err), "name": nil, "path": nil})
		err = unix.DeleteModule("no_such_module", unix.O_NONBLOCK)
		want = append(want, row{"call": "delete_module", "error": failed(err), "name": "no_such_module", "path": nil})
		if module != "" {
			f, err := os.Open(module)
			must(t, err)
			must(t, unix.FinitModule(int(f.Fd()), "", 0))
			exists := unix.FinitModule(int(f.Fd()), "", 0)
			f.Close()
			must(t, unix.DeleteModule(name, unix.O_NONBLOCK))
			image, err := os.ReadFile(module)
			must(t, err)
			must(t, unix.InitModule(image, ""))
			must(t, unix.DeleteModule(name, unix.O_NONBLOCK))
			want = append(want,
				row{"call": "finit_module", "error": nil, "name": name, "path": module},
				row{"call": "finit_module", "error": failed(exists), "name": nil, "path": module},
				row{"call": "delete_module", "error": nil, "name": name},
				row{"call": "init_module", "error": nil, "name": name, "path": nil},
				row{"call": "delete_module", "error": nil, "name": name})
		}
	})
	checkRows(t, of(rows, "module", os.Getpid()), want...)
}

// TestProgramsThatAreLoadedAreTold: those of an agent that starts meanwhile,
// and one that the kernel refuses.
func TestProgramsThatAreLoadedAreTold(t *testing.T) {
	type attr struct {
		kind, count    uint32
		code, licence  uint64
		level, size    uint32
		log            uint64
		version, flags uint32
		name           [16]byte
	}
	licence := append([]byte("GPL"), 0)
	returnZero := []uint64{0xb7, 0x95}                                     // r0 = 0; exit
	ask := attr{kind: unix.BPF_PROG_TYPE_SOCKET_FILTER, count: 2, size: 0} // of which the kernel says that it is whole
	ask.code, ask.licence = uint64(uintptr(unsafe.Pointer(&returnZero[0]))), uint64(uintptr(unsafe.Pointer(&licence[0])))
	copy(ask.name[:], "told")
	const good, bad = 6, 4
	rows := told(t, priv.New(), func() {
		runtimetest.Named(t, "loader", func() {
			for range good {
				fd, _, errno := unix.Syscall(unix.SYS_BPF, unix.BPF_PROG_LOAD, uintptr(unsafe.Pointer(&ask)), unsafe.Sizeof(ask))
				if errno != 0 {
					t.Fatal(errno)
				}
				unix.Close(int(fd))
			}
			ask.count = 1 // it does not return
			for range bad {
				if _, _, errno := unix.Syscall(unix.SYS_BPF, unix.BPF_PROG_LOAD, uintptr(unsafe.Pointer(&ask)), unsafe.Sizeof(ask)); errno == 0 {
					t.Fatal("the kernel takes a program that does not end")
				}
			}
			_, _, _ = unix.Syscall(unix.SYS_BPF, unix.BPF_MAP_FREEZE, 0, 0)
		})
		goruntime.KeepAlive(returnZero)
		goruntime.KeepAlive(licence)
	})
	count := map[string]int{}
	for _, r := range of(rows, "bpf", os.Getpid()) {
		if r.Text("who.comm") == "loader" {
			count[fmt.Sprint(r.Get("command"), " ", r.Get("type"), " ", r.Get("name"), " ", r.Get("error"))]++
		}
	}
	if len(count) != 2 || count["BPF_PROG_LOAD BPF_PROG_TYPE_SOCKET_FILTER told <nil>"] != good || count["BPF_PROG_LOAD BPF_PROG_TYPE_SOCKET_FILTER told EINVAL"] != bad {
		t.Errorf("got %v, want %d programs that were loaded and %d that were refused", count, good, bad)
	}
	for command, want := range map[string]int64{"BPF_PROG_LOAD": good + bad, "BPF_MAP_FREEZE": 1} {
		got := summed(rows, "bpf_calls", "calls", func(r runtimetest.Row) bool { return r.Text("comm") == "loader" && r.Text("command") == command })
		if got != want {
			t.Errorf("%s: got %d calls, want %d", command, got, want)
		}
	}
}

func TestNewNamespacesAreTold(t *testing.T) {
	net, err := os.Open("/proc/self/ns/net")
	must(t, err)
	defer net.Close()
	uts, err := os.Open("/proc/self/ns/uts")
	must(t, err)
	defer uts.Close()
	arguments := &struct{ flags, pidfd, childTID, parentTID, signal, stack, stackSize, tls uint64 }{
		flags: unix.CLONE_NEWIPC | unix.CLONE_NEWTIME | unix.CLONE_NEWNET, signal: uint64(unix.SIGCHLD),
	}
	ends := []runtimetest.Step{runtimetest.Exit(0)}
	clone := makes(unix.SYS_CLONE, unix.CLONE_NEWPID|unix.CLONE_NEWUTS|uintptr(unix.SIGCHLD))
	clone.Thread = &ends[0]
	plain := makes(unix.SYS_CLONE, uintptr(unix.SIGCHLD))
	plain.Thread = &ends[0]
	clone3 := makes(unix.SYS_CLONE3, at(arguments), unsafe.Sizeof(*arguments))
	clone3.Thread = &ends[0]
	reap := makes(unix.SYS_WAIT4, none, 0, 0, 0)
	var pid int
	rows := told(t, priv.New(), func() {
		pid = copied(t,
			makes(unix.SYS_UNSHARE, unix.CLONE_NEWNS|unix.CLONE_NEWCGROUP),
			makes(unix.SYS_UNSHARE, unix.CLONE_FILES), // no namespace
			clone, reap, plain, reap, clone3, reap,
			makes(unix.SYS_SETNS, net.Fd(), unix.CLONE_NEWNET),
			makes(unix.SYS_SETNS, uts.Fd(), 0),
			makes(unix.SYS_SETNS, uts.Fd(), unix.CLONE_NEWNET),
			makes(unix.SYS_UNSHARE, unix.CLONE_NEWUSER),
			makes(unix.SYS_SETNS, net.Fd(), unix.CLONE_NEWNET),
		)
	})
	found := of(rows, "namespace", pid)
	checkRows(t, found,
		row{"call": "unshare", "error": nil, "mnt_ns": true, "cgroup_ns": true, "user_ns": false, "net_ns": false, "child": 0},
		row{"call": "clone", "error": nil, "pid_ns": true, "uts_ns": true, "time_ns": false, "net_ns": false},
		row{"call": "clone3", "ipc_ns": true, "time_ns": true, "net_ns": true, "pid_ns": false},
		row{"call": "setns", "error": nil, "net_ns": true, "uts_ns": false},
		row{"call": "setns", "error": nil, "net_ns": false, "uts_ns": true},
		row{"call": "setns", "error": "EINVAL", "net_ns": true, "uts_ns": false},
		row{"call": "unshare", "error": nil, "user_ns": true, "mnt_ns": false},
		row{"call": "setns", "error": "EPERM", "net_ns": true})
	for _, r := range found {
		if r.Text("call") == "clone" && r.Int("child") <= int64(pid) {
			t.Errorf("got the child %d of a clone by %d", r.Int("child"), pid)
		}
	}
}

func TestFilesInMemoryAndProgramsInThemAreTold(t *testing.T) {
	program := runtimetest.Program(runtimetest.Call{Number: unix.SYS_EXIT_GROUP})
	dir := sampleFolder(t)
	must(t, os.Chmod(dir, 0o755))
	gone := runtimetest.Install(t, filepath.Join(dir, "gone"), program)
	owned := runtimetest.Install(t, filepath.Join(dir, "owned"), program)
	must(t, os.Chown(owned, 65534, 65533))
	must(t, os.Chmod(owned, os.ModeSetuid|os.ModeSetgid|0o755))
	plain := runtimetest.Install(t, filepath.Join(dir, "plain"), program)
	options, lines := gathering(runtime.Options{})
	agent := runtimetest.Start(t, options, priv.New())

	fd, err := unix.MemfdCreate("innocent", unix.MFD_CLOEXEC)
	must(t, err)
	_, err = unix.Write(fd, program)
	must(t, err)
	const runs = 5
	var fileless []int
	for range runs {
		p, err := runtimetest.Fork(runtimetest.Fexecve(fd, "sh"), runtimetest.Exit(1))
		must(t, err)
		fileless = append(fileless, wait(t, p).pid)
	}
	unix.Close(fd)
	removed, err := os.Open(gone)
	must(t, err)
	must(t, os.Remove(gone))
	deleted := fork(t, runtimetest.Fexecve(int(removed.Fd()), "gone"), runtimetest.Exit(1)).pid
	removed.Close()
	setid := fork(t, runtimetest.Execve(owned, "owned"), runtimetest.Exit(1)).pid
	ordinary := fork(t, runtimetest.Execve(plain, "plain"), runtimetest.Exit(1)).pid
	refused := copied(t, makes(unix.SYS_MEMFD_CREATE, text("innocent"), 1<<15))
	ownID := copied(t, makes(unix.SYS_SETRESUID, 1000, 1000, 1000))

	rows, ledger := agent.Stop()
	if n := lost(ledger) + missed(ledger); n != 0 {
		t.Errorf("%d events were lost or missed, want 0", n)
	}
	checkRows(t, of(rows, "memfd", os.Getpid()), row{"name": "innocent", "flags": unix.MFD_CLOEXEC, "error": nil})
	checkRows(t, of(rows, "memfd", refused), row{"name": "innocent", "flags": 1 << 15, "error": "EINVAL"})
	for _, pid := range fileless {
		checkRows(t, of(rows, "exec", pid), row{"exe": "memfd:innocent", "unlinked": true, "setuid": false, "setgid": false, "euid": 0})
	}
	checkRows(t, of(rows, "exec", deleted), row{"exe": gone, "unlinked": true, "setuid": false})
	checkRows(t, of(rows, "exec", setid), row{"exe": owned, "unlinked": false, "setuid": true, "setgid": true, "euid": 65534, "egid": 65533, "who.uid": 0})
	checkRows(t, of(rows, "exec", ordinary))
	is := func(event string, pid int) func(runtimetest.Row) bool {
		return func(r runtimetest.Row) bool { return r.Text("event") == event && r.Int("who.pid") == int64(pid) }
	}
	checkSample(t, "priv", lines, is("memfd", os.Getpid()), is("exec", fileless[0]), is("exec", setid), is("ids", ownID),
		func(r runtimetest.Row) bool {
			return r.Text("table") == "capabilities" && r.Text("capability") == "CAP_SETUID"
		})
}

// TestAFloodOfPrivilegedCallsIsCutAndCounted: nothing is lost, what is cut
// weighs.
func TestAFloodOfPrivilegedCallsIsCutAndCounted(t *testing.T) {
	agent := runtimetest.Start(t, runtime.Options{}, priv.New())
	const calls = 1000
	var steps []runtimetest.Step
	for range calls {
		steps = append(steps, makes(unix.SYS_SETFSUID, 0))
	}
	// The last comes in another second, and weighs all that were cut.
	pid := copied(t, append(steps, runtimetest.Sleep(1100*time.Millisecond), makes(unix.SYS_SETFSUID, 0))...)
	rows, ledger := agent.Stop()
	var weight int64
	found := of(rows, "ids", pid)
	for _, r := range found {
		weight += max(r.Int("weight"), 1)
	}
	if weight != calls+1 || len(found) > 400 {
		t.Errorf("got %d rows that stand for %d calls, want at most some hundred for %d", len(found), weight, calls+1)
	}
	for _, e := range ledger.Events {
		if e.Event == "ids" && int(e.Seen-e.Limited) < len(found) {
			t.Errorf("got %+v and %d rows", e, len(found))
		}
	}
}

// TestCallsOf32BitProgramsAreCounted: they are not told, and the books say how
// many there were.
func TestCallsOf32BitProgramsAreCounted(t *testing.T) {
	if goruntime.GOARCH != "amd64" {
		t.Log("only x86-64 programs can make one without being a 32-bit program")
		return
	}
	program := runtimetest.Program(runtimetest.Call{}, runtimetest.Call{Number: unix.SYS_EXIT_GROUP})
	asks := []byte{
		0xb8, 213, 0, 0, 0, // mov eax, setuid32
		0x31, 0xdb, //         xor ebx, ebx
		0xcd, 0x80, //         int 0x80
	}
	call := program[64+56:] // behind the headers
	for i := range (len(call)) / 2 {
		call[i] = 0x90 // nop
	}
	copy(call, asks)
	path := runtimetest.Install(t, filepath.Join(folder(t), "old"), program)
	agent := runtimetest.Start(t, runtime.Options{}, priv.New())
	const runs = 3
	for range runs {
		if status := fork(t, runtimetest.Execve(path, "old"), runtimetest.Exit(1)).status; status.ExitStatus() != 0 {
			t.Fatalf("the program ended with %v (is CONFIG_IA32_EMULATION missing?)", status)
		}
	}
	_, ledger := agent.Stop()
	if got := ledger.Probes[0].Compat; got < runs || got > runs+2 {
		t.Errorf("got %d calls, want %d", got, runs)
	}
}

// BenchmarkOtherCall says what a system call costs that is not told, while the
// grain runs and without it.
func BenchmarkOtherCall(b *testing.B) {
	compared(b, priv.New(), func() { _, _, _ = unix.RawSyscall(unix.SYS_GETPPID, 0, 0, 0) })
}

// compared says what an operation costs, in CPU time of its thread, while a
// grain runs and without it, in turns.
func compared(b *testing.B, g *runtime.Grain, operation func()) {
	turns := func(b *testing.B) {
		goruntime.LockOSThread()
		defer goruntime.UnlockOSThread()
		var began, ended unix.Timespec
		must(b, unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &began))
		for b.Loop() {
			operation()
		}
		must(b, unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ended))
		b.ReportMetric(float64(ended.Nano()-began.Nano())/float64(b.N), "ns/op")
	}
	for range 3 {
		b.Run("without", turns)
		agent := runtimetest.Start(b, runtime.Options{}, g)
		b.Run("with", turns)
		agent.Stop()
	}
}
