// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"errors"
	"fmt"
	"slices"

	"github.com/redsift/ingraind/runtime/internal/btfargs"
)

// serve reports why this kernel cannot serve a point in the way of c, and
// otherwise says in c where the arguments are.
func (k *Kernel) serve(c *choice, args []string, point *Point) error {
	if point.Bind == "" {
		args = nil // they are found without the kernel's types
	}
	switch c.Mechanism {
	case TPBTF, Fentry, Fexit, FmodRet, LSM, Iter:
		if k.NoTypes != nil {
			return k.NoTypes
		}
	}
	switch c.Mechanism {
	case TPBTF, RawTP:
		return k.serveTracepoint(c, args, point)
	case Fentry, Fexit:
		return k.serveTrampoline(c, args, point)
	case KprobeMulti:
		if err := k.KprobeMulti(); err != nil {
			return err
		}
		return k.servePattern(c, args)
	case Kprobe, Kretprobe, Pair:
		return k.serveKprobe(c, args, point)
	case Uprobe, Uretprobe, UprobeMulti, UretprobeMulti:
		return k.serveCode(c, args, point)
	case Iter:
		return k.serveIterator(c, args)
	case LSM, FmodRet:
		return k.serveVerdict(c, args)
	case SkLookup:
		return k.serveNetns(c)
	case PerfEvent:
		return k.servePerfEvent(c)
	case Cgroup:
		return k.serveCgroup(c)
	case XDP, TCX, Clsact, Socket:
		return k.serveInterface(c)
	}
	return errors.New("no such mechanism")
}

func (k *Kernel) serveTracepoint(c *choice, args []string, point *Point) error {
	name := c.tracepoint()
	prototype, err := btfargs.Tracepoint(k.Types, name)
	if err != nil {
		return noTracepoint(name, err)
	}
	if point.Bind == "" {
		return nil // a system call: its arguments are in its registers
	}
	c.binding, err = prototype.Words(args, false)
	return err
}

func (k *Kernel) serveTrampoline(c *choice, args []string, point *Point) error {
	prototype, err := btfargs.Function(k.Types, c.Target)
	if err != nil {
		return k.noFunction(c.Target, err)
	}
	if point.Returns && c.Mechanism == Fentry {
		return errNoResult
	}
	if c.binding, err = prototype.Words(args, point.Returns); err != nil {
		return err
	}
	return k.Trampoline(c.Mechanism, c.Target)
}

// errNoResult is for a probe that wants what is not known yet.
var errNoResult = errors.New("there is no result at the entry")

func (k *Kernel) serveKprobe(c *choice, args []string, point *Point) error {
	if err := k.Kprobes(); err != nil {
		return err
	}
	if c.Mechanism == Kprobe && isPattern(c.Target) {
		if err := k.servePattern(c, args); err != nil {
			return err
		}
		if len(c.functions) > mostProbes {
			return fmt.Errorf("%d functions match %s; without kprobe.multi at most %d are probed one by one: narrow the pattern", len(c.functions), c.Target, mostProbes)
		}
		return nil
	}
	name := c.Target
	prototype, err := btfargs.Function(k.Types, name)
	if err != nil {
		if len(args) == 0 && slices.Contains(k.Symbols(name), name) {
			return nil
		}
		return k.noFunction(name, err)
	}
	if point.Returns && c.Mechanism == Kprobe {
		return errNoResult
	}
	if c.Mechanism == Kretprobe {
		if i := slices.IndexFunc(args, func(arg string) bool { return !point.Returns || arg != btfargs.Result }); i >= 0 {
			return fmt.Errorf("the argument %q is gone when %s returns", args[i], name)
		}
	}
	c.binding, err = prototype.Registers(args, point.Returns, k.Registers)
	return err
}

func (k *Kernel) serveCode(c *choice, args []string, point *Point) (err error) {
	has := k.Uprobes
	if c.Mechanism.multi() {
		has = k.UprobeMulti
	}
	if err := has(); err != nil {
		return err
	}
	if point.Find == nil {
		return errors.New("the grain is of an older generator: generate it again")
	}
	if c.code, err = point.Find(c.Target, args); err != nil {
		return err
	}
	if c.code.golang && (c.Mechanism == Uretprobe || c.Mechanism == UretprobeMulti) {
		return fmt.Errorf("%s is written in Go: a probe at the return of a function would break it", c.code.file)
	}
	if n := c.code.places(); n > mostProbes && !c.Mechanism.multi() {
		return fmt.Errorf("%s is at %d places; without %s.multi at most %d are probed one by one", c.Target, n, c.Mechanism, mostProbes)
	}
	return nil
}

// multi reports whether a mechanism is one link at many places in programs.
func (m Mechanism) multi() bool { return m == UprobeMulti || m == UretprobeMulti }
