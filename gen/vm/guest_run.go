// SPDX-License-Identifier: Apache-2.0

package vm

import (
	"encoding/base64"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// runProgram runs the program in a session of its own and returns its exit
// code. Meanwhile init does what an init does: it reaps orphans.
func runProgram(j job) (int, error) {
	p, err := os.StartProcess(j.Program, j.Args, &os.ProcAttr{
		Dir: j.Dir, Env: j.Env, Files: []*os.File{nil, os.Stdout, os.Stderr},
		Sys: &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		return 0, fmt.Errorf("start the program: %w", err)
	}
	for {
		var status unix.WaitStatus
		pid, err := unix.Wait4(-1, &status, 0, nil)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return 0, fmt.Errorf("wait for the program: %w", err)
		}
		switch {
		case pid != p.Pid:
		case status.Exited():
			return status.ExitStatus(), nil
		case status.Signaled():
			fmt.Printf("\nthe program was ended by signal %d (%v)\n", int(status.Signal()), status.Signal())
			return 128 + int(status.Signal()), nil
		}
	}
}

// sendBack sends a file's content to the host.
func (g *guest) sendBack(index int, file string) error {
	f, err := os.Open(file)
	if errors.Is(err, os.ErrNotExist) {
		g.say(verbNone, fmt.Sprint(index))
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	g.say(verbFile, fmt.Sprint(index))
	sum, size := crc32.NewIEEE(), 0
	chunk := make([]byte, 24<<10) // fits the host's longest line as base64
	for {
		n, err := io.ReadFull(f, chunk)
		if n > 0 {
			sum.Write(chunk[:n])
			size += n
			fmt.Printf("%s %s %s\n", g.job.Marker, verbData, base64.StdEncoding.EncodeToString(chunk[:n]))
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			g.say(verbEnd, fmt.Sprintf("%08x %d", sum.Sum32(), size))
			return nil
		}
		if err != nil {
			return fmt.Errorf("send %s back: %w", file, err)
		}
	}
}

// kernelLog reads what the kernel logs from now on.
type kernelLog struct{ fd int }

func openKernelLog() (kernelLog, error) {
	fd, err := unix.Open("/dev/kmsg", unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return kernelLog{}, fmt.Errorf("open /dev/kmsg: %w", err)
	}
	if _, err := unix.Seek(fd, 0, unix.SEEK_END); err != nil {
		return kernelLog{}, fmt.Errorf("seek /dev/kmsg: %w", err)
	}
	return kernelLog{fd}, nil
}

// warnings are the lines since then that should worry somebody. A record is
// "priority,number,microseconds,flags;text\n", see Documentation/ABI/testing/dev-kmsg.
func (l kernelLog) warnings() []string {
	var found []string
	record := make([]byte, 8192)
	for {
		n, err := unix.Read(l.fd, record)
		if errors.Is(err, unix.EPIPE) {
			continue // overwritten before it was read
		}
		if err != nil || n <= 0 {
			return found
		}
		_, text, _ := strings.Cut(string(record[:n]), ";")
		text, _, _ = strings.Cut(text, "\n")
		for _, start := range []string{"WARNING: ", "BUG: ", "rcu: INFO: ", "INFO: task ", "watchdog: "} {
			if strings.HasPrefix(text, start) {
				found = append(found, text)
			}
		}
	}
}

// oneLine keeps a message on its line.
func oneLine(s string) string { return strings.ReplaceAll(s, "\n", "; ") }
