// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// explained measures how far what `ingrain explain` says that an event costs is
// from what the kernel says that its program took: beyond one that is rejected,
// for both have the same probe around them.
func explained(b *bench) ([]row, error) {
	said, err := b.inTree("go", "run", "./gen/cmd/ingrain", "explain", "-C", "examples/grains", "ask")
	if err != nil {
		return nil, err
	}
	costs := regexp.MustCompile(`costs about: +(\d+) ns to be rejected by the first question, (\d+) ns`).FindStringSubmatch(said)
	if costs == nil {
		return nil, fmt.Errorf("explain says no costs: %s", said)
	}
	rejected, _ := strconv.ParseFloat(costs[1], 64)
	sent, _ := strconv.ParseFloat(costs[2], 64)
	stats, err := ebpf.EnableStats(uint32(unix.BPF_STATS_RUN_TIME))
	if err != nil {
		return nil, fmt.Errorf("have the kernel measure programs: %w", err)
	}
	defer stats.Close()
	var errs []error
	way := func(least int) func() float64 {
		return func() float64 {
			ns, err := b.asking(least)
			errs = append(errs, err)
			return ns
		}
	}
	ns := takeTurns(b.rounds(9), way(0), way(1<<30))
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	measured, estimate := ns[0]-ns[1], sent-rejected
	r := compared("an event of ask beyond one that is rejected: explain's figure or the kernel's, the larger one, against the other",
		"ns/event", max(measured, estimate), min(measured, estimate), 2)
	r.Limit = 0 // the kernel's figure has in it what interrupts the program
	r.Note = fmt.Sprintf("explain says %.0f, the kernel %.0f", estimate, measured)
	return []row{r}, nil
}

// asking is what the program of the grain ask takes for a question, with what
// it takes for other system calls of the time, ns.
func (b *bench) asking(least int) (float64, error) {
	program, err := b.build("examples/grains/generated/watchopen")
	if err != nil {
		return 0, err
	}
	a, err := b.begin(contender{name: "ask", program: program, args: []string{"-grains", "ask", "-param", fmt.Sprintf("ask.least=%d", least), "-latency", "100ms", "-o", "json", "-v"}})
	if err != nil {
		return 0, err
	}
	const questions = 200_000
	before, err := took("asked")
	if err == nil {
		for n := range questions {
			_, _, _ = unix.RawSyscall(unix.SYS_GETPRIORITY, 0, uintptr(n%100), 0)
		}
	}
	after, failed := took("asked")
	return float64(after-before) / questions, errors.Join(err, failed, a.end())
}

// took is how long programs whose names begin so have run, ns.
func took(name string) (int64, error) {
	var sum int64
	found := false
	for id := ebpf.ProgramID(0); ; {
		next, err := ebpf.ProgramGetNextID(id)
		if errors.Is(err, unix.ENOENT) {
			break
		}
		if err != nil {
			return 0, err
		}
		id = next
		p, err := ebpf.NewProgramFromID(id)
		if err != nil {
			continue // gone since
		}
		if info, err := p.Info(); err == nil && strings.HasPrefix(info.Name, name) {
			if stats, err := p.Stats(); err == nil {
				sum, found = sum+int64(stats.Runtime), true
			}
		}
		p.Close()
	}
	if !found {
		return 0, fmt.Errorf("no program is called %s", name)
	}
	return sum, nil
}
