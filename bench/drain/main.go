// SPDX-License-Identifier: Apache-2.0

//go:build overlay

// Command drain measures what it costs to read a record of 64 bytes that lies
// in a ring, two bytes of each looked at: by the agent's reader, by cilium/ebpf
// and by libbpf. The agent's reader is internal to runtime, so bench builds this
// file as if it lay there (go build -overlay).
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	goruntime "runtime"

	"golang.org/x/sys/unix"

	"github.com/redsift/ingraind/bench/fill"
)

// way is a way to read the records of a ring of its own.
type way struct {
	name  string
	ring  *fill.Ring
	drain drainer
}

// drainer reads all records that are there, and returns how many that were and
// the CPU time it took, in ns.
type drainer func() (records int, cpu int64, err error)

// sum is where the bytes looked at go.
type sum uint64

func (s *sum) look(raw []byte) { *s += sum(raw[12]) + sum(raw[40]) }

func main() {
	rounds := flag.Int("rounds", 15, "how often to measure each way")
	records := flag.Int("records", 100_000, "how many records to read at once")
	libbpf := flag.String("libbpf", "", "the program that reads with libbpf")
	flag.Parse()

	measured, err := measure(*rounds, *records, *libbpf)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	_ = json.NewEncoder(os.Stdout).Encode(measured)
}

// measure returns ns a record, for each way and round. The ways take turns, all
// on one CPU: who reads elsewhere than where was written pays for the way.
func measure(rounds, records int, libbpf string) (map[string][]float64, error) {
	goruntime.LockOSThread()
	if err := stay(); err != nil {
		return nil, err
	}
	ways, err := open(libbpf)
	if err != nil {
		return nil, err
	}
	measured := map[string][]float64{}
	for round := -1; round < rounds; round++ { // the first is to warm up
		for _, w := range ways {
			if err := w.ring.Fill(records); err != nil {
				return nil, err
			}
			n, cpu, err := w.drain()
			if err != nil {
				return nil, fmt.Errorf("%s: %w", w.name, err)
			}
			if n != records {
				return nil, fmt.Errorf("%s read %d of %d records", w.name, n, records)
			}
			if round >= 0 {
				measured[w.name] = append(measured[w.name], float64(cpu)/float64(records))
			}
		}
	}
	return measured, nil
}

// stay binds this thread, and what it starts, to one of its CPUs.
func stay() error {
	var allowed, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &allowed); err != nil {
		return fmt.Errorf("ask for this thread's CPUs: %w", err)
	}
	cpu := 0
	for !allowed.IsSet(cpu) {
		cpu++
	}
	one.Set(cpu)
	return unix.SchedSetaffinity(0, &one)
}

// cpuTime is the CPU time of this thread, ns.
func cpuTime() int64 {
	var now unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &now) // cannot fail: the clock exists
	return now.Nano()
}
