// SPDX-License-Identifier: Apache-2.0

//go:build overlay

// Command saturate sends events of 64 bytes as fast as one CPU can, and reads
// them on another: with the agent's reader, and as most would, with
// ringbuf.Reader.Read and binary.Read, and a program that wakes by the kernel's
// own policy. The agent's reader is internal to runtime, so bench builds this
// file as if it lay there (go build -overlay).
package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	goruntime "runtime"
	"sync/atomic"
	"time"

	"github.com/cilium/ebpf/ringbuf"
	"golang.org/x/sys/unix"

	"github.com/redsift/ingraind/bench/emit"
	"github.com/redsift/ingraind/runtime/internal/ring"
)

// event is that of bench/emit.
type event struct {
	Time                uint64
	Weight              uint32
	Grain, Event        uint16
	Cgroup              uint64
	Comm                [16]byte
	PID, TID, PPID, UID uint32
	Value               uint64
}

// round is what came of one turn, a second in full.
type round struct {
	Sent, Lost, Read float64 // a second
	NS               float64 // CPU time of reading one
}

// memory is that of all rings of a way.
const memory = 32 << 20

func main() {
	rounds := flag.Int("rounds", 5, "how often to measure each way")
	length := flag.Duration("for", time.Second, "how long to send in a round")
	flag.Parse()

	goruntime.GOMAXPROCS(4) // a thread in a long system call is not to keep another from running
	measured := map[string][]round{}
	for n := -1; n < *rounds; n++ { // the first is to warm up
		for name, way := range map[string]func() (*sending, error){"ours": ours, "naive": naive} {
			r, err := measure(way, *length)
			if err != nil {
				fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
				os.Exit(1)
			}
			if n >= 0 {
				measured[name] = append(measured[name], r)
			}
		}
	}
	_ = json.NewEncoder(os.Stdout).Encode(measured)
}

// sending is who sends, and a reader.
type sending struct {
	sender  *emit.Sender
	program emit.Program
	read    func(*atomic.Bool) uint64 // until it is true and there is no more; how many
	wake    func()
	close   func()
}

func measure(way func() (*sending, error), length time.Duration) (round, error) {
	s, err := way()
	if err != nil {
		return round{}, err
	}
	defer s.sender.Close()
	defer s.close()
	var done atomic.Bool
	type reading struct {
		records uint64
		cpu     int64
	}
	read := make(chan reading)
	go func() {
		onCPU(1)
		began := cpuTime()
		records := s.read(&done)
		read <- reading{records, cpuTime() - began}
	}()
	took, failed := make(chan time.Duration), error(nil)
	go func() {
		onCPU(0)
		began := time.Now()
		for time.Since(began) < length && failed == nil {
			failed = s.sender.Run(s.program, 100_000)
		}
		took <- time.Since(began)
	}()
	seconds := (<-took).Seconds()
	done.Store(true)
	s.wake()
	r := <-read
	emitted, lost, err := s.sender.Counted()
	if emitted != lost+r.records {
		err = errors.Join(err, fmt.Errorf("sent %d, lost %d, read %d", emitted, lost, r.records))
	}
	return round{
		Sent: float64(emitted) / seconds, Lost: float64(lost) / seconds, Read: float64(r.records) / seconds,
		NS: float64(r.cpu) / float64(r.records),
	}, errors.Join(failed, err)
}

// ours reads as the agent does: a ring for each CPU.
func ours() (*sending, error) {
	cpus := goruntime.NumCPU()
	sender, err := emit.New(cpus, memory/cpus)
	if err != nil {
		return nil, err
	}
	flag, err := ring.OpenFlag(sender.Flag())
	if err != nil {
		return nil, err
	}
	var rings []*ring.Ring
	for _, m := range sender.Rings() {
		r, err := ring.Open(m)
		if err != nil {
			return nil, err
		}
		rings = append(rings, r)
	}
	reader, err := ring.NewReader(rings, flag, ring.Options{})
	if err != nil {
		return nil, err
	}
	return &sending{
		sender: sender, program: emit.Bare,
		read: func(done *atomic.Bool) (n uint64) {
			var sum uint64
			look := func(raw []byte) { sum += uint64(raw[12]) + uint64(raw[40]) }
			for {
				last := done.Load()
				got := reader.Drain(look)
				n += uint64(got)
				if last && got == 0 {
					return n
				}
				reader.Wait(func() {})
			}
		},
		wake:  reader.Wake,
		close: func() { reader.Close() },
	}, nil
}

// naive reads as most would.
func naive() (*sending, error) {
	sender, err := emit.New(1, memory)
	if err != nil {
		return nil, err
	}
	reader, err := ringbuf.NewReader(sender.Rings()[0])
	if err != nil {
		return nil, err
	}
	return &sending{
		sender: sender, program: emit.Adaptive,
		read: func(*atomic.Bool) (n uint64) {
			var sum uint64
			for {
				record, err := reader.Read()
				if err != nil { // flushed
					return n
				}
				var e event
				if binary.Read(bytes.NewReader(record.RawSample), binary.LittleEndian, &e) == nil {
					sum += uint64(e.Event) + e.Value
					n++
				}
			}
		},
		wake:  func() { reader.Flush() },
		close: func() { reader.Close() },
	}, nil
}

// onCPU binds this goroutine to a thread, and that to a CPU; the thread ends
// with it.
func onCPU(cpu int) {
	goruntime.LockOSThread()
	var set unix.CPUSet
	set.Set(cpu)
	_ = unix.SchedSetaffinity(0, &set) // if not, the figures tell
}

// cpuTime is the CPU time of this thread, ns.
func cpuTime() int64 {
	var now unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &now) // cannot fail: the clock exists
	return now.Nano()
}
