// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"syscall"
	"time"
)

// awake measures what a program pays whose opens are watched, 100,000 a second:
// CPU time of an open beyond that of one that nobody watches. The agent reads
// meanwhile, or, to know what its reading costs the program, is stopped and
// reads afterwards. The naive agent is compared with our program the same way.
func awake(b *bench) ([]row, error) {
	c, err := b.contenders()
	if err != nil {
		return nil, err
	}
	large := c.ours // its rings hold all of a load, some 150 bytes for an open
	large.args = append(slices.Clone(large.args), "-rings", "64MiB")
	var alone, stopped, reading, ours, naive []float64
	for range max(b.rounds(8), 2) { // what is compared is small beside what is measured
		for _, turn := range []struct {
			by             *contender
			stopped, awake *[]float64
		}{{nil, nil, &alone}, {&large, &stopped, &reading}, {&c.ours, nil, &ours}, {&c.naive, nil, &naive}} {
			if err := b.openWatched(turn.by, turn.stopped, turn.awake); err != nil {
				return nil, err
			}
		}
	}
	base := median(alone)
	tax := func(values []float64) float64 { return median(values) - base }
	rows := []row{
		compared("openat 100k/s: tax of an open while the agent reads, against one that reads later", "ns/open", tax(reading), tax(stopped), 1.2),
		compared("openat 100k/s: tax of an open, against naive", "ns/open", tax(ours), tax(naive), 0),
	}
	rows[0].Limit = 0 // a difference of differences, which others on the machine spoil
	for i := range rows {
		rows[i].Note = fmt.Sprintf("beyond the %.0f of one that nobody watches", base)
	}
	return rows, nil
}

// openWatched appends what an open of short loads costs, ns of CPU time, while
// an agent watches it, or nobody: while the agent is stopped, if that is asked
// for, and while it reads, in turn.
func (b *bench) openWatched(by *contender, stopped, awake *[]float64) error {
	const times, pause = 5, 100 * time.Millisecond
	signal := func(os.Signal) error { return nil }
	end := func() error { return nil }
	if by != nil {
		a, err := b.begin(*by)
		if err != nil {
			return err
		}
		signal, end = a.cmd.Process.Signal, a.end
	}
	var err error
	for range times {
		if stopped != nil {
			ns, failed := b.open(func() error { return signal(syscall.SIGSTOP) }, func() error { return signal(syscall.SIGCONT) })
			*stopped, err = append(*stopped, ns), errors.Join(err, failed)
			time.Sleep(pause) // it reads what it has missed
		}
		none := func() error { return nil }
		ns, failed := b.open(none, none)
		*awake, err = append(*awake, ns), errors.Join(err, failed)
		time.Sleep(pause)
	}
	return errors.Join(err, end())
}

// open is what an open of a load costs between before and after.
func (b *bench) open(before, after func() error) (float64, error) {
	cmd, _, err := b.load(100_000, 300*time.Millisecond)
	if err != nil {
		return 0, err
	}
	err = before()
	did, failed := opened(cmd)
	if err := errors.Join(err, failed, after()); err != nil {
		return 0, err
	}
	return float64(cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime()) / float64(did.Opens), nil
}
