// SPDX-License-Identifier: Apache-2.0

package vm

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// play is what this test binary does inside a guest.
func play(role string) int {
	switch role {
	case "exit 0":
		return 0
	case "exit 1":
		return 1
	case "print and die":
		fmt.Print("no newline")
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	case "panic":
		_ = os.WriteFile("/proc/sysrq-trigger", []byte("c"), 0)
	case "sleep":
		time.Sleep(time.Hour)
	case "look around":
		if err := lookAround(); err != nil {
			fmt.Println(err)
			return 1
		}
		return 0
	}
	return 99
}

// noise is what comes back as a file: every byte, and several chunks.
func noise() []byte {
	b := make([]byte, 100_001)
	for i := range b {
		b[i] = byte(i * 7)
	}
	return b
}

// lookAround checks what a program may expect of a guest.
func lookAround() error {
	var errs []error
	expect := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	text := func(name string) string {
		b, err := os.ReadFile(name)
		expect(err == nil, "%v", err)
		return string(b)
	}
	mountinfo := text("/proc/self/mountinfo")
	for _, m := range mounts {
		expect(strings.Contains(mountinfo, " "+m.at+" ") && strings.Contains(mountinfo, " - "+m.kind+" "), "no %s on %s", m.kind, m.at)
	}
	modules := text("/proc/modules")
	for _, name := range []string{"veth", "tcp_diag", "inet_diag"} {
		expect(strings.Contains("\n"+modules, "\n"+name+" "), "module %s is not loaded", name)
	}
	cat, err := exec.Command("/bin/cat", "/a/b/local.txt").CombinedOutput()
	expect(err == nil && string(cat) == "local", "cat: %q, %v", cat, err)
	expect(os.Getenv("INGRAIN_ODD") == "a b\nc\"d", "INGRAIN_ODD is %q", os.Getenv("INGRAIN_ODD"))
	expect(os.Getuid() == 0 && os.Getpid() != 1, "uid %d, pid %d", os.Getuid(), os.Getpid())
	_, err = os.Stat("testdata/exectest/testdata/hello.txt")
	expect(err == nil, "testdata: %v", err)
	expect(time.Now().Year() >= 2025, "it is %v", time.Now())
	expect(text("/sys/kernel/tracing/events/sched/sched_process_exec/id") != "", "no tracepoints")
	for _, at := range []string{"127.0.0.1:0", "[::1]:0"} {
		errs = append(errs, talk(at))
	}
	errs = append(errs, os.WriteFile("/tmp/back.bin", noise(), 0o600))
	return errors.Join(errs...)
}

// talk sends a word over a loopback address.
func talk(address string) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	go func() {
		if c, err := l.Accept(); err == nil {
			_, _ = c.Write([]byte("word"))
			_ = c.Close()
		}
	}()
	c, err := net.DialTimeout("tcp", l.Addr().String(), 10*time.Second)
	if err != nil {
		return err
	}
	got, err := io.ReadAll(c)
	if err != nil || string(got) != "word" {
		return fmt.Errorf("over %s came %q, %v", address, got, err)
	}
	return errors.Join(c.Close(), l.Close())
}
