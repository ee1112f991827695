// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	goruntime "runtime"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/redsift/ingraind/bench/emit"
)

// cpus measures what an event costs when programs on two CPUs send at once,
// against one CPU alone: with a ring for each CPU, as the agent has them, and
// with one for all.
func cpus(b *bench) ([]row, error) {
	const events = 200_000 // of each CPU, without a reader
	own, err := emit.New(goruntime.NumCPU(), 16<<20)
	if err != nil {
		return nil, err
	}
	defer own.Close()
	shared, err := emit.New(1, 32<<20)
	if err != nil {
		return nil, err
	}
	defer shared.Close()

	var errs []error
	way := func(s *emit.Sender, p emit.Program, cpus ...int) func() float64 {
		return func() float64 {
			ns, err := sendOn(s, p, events, cpus)
			errs = append(errs, err)
			return ns
		}
	}
	ns := takeTurns(b.rounds(33),
		way(own, emit.Nothing, 0), way(own, emit.Nothing, 0, 1),
		way(own, emit.Emit, 0), way(own, emit.Emit, 0, 1),
		way(shared, emit.Emit, 0), way(shared, emit.Emit, 0, 1),
		way(own, emit.Bare, 0), way(own, emit.Bare, 0, 1),
		way(shared, emit.Bare, 0), way(shared, emit.Bare, 0, 1),
	)
	figure := func(name string, at int, target float64) row {
		return compared(name, "ns/event", ns[at+1]-ns[1], ns[at]-ns[0], target)
	}
	return []row{
		figure("two CPUs send at once, a ring each, against one CPU", 2, 1.3),
		figure("the same, events that are not filled in", 6, 0),
		figure("two CPUs send at once, one ring, against one CPU", 4, 0),
		figure("the same, events that are not filled in", 8, 0),
	}, errors.Join(errs...)
}

// sendOn runs a program n times on each of the CPUs, at once, and returns the
// CPU time of a run.
func sendOn(s *emit.Sender, p emit.Program, n int, cpus []int) (float64, error) {
	if err := s.Empty(); err != nil {
		return 0, err
	}
	type done struct {
		ns  int64
		err error
	}
	var waiting atomic.Int32
	waiting.Store(int32(len(cpus)))
	all := make(chan done)
	for _, cpu := range cpus {
		go func() {
			goruntime.LockOSThread() // and ends this thread
			err := onCPU(cpu)
			waiting.Add(-1)
			for waiting.Load() > 0 && len(cpus) > 1 {
			}
			began := threadCPU()
			err = errors.Join(err, s.Run(p, n))
			all <- done{threadCPU() - began, err}
		}()
	}
	var sum done
	for range cpus {
		d := <-all
		sum.ns, sum.err = sum.ns+d.ns, errors.Join(sum.err, d.err)
	}
	_, lost, err := s.Counted()
	if lost > 0 {
		err = errors.Join(err, fmt.Errorf("%d events found no room", lost))
	}
	return float64(sum.ns) / float64(n*len(cpus)), errors.Join(sum.err, err)
}

// onCPU binds this thread to a CPU.
func onCPU(cpu int) error {
	var set unix.CPUSet
	set.Set(cpu)
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return fmt.Errorf("stay on CPU %d: %w", cpu, err)
	}
	return nil
}
