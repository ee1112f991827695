// SPDX-License-Identifier: Apache-2.0

//go:build overlay

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/ringbuf"
	"golang.org/x/sys/unix"

	"github.com/redsift/ingraind/bench/fill"
	"github.com/redsift/ingraind/runtime/internal/ring"
)

// open makes the ways, each with a ring. The process ends soon, so nothing is
// closed.
func open(libbpf string) ([]way, error) {
	makers := []struct {
		name string
		make func(*ebpf.Map) (drainer, error)
	}{
		{"ours", ours},
		{"ReadInto", readInto},
		{"Read", read},
		{"libbpf", func(m *ebpf.Map) (drainer, error) { return readElsewhere(m, libbpf) }},
	}
	var ways []way
	for _, m := range makers {
		r, err := fill.New()
		if err != nil {
			return nil, err
		}
		drain, err := m.make(r.Map())
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.name, err)
		}
		ways = append(ways, way{m.name, r, drain})
	}
	return ways, nil
}

// timed is a drainer in this process.
func timed(drain func() (int, error)) drainer {
	return func() (int, int64, error) {
		began := cpuTime()
		n, err := drain()
		return n, cpuTime() - began, err
	}
}

func ours(m *ebpf.Map) (drainer, error) {
	r, err := ring.Open(m)
	if err != nil {
		return nil, err
	}
	reader, err := ring.NewReader([]*ring.Ring{r}, ring.NewFlag(), ring.Options{})
	if err != nil {
		return nil, err
	}
	look := new(sum).look
	return timed(func() (int, error) { return reader.Drain(look), nil }), nil
}

// past is a deadline that makes a reader return when there is nothing to read.
func past(m *ebpf.Map) (*ringbuf.Reader, error) {
	r, err := ringbuf.NewReader(m)
	if err == nil {
		r.SetDeadline(time.Unix(1, 0))
	}
	return r, err
}

func readInto(m *ebpf.Map) (drainer, error) {
	r, err := past(m)
	if err != nil {
		return nil, err
	}
	var s sum
	var record ringbuf.Record
	return timed(func() (n int, err error) {
		for {
			if err := r.ReadInto(&record); errors.Is(err, os.ErrDeadlineExceeded) {
				return n, nil
			} else if err != nil {
				return n, err
			}
			s.look(record.RawSample)
			n++
		}
	}), nil
}

func read(m *ebpf.Map) (drainer, error) {
	r, err := past(m)
	if err != nil {
		return nil, err
	}
	var s sum
	return timed(func() (n int, err error) {
		for {
			record, err := r.Read()
			if errors.Is(err, os.ErrDeadlineExceeded) {
				return n, nil
			}
			if err != nil {
				return n, err
			}
			s.look(record.RawSample)
			n++
		}
	}), nil
}

// readElsewhere reads in a process of its own, which measures itself: see
// bench/libbpf/drain.c.
func readElsewhere(m *ebpf.Map, program string) (drainer, error) {
	fd, err := unix.Dup(m.FD())
	if err != nil {
		return nil, err
	}
	inherited := os.NewFile(uintptr(fd), "ring")
	defer inherited.Close()
	cmd := exec.Command(program)
	cmd.Stderr = os.Stderr
	cmd.ExtraFiles = []*os.File{inherited}
	to, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	from, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	answers := bufio.NewReader(from)
	return func() (n int, cpu int64, err error) {
		if _, err := io.WriteString(to, "\n"); err != nil {
			return 0, 0, err
		}
		_, err = fmt.Fscanf(answers, "%d %d\n", &n, &cpu)
		return n, cpu, err
	}, nil
}
