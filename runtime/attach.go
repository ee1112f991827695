// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
)

// attachment is an attached program. To close it is to detach it.
type attachment struct {
	io.Closer
	*choice
}

// Attach attaches all programs. When one does not attach in the way that was
// planned, all are detached, and the grain is loaded and attached again with
// the next way of that point, until none is left; the grain is then closed.
func (l *Loaded) Attach() error {
	for {
		failed, err := l.attachAll()
		if err == nil {
			return nil
		}
		if err := l.unload(); err != nil {
			return errors.Join(fmt.Errorf("%s: detach: %w", l.plan.Grain.Name, err), l.Close())
		}
		l.plan = l.plan.without(failed, explain(err))
		if err := l.load(); err != nil {
			return errors.Join(err, l.Close())
		}
	}
}

// attachAll attaches until something fails.
func (l *Loaded) attachAll() (attempt, error) {
	for i := range l.plan.chosen {
		c := &l.plan.chosen[i]
		if err := l.attach(c); err != nil {
			return c.attempt, err
		}
	}
	return attempt{}, nil
}

// attach attaches the program of a choice, of a pair the return's first: a
// return without its entry is nothing, an entry without its return would
// leave arguments behind.
func (l *Loaded) attach(c *choice) error {
	keep := func(attached io.Closer) {
		l.links = append(l.links, attachment{attached, c})
	}
	if c.code != nil {
		var all crowd
		var errs []error
		for n := range c.code.variants {
			errs = append(errs, c.code.attach(c, l.collections[n].Programs[c.Programs[0]], &c.code.variants[n], func(attached io.Closer) {
				all = append(all, attached)
			}))
		}
		keep(all)
		return errors.Join(errs...)
	}
	for i := len(c.Programs) - 1; i >= 0; i-- {
		if err := c.attach(l.collections[0].Programs[c.Programs[i]], i, keep); err != nil {
			return err
		}
	}
	return nil
}

// attach attaches program number n of a choice. keep gets each attachment,
// also of those that an error comes after.
func (c *choice) attach(program *ebpf.Program, n int, keep func(io.Closer)) error {
	switch c.Mechanism {
	case Cgroup:
		return c.attachCgroups(program, keep)
	case SkLookup:
		return c.attachNetns(program, keep)
	case PerfEvent:
		return c.attachPerfEvent(program, keep)
	case XDP, TCX, Clsact, Socket:
		return c.attachInterfaces(program, keep)
	case Kprobe:
		if isPattern(c.Target) {
			return c.attachKprobes(program, keep)
		}
	}
	attached, err := c.attachOne(program, n)
	if err != nil {
		return err
	}
	keep(attached)
	return nil
}

// attachOne attaches program number n where there is one place for it.
func (c *choice) attachOne(program *ebpf.Program, n int) (io.Closer, error) {
	target, kernel := c.Target, &link.KprobeOptions{TraceFSPrefix: traceGroup()}
	switch c.Mechanism {
	case TPBTF:
		return link.AttachTracing(link.TracingOptions{Program: program})
	case Fentry:
		return link.AttachTracing(link.TracingOptions{Program: program, AttachType: ebpf.AttachTraceFEntry})
	case Fexit:
		return link.AttachTracing(link.TracingOptions{Program: program, AttachType: ebpf.AttachTraceFExit})
	case RawTP:
		return link.AttachRawTracepoint(link.RawTracepointOptions{Name: c.tracepoint(), Program: program})
	case Kprobe:
		return link.Kprobe(target, program, kernel)
	case KprobeMulti:
		return link.KprobeMulti(program, link.KprobeMultiOptions{Symbols: c.functions})
	case Kretprobe:
		return attachReturn(target, program)
	case Pair:
		if n == 0 {
			return link.Kprobe(target, program, kernel)
		}
		return attachReturn(target, program)
	case LSM:
		return attachTrampoline(program, ebpf.AttachLSMMac)
	case FmodRet:
		return attachTrampoline(program, ebpf.AttachModifyReturn)
	case Iter:
		return attachIterator(program, c.every)
	}
	return nil, fmt.Errorf("no such mechanism: %s", c.Mechanism)
}

// mostInFlight is how many calls of a function may be under way while their
// returns are probed: the most that a kernel allows (KRETPROBE_MAXACTIVE_MAX).
// A call beyond that is missed. Left alone, kernels have room for some ten, and
// 5.10 for as many as there are CPUs: a few readers that wait for a pipe fill
// that. Each place takes some 100 bytes of the kernel's memory.
const mostInFlight = 4096

// attachReturn attaches a kretprobe. Room for calls can only be asked for
// through tracefs; where that cannot be used, the kernel's own will have to do.
func attachReturn(function string, program *ebpf.Program) (link.Link, error) {
	o := &link.KprobeOptions{TraceFSPrefix: traceGroup(), RetprobeMaxActive: mostInFlight}
	if attached, err := link.Kretprobe(function, program, o); err == nil {
		return attached, nil
	}
	o.RetprobeMaxActive = 0
	return link.Kretprobe(function, program, o)
}

// Detach stops the programs, the last attached first. The books can still be
// read. A second call does nothing.
func (l *Loaded) Detach() error {
	var errs []error
	for _, a := range slices.Backward(l.links) {
		l.skipped[a.probe] += a.missed()
		errs = append(errs, a.Close())
	}
	l.links = nil
	return errors.Join(errs...)
}

// crowd is attachments that are closed at once: the kernel waits for some tens
// of milliseconds when a place in programs is left, as long for all of them.
type crowd []io.Closer

func (c crowd) Close() error {
	errs := make([]error, len(c))
	var wait sync.WaitGroup
	for i := range c {
		wait.Go(func() { errs[i] = c[i].Close() })
	}
	wait.Wait()
	return errors.Join(errs...)
}

// missed is how often the kernel skipped a kprobe or kretprobe: in recursion,
// or for want of a place to keep a return address. Kernels say it since 6.7. Of
// an iterator it is how often it could not be read.
func (a attachment) missed() uint64 {
	if i, ok := a.Closer.(*iterator); ok {
		return i.failed.Load()
	}
	attached, ok := a.Closer.(link.Link)
	if !ok {
		return 0
	}
	info, err := attached.Info()
	if err != nil {
		return 0
	}
	if multi := info.KprobeMulti(); multi != nil {
		return multi.Missed
	}
	event := info.PerfEvent()
	if event == nil || event.Kprobe() == nil {
		return 0
	}
	return event.Kprobe().Missed
}
