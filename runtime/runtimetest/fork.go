// SPDX-License-Identifier: Apache-2.0

package runtimetest

import (
	"fmt"
	goruntime "runtime"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Step is what a thread of a forked process does: one system call, or the
// Meet of several threads.
type Step struct {
	Number uintptr
	Args   [6]uintptr
	// Thread, of a clone, is what the new thread does: steps in a row, the
	// last of which must end it.
	Thread *Step

	keep unsafe.Pointer // what an argument is the address of
}

// meet is no system call's number.
const meet = ^uintptr(0)

// Exit ends one thread, and the process with its last.
func Exit(code int) Step { return Step{Number: unix.SYS_EXIT, Args: [6]uintptr{uintptr(code)}} }

// ExitGroup ends the process.
func ExitGroup(code int) Step {
	return Step{Number: unix.SYS_EXIT_GROUP, Args: [6]uintptr{uintptr(code)}}
}

// Sleep sleeps for d.
func Sleep(d time.Duration) Step {
	at := unsafe.Pointer(new(unix.NsecToTimespec(d.Nanoseconds())))
	return Step{Number: unix.SYS_NANOSLEEP, Args: [6]uintptr{uintptr(at)}, keep: at}
}

// Meet spins until n threads have come to it. counter starts at 0.
func Meet(counter *uint64, n int) Step {
	at := unsafe.Pointer(counter)
	return Step{Number: meet, Args: [6]uintptr{uintptr(at), uintptr(n)}, keep: at}
}

// Thread starts a thread of the process, which does steps.
func Thread(steps ...Step) Step {
	return clone(unix.CLONE_VM|unix.CLONE_FS|unix.CLONE_FILES|unix.CLONE_SIGHAND|unix.CLONE_THREAD|unix.CLONE_SYSVSEM, steps)
}

// Execve starts a program with arguments and no environment.
func Execve(path string, argv ...string) Step {
	return execveat(-100 /* AT_FDCWD */, path, 0, argv)
}

// Fexecve starts the program that an open file holds.
func Fexecve(fd int, argv ...string) Step {
	return execveat(fd, "", unix.AT_EMPTY_PATH, argv)
}

func execveat(fd int, path string, flags uintptr, argv []string) Step {
	words := &struct {
		path *byte
		argv [64]*byte
	}{path: cString(path)}
	for i, arg := range argv {
		words.argv[i] = cString(arg)
	}
	return Step{
		Number: unix.SYS_EXECVEAT,
		Args:   [6]uintptr{uintptr(fd), uintptr(unsafe.Pointer(words.path)), uintptr(unsafe.Pointer(&words.argv)), 0, flags},
		keep:   unsafe.Pointer(words),
	}
}

func cString(s string) *byte { return &append([]byte(s), 0)[0] }

// Forked is a process that Fork or Copy started.
type Forked struct {
	PID   int
	steps []Step // which it reads
}

// Fork starts a process that shares this one's memory and runs nothing of Go:
// its one thread does the steps, without a stack, and the last must end it. It
// costs some 30 µs, must not dump core, and must be waited for.
func Fork(steps ...Step) (Forked, error) {
	return fork(unix.CLONE_VM, steps)
}

// Copy is Fork of a process whose memory is its own. As long as this one's is
// copied, its threads can neither map memory nor end.
func Copy(steps ...Step) (Forked, error) {
	return fork(0, steps)
}

func fork(flags uintptr, steps []Step) (Forked, error) {
	first := clone(flags|uintptr(unix.SIGCHLD), steps)
	pid := begin(&first)
	if int(pid) < 0 {
		return Forked{}, fmt.Errorf("clone: %w", syscall.Errno(-pid))
	}
	return Forked{int(pid), steps}, nil
}

// Wait waits for the end of the process.
func (f Forked) Wait() (syscall.WaitStatus, error) {
	var status syscall.WaitStatus
	for {
		_, err := syscall.Wait4(f.PID, &status, 0, nil)
		if err != syscall.EINTR {
			goruntime.KeepAlive(f.steps)
			return status, err
		}
	}
}

func clone(flags uintptr, steps []Step) Step {
	return Step{Number: unix.SYS_CLONE, Args: [6]uintptr{flags}, Thread: &steps[0]}
}

// begin makes the first step, a clone, and returns what it returned; the new
// process goes on with its steps and does not return. All that it reads is on
// the heap, which does not move: first escapes.
func begin(first *Step) uintptr
