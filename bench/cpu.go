// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	goruntime "runtime"

	"golang.org/x/sys/unix"
)

// each is the CPU time of one of the n turns that f takes, ns.
func each(n int, f func(n int)) float64 {
	goruntime.LockOSThread()
	defer goruntime.UnlockOSThread()
	began := threadCPU()
	f(n)
	return float64(threadCPU()-began) / float64(n)
}

// threadCPU is the CPU time that this thread has taken, ns.
func threadCPU() int64 {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t) // cannot fail: the clock exists
	return t.Nano()
}

// processCPU is the CPU time that a process has taken, all its threads, ns.
// Its clock's number is made as in clock_getcpuclockid(3).
func processCPU(pid int) (int64, error) {
	const scheduled = 2 // CPUCLOCK_SCHED of kernel/time/posix-cpu-timers.c

	var t unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|scheduled), &t); err != nil {
		return 0, fmt.Errorf("CPU time of process %d: %w", pid, err)
	}
	return t.Nano(), nil
}
