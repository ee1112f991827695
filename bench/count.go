// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strconv"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"
)

// countByBpftrace counts the system calls of all programs by their names.
const countByBpftrace = `rawtracepoint:sys_enter { @[comm] = count(); }`

// count measures what counting by comm in the kernel adds to each system call of
// the machine.
func count(b *bench) ([]row, error) {
	program, err := b.build("examples/grains/generated/watchopen")
	if err != nil {
		return nil, err
	}
	return b.countBy("comm", countByBpftrace, contender{name: "calls", program: program, args: []string{"-grains", "calls", "-o", "json", "-v"}})
}

// countBy measures what agents that count system calls by something add to one:
// its CPU time less that of a call while a program that does nothing is attached
// to the same hook, for that is what no agent can avoid.
func (b *bench) countBy(key, program string, ours contender) ([]row, error) {
	bpftrace, none := b.bpftrace()
	ways := []func() (func() error, error){nobody, nothing, func() (func() error, error) { return b.present(ours) }}
	if none == nil {
		c := bpftrace.contender("bpftrace", "-e", program+said)
		ways = append(ways, func() (func() error, error) { return b.present(c) })
	}
	var failed error
	var turns []func() float64
	for _, attach := range ways {
		turns = append(turns, func() float64 {
			ns, err := b.callsWhile(attach)
			failed = errors.Join(failed, err)
			return ns
		})
	}
	ns := takeTurns(b.rounds(7), turns...)
	if failed != nil {
		return nil, failed
	}
	hook := bounded("a program that does nothing at each system call", "ns/call", ns[1]-ns[0], 0)
	hook.Note = fmt.Sprintf("added to the %.0f ns of getppid without any", ns[0])

	r := compared("count system calls by "+key+", net of the hook, against bpftrace", "ns/call", ns[2]-ns[1], 0, 0.6)
	if none == nil {
		r.Peer = ns[len(ns)-1] - ns[1]
	} else {
		r = without(r, none)
	}
	return []row{hook, r}, nil
}

// callsWhile is the CPU time of a system call while something is attached, ns.
func (b *bench) callsWhile(attach func() (detach func() error, err error)) (float64, error) {
	program, err := b.build("bench/load")
	if err != nil {
		return 0, err
	}
	detach, err := attach()
	if err != nil {
		return 0, err
	}
	calls := max(1_000_000/b.part, 300_000)
	out, err := output(exec.Command(program, "-calls", strconv.Itoa(calls)))
	var did opens
	if err == nil {
		err = json.Unmarshal([]byte(out), &did)
	}
	return did.NS, errors.Join(err, detach())
}

// nobody attaches nothing.
func nobody() (func() error, error) { return func() error { return nil }, nil }

// nothing attaches a program that does nothing to the entry of all system calls.
func nothing() (func() error, error) {
	program, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Name:         "nothing",
		Type:         ebpf.RawTracepoint,
		Instructions: asm.Instructions{asm.Mov.Imm(asm.R0, 0), asm.Return()},
		License:      "Dual BSD/GPL",
	})
	if err != nil {
		return nil, fmt.Errorf("load a program that does nothing: %w", err)
	}
	attached, err := link.AttachRawTracepoint(link.RawTracepointOptions{Name: "sys_enter", Program: program})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("attach it: %w", err), program.Close())
	}
	return func() error { return errors.Join(attached.Close(), program.Close()) }, nil
}

// present has an agent run.
func (b *bench) present(c contender) (func() error, error) {
	a, err := b.begin(c)
	if err != nil {
		return nil, err
	}
	return a.end, nil
}
