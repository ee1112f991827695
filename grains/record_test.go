// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"bytes"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/runtimetest"
)

// record makes a grain's golden: what the kernel wrote of a small load, and of
// nothing else that happened meanwhile.
func record(t *testing.T, g *runtime.Grain) {
	t.Helper()
	load := map[string]func(*testing.T) func(runtimetest.Row) bool{
		"exec": recordedPrograms, "conn": recordedConnections, "dns": recordedQuestions, "priv": recordedPrivileges,
	}[g.Name]
	all := &bytes.Buffer{}
	agent := runtimetest.Start(t, runtime.Options{Record: all, Params: map[string]int64{"dns.port": recordedPort, "dns.timeout": 1e9}}, g)
	ours := load(t)
	agent.Stop()

	grain, err := runtime.DescribeGrain(g)
	must(t, err)
	kept := &bytes.Buffer{}
	w, err := runtime.NewRecordingWriter(kept, []runtime.RecordedGrain{grain})
	must(t, err)
	in, err := runtime.NewRecordingReader(all)
	must(t, err)
	for {
		raw, offset, err := in.Next()
		if err != nil {
			break
		}
		head, _ := runtime.ParseHead(raw)
		e := &g.Events[head.Event]
		whole, _ := e.Whole(new([]byte), raw[runtime.HeadSize:])
		line := e.AppendJSON(nil, runtime.Record{Weight: 1, Body: whole})
		if ours(parse(t, append(line, '\n'))[0]) {
			must(t, w.Append(raw, offset))
		}
	}
	must(t, w.Flush())
	must(t, os.MkdirAll("testdata", 0o755))
	must(t, os.WriteFile(filepath.Join("testdata", g.Name+".rec"), kept.Bytes(), 0o644))
}

// recordedPrograms has its files where it does not show who made it.
func recordedPrograms(t *testing.T) func(runtimetest.Row) bool {
	const dir = "/tmp/ingraind-golden"
	must(t, os.Mkdir(dir, 0o755))
	defer os.RemoveAll(dir)
	name := program(t, dir+"/program")
	link := symlink(t, "program", dir+"/link")
	script := runtimetest.Install(t, dir+"/script", []byte("#!"+link+" -x\n"))
	waits := runtimetest.Install(t, dir+"/waits", runtimetest.Program(runtimetest.Call{Number: unix.SYS_PPOLL}))
	pids := []int64{
		int64(run(t, name, []string{name}, syscall.ProcAttr{}).pid),
		int64(run(t, "./link", []string{"a name", "", "'\"\\\n", "\xff", "naïve"}, syscall.ProcAttr{Dir: dir}).pid),
		int64(run(t, script, []string{"x", "an argument"}, syscall.ProcAttr{}).pid),
		int64(run(t, name, []string{strings.Repeat("long", 1100)}, syscall.ProcAttr{}).pid),
		int64(run(t, name, nil, syscall.ProcAttr{}).pid),
		int64(fork(t, runtimetest.ExitGroup(42)).pid),
	}
	pid, err := syscall.ForkExec(waits, []string{"waits"}, &syscall.ProcAttr{})
	must(t, err)
	must(t, syscall.Kill(pid, syscall.SIGKILL))
	pids = append(pids, int64(wait(t, runtimetest.Forked{PID: pid}).pid))
	return func(r runtimetest.Row) bool { return slices.Contains(pids, r.Int("who.pid")) }
}

func recordedConnections(t *testing.T) func(runtimetest.Row) bool {
	var ports []int64
	l, port := listening(t, 8)
	ports = append(ports, int64(port))
	for range 2 {
		c := socket(t, unix.AF_INET)
		must(t, connect(c, port))
		a := accepted(t, l)
		write(t, c, "hello")
		read(t, a)
		write(t, a, "reply!")
		read(t, c)
		unix.Close(c)
		unix.Close(a)
	}
	gone := bound(t, 0)
	nobody := portOf(t, gone)
	unix.Close(gone)
	ports = append(ports, int64(nobody))
	c := socket(t, unix.AF_INET6)
	if err := unix.Connect(c, &unix.SockaddrInet6{Port: nobody, Addr: [16]byte{15: 1}}); !errors.Is(err, unix.ECONNREFUSED) {
		t.Fatal(err)
	}
	unix.Close(c)
	return func(r runtimetest.Row) bool {
		return slices.Contains(ports, r.Int("local_port")) || slices.Contains(ports, r.Int("peer_port"))
	}
}

const recordedPort = 5300 // where the resolver of a golden is

func recordedQuestions(t *testing.T) func(runtimetest.Row) bool {
	r := startResolver(t, recordedPort)
	r.dig(t, "127.0.0.1", "www.example.test", "A")
	r.dig(t, "::1", "+tcp", "example.test", "HTTPS")
	r.dig(t, "127.0.0.1", "nothing.example.test", "AAAA")
	r.dig(t, "127.0.0.1", "+bufsize=512", "+ignore", "big.example.test", "TXT")
	r.dig(t, "127.0.0.1", "+tcp", "big.example.test", "TXT")
	c, err := net.Dial("udp", "127.0.0.2:"+strconv.Itoa(recordedPort))
	must(t, err)
	defer c.Close()
	_, err = c.Write(asking(1, "nobody.test"))
	must(t, err)
	time.Sleep(3 * time.Second) // until nobody has answered
	return func(runtimetest.Row) bool { return true }
}

// recordedPrivileges has what a process may do, and what it may not.
func recordedPrivileges(t *testing.T) func(runtimetest.Row) bool {
	program := runtimetest.Program(runtimetest.Call{Number: unix.SYS_EXIT_GROUP})
	fd, err := unix.MemfdCreate("golden", 0)
	must(t, err)
	defer unix.Close(fd)
	_, err = unix.Write(fd, program)
	must(t, err)
	head := &unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	fewer := &[2]unix.CapUserData{{Effective: 1 << unix.CAP_KILL, Permitted: 1 << unix.CAP_KILL}}
	child := copied(t,
		makes(unix.SYS_UNSHARE, unix.CLONE_NEWNET|unix.CLONE_NEWUTS),
		makes(unix.SYS_MEMFD_CREATE, text("golden"), unix.MFD_CLOEXEC),
		makes(unix.SYS_PTRACE, unix.PTRACE_ATTACH, 1<<22),
		makes(unix.SYS_FINIT_MODULE, uintptr(fd), text(""), 0),
		makes(unix.SYS_DELETE_MODULE, text("golden"), unix.O_NONBLOCK),
		makes(unix.SYS_BPF, unix.BPF_PROG_LOAD, at(&[128]byte{0: unix.BPF_PROG_TYPE_XDP, 48: 'g', 49: 'o'}), 128),
		makes(unix.SYS_SETRESGID, 10, 20, 30),
		makes(unix.SYS_SETUID, 1000),
		makes(unix.SYS_SETUID, 0),
		makes(unix.SYS_CAPSET, at(head), at(fewer)),
	)
	fileless := fork(t, runtimetest.Fexecve(fd, "golden"), runtimetest.Exit(1)).pid
	return func(r runtimetest.Row) bool {
		pid := r.Int("who.pid")
		return pid == int64(child) || pid == int64(fileless)
	}
}
