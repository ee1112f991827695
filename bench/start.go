// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"fmt"
	"os/exec"
	"time"
)

// start measures the time, not the CPU time, from the start of an agent to the
// first row that it prints, while a program opens files 2000 times a second.
func start(b *bench) ([]row, error) {
	c, err := b.contenders()
	if err != nil {
		return nil, err
	}
	cmd, _, err := b.load(2000, time.Minute)
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	defer func() {
		cmd.Process.Kill()
		cmd.Wait()
	}()
	var failed error
	first := func(c contender) func() float64 {
		return func() float64 {
			took, err := firstRow(c)
			if err != nil {
				failed = err
			}
			return took.Seconds() * 1000
		}
	}
	ms := takeTurns(b.rounds(30), first(c.ours), first(c.naive), first(c.orphan))
	if failed != nil {
		return nil, failed
	}
	return []row{
		compared("start to first row, time that passes, against naive", "ms", ms[0], ms[1], 1.5),
		compared("the same, against naive -orphan", "ms", ms[0], ms[2], 0),
	}, nil
}

// firstRow starts an agent that prints into a pipe, and ends it after a row.
func firstRow(c contender) (time.Duration, error) {
	cmd := exec.Command(c.program, c.args...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	bound := time.AfterFunc(readyWithin, func() { cmd.Process.Kill() })
	defer bound.Stop()
	_, err = bufio.NewReader(out).ReadString('\n')
	took := time.Since(began)
	cmd.Process.Kill()
	cmd.Wait()
	if err != nil {
		return 0, fmt.Errorf("%s printed no row: %w", c.name, err)
	}
	return took, nil
}
