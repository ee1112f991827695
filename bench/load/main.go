// SPDX-License-Identifier: Apache-2.0

// Command load opens and closes a file at a steady rate, or as often as it can,
// and says how often it did: the truth that an agent's rows are compared with.
// With -calls it makes the cheapest of system calls instead, and says what one
// costs.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// done is what load prints at its end.
type done struct {
	Opens   int     `json:"opens"`
	Calls   int     `json:"calls,omitempty"`
	Seconds float64 `json:"seconds"`
	NS      float64 `json:"ns,omitempty"` // CPU time of one of the calls, in the fastest of some stretches
}

func main() {
	rate := flag.Int("rate", 1000, "opens a second; 0: as many as it can")
	length := flag.Duration("for", time.Second, "how long, at most a minute or so")
	path := flag.String("path", "", "the file, which must exist")
	slice := flag.Duration("slice", time.Millisecond, "how long to sleep between bursts")
	calls := flag.Int("calls", 0, "call getppid so often, and open nothing")
	flag.Parse()
	if err := run(*rate, *length, *path, *slice, *calls); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(rate int, length time.Duration, path string, slice time.Duration, calls int) (err error) {
	var did done
	began := time.Now()
	switch {
	case calls > 0:
		did.Calls, did.NS = call(calls)
	case rate == 0:
		did.Opens, err = flood(path, length)
	default:
		did.Opens, err = load(path, rate, length, slice)
	}
	if err != nil {
		return err
	}
	did.Seconds = time.Since(began).Seconds()
	return json.NewEncoder(os.Stdout).Encode(did)
}

// call calls getppid some n times, in stretches, and returns how often that was
// and the CPU time of a call, ns: that of the fastest stretch, for what else the
// machine does can only add.
func call(n int) (calls int, ns float64) {
	const stretches = 50
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var each []float64
	for range stretches {
		began := cpuTime()
		for range n / stretches {
			unix.Getppid()
		}
		each = append(each, float64(cpuTime()-began)/float64(n/stretches))
	}
	return n / stretches * stretches, slices.Min(each)
}

// cpuTime is the CPU time of this thread, ns.
func cpuTime() int64 {
	var now unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &now) // cannot fail: the clock exists
	return now.Nano()
}

// flood opens path as often as it can for so long, and returns how often that was.
func flood(path string, length time.Duration) (opens int, err error) {
	const between = 64 // looks at the clock
	for began := time.Now(); time.Since(began) < length; opens += between {
		for range between {
			if err := open(path); err != nil {
				return 0, err
			}
		}
	}
	return opens, nil
}

// open opens path and closes it.
func open(path string) error {
	fd, err := unix.Openat(unix.AT_FDCWD, path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	unix.Close(fd)
	return nil
}

// total is how often load should open the file.
func total(rate int, length time.Duration) int { return int(float64(rate) * length.Seconds()) }

// load opens path as often as it should have by now, sleeps, and so on, and
// returns how often that was. It gives up when it takes three times as long as it
// should: the machine has other things to do.
func load(path string, rate int, length, slice time.Duration) (opened int, err error) {
	began, n := time.Now(), total(rate, length)
	for opened < n {
		passed := time.Since(began)
		if passed > 3*length+time.Second {
			break
		}
		for due := min(total(rate, passed), n); opened < due; opened++ {
			if err := open(path); err != nil {
				return opened, err
			}
		}
		time.Sleep(slice)
	}
	return opened, nil
}
