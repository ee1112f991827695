// SPDX-License-Identifier: Apache-2.0

package model

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/redsift/ingraind/gen/internal/diag"
	"github.com/redsift/ingraind/gen/internal/source"
	"github.com/redsift/ingraind/gen/internal/spec"
	"github.com/redsift/ingraind/gen/internal/syscalls"
)

// result is the parameter of a PROBE that holds a function's result.
const result = "ret"

func (b *binder) probe(index int, p spec.Probe) {
	c := b.source.Probe(p.Name.Text)
	if c == nil {
		return
	}
	probe := &Probe{Index: index, Name: p.Name.Text, Optional: p.Optional, Decides: c.Decides}
	for _, other := range p.Unless {
		probe.Unless = append(probe.Unless, other.Text)
	}
	for _, arg := range c.Params {
		probe.Params = append(probe.Params, Arg{arg.Name, arg.Type})
	}
	for i, at := range p.Points {
		stem := probe.Name
		if i > 0 {
			stem = fmt.Sprintf("%s_%d", probe.Name, i+1)
		}
		point := b.point(stem, at, c)
		if c.Decides && point.Decide == "" {
			b.mistake.Add(c.Pos, "DECIDE %s: nobody asks for a verdict at %s; write PROBE, which observes", c.Name, at.Text)
		}
		for _, on := range p.On {
			point.On = append(point.On, on.Text)
		}
		point.Every = p.Every
		probe.Points = append(probe.Points, point)
	}
	b.grain.Probes = append(b.grain.Probes, *probe)
}

// point decides which programs can serve a probe point, the best first.
func (b *binder) point(stem string, at spec.Point, c *source.Probe) Point {
	point := Point{At: at.Text, Stem: stem, Bind: stem + "_at", Verdict: "0"}
	way := func(mechanism, target string, programs ...Program) {
		point.Ways = append(point.Ways, Way{mechanism, target, programs})
	}
	program := func(suffix, section string, style Style) Program {
		return Program{stem + "_" + suffix, section, style}
	}
	switch at.Kind {
	case spec.Tracepoint, spec.TPBTF, spec.RawTP:
		if at.Kind != spec.RawTP {
			way("TPBTF", at.Target, program("tp_btf", "tp_btf/"+at.Target, Words))
		}
		if at.Kind != spec.TPBTF {
			way("RawTP", at.Target, program("raw_tp", "raw_tp/"+at.Target, Words))
		}
	case spec.Entry, spec.Fentry, spec.Kprobe:
		b.noResult(at, c)
		if at.Pattern() {
			way("KprobeMulti", at.Target, program("kprobe_multi", "kprobe.multi/"+at.Target, Regs))
			way("Kprobe", at.Target, program("kprobe", "kprobe/"+at.Target, Regs))
			break
		}
		if at.Kind != spec.Kprobe {
			way("Fentry", at.Target, program("fentry", "fentry/"+at.Target, Words))
		}
		if at.Kind != spec.Fentry {
			way("Kprobe", at.Target, program("kprobe", "kprobe/"+at.Target, Regs))
		}
	case spec.Return, spec.Fexit:
		point.Returns = true
		way("Fexit", at.Target, program("fexit", "fexit/"+at.Target, WordsRet))
		if at.Kind == spec.Return {
			way("Pair", at.Target,
				program("pair_entry", "kprobe/"+at.Target, PairEntry),
				program("pair_return", "kretprobe/"+at.Target, PairReturn))
		}
	case spec.Kretprobe:
		point.Returns = true
		b.onlyResult(at, c, "a kretprobe sees only the result; return/"+at.Target+" carries the arguments")
		way("Kretprobe", at.Target, program("kretprobe", "kretprobe/"+at.Target, RegsRet))
	case spec.Uprobe:
		b.noResult(at, c)
		point.Bind, point.Find = "", "FindFunctions"
		if len(c.Params) > 6 {
			b.mistake.Add(c.Params[6].Pos, "PROBE %s at %s: registers hold 6 arguments", c.Name, at.Text)
		}
		if at.Pattern() {
			way("UprobeMulti", at.Binary+":"+at.Target, program("uprobe_multi", "uprobe.multi", RegsInTurn))
		}
		way("Uprobe", at.Binary+":"+at.Target, program("uprobe", "uprobe", RegsInTurn))
	case spec.Uretprobe:
		point.Returns = true
		point.Bind, point.Find = "", "FindFunctions"
		b.onlyResult(at, c, "a uretprobe sees only the result")
		if at.Pattern() {
			way("UretprobeMulti", at.Binary+":"+at.Target, program("uretprobe_multi", "uretprobe.multi", RegsRet))
		}
		way("Uretprobe", at.Binary+":"+at.Target, program("uretprobe", "uretprobe", RegsRet))
	case spec.USDT:
		b.onlyNumbers(at, c)
		point.Find = "FindNotes"
		way("UprobeMulti", at.Binary+":"+at.Target, program("usdt_multi", "uprobe.multi", Places))
		way("Uprobe", at.Binary+":"+at.Target, program("usdt", "uprobe", Places))
	case spec.Syscall, spec.SyscallReturn:
		point.Bind = ""
		returned := at.Kind == spec.SyscallReturn
		point.Returns = returned
		tracepoint, style := "sys_enter", SyscallIn
		if returned {
			tracepoint, style = "sys_exit", SyscallOut
		}
		way("TPBTF", tracepoint, program("tp_btf", "tp_btf/"+tracepoint, style))
		way("RawTP", tracepoint, program("raw_tp", "raw_tp/"+tracepoint, style))
		b.syscall(&point, at, c, returned)
	case spec.LSM:
		b.noResult(at, c)
		point.Decide = "verdict < 0 && verdict > -4096 ? verdict : 0" // an error number, or none
		way("LSM", at.Target, program("lsm", "lsm/"+at.Target, Words))
	case spec.FmodRet:
		b.noResult(at, c)
		point.Decide = "verdict"
		way("FmodRet", at.Target, program("fmod_ret", "fmod_ret/"+at.Target, Words))
	case spec.Iter:
		b.visits(at, c)
		way("Iter", at.Target, program("iter", "iter/"+at.Target, Visit))
	default:
		b.context(&point, at, c)
	}
	if len(c.Params) == 0 {
		point.Bind = ""
	}
	return point
}

// syscall resolves a system call's numbers and the probe's arguments.
func (b *binder) syscall(point *Point, at spec.Point, c *source.Probe, returned bool) {
	call, ok := syscalls.Lookup(at.Target)
	if !ok {
		b.mistake.Add(at.Pos, "there is no system call %s%s", at.Target, diag.DidYouMean(at.Target, syscalls.Names()))
		return
	}
	if returned && (call.Name == "exit" || call.Name == "exit_group") {
		b.mistake.Add(at.Pos, "%s never returns; write syscall/%s", call.Name, call.Name)
	}
	if call.Amd64 == syscalls.None {
		point.Except = append(point.Except, "amd64")
	}
	if call.Arm64 == syscalls.None {
		point.Except = append(point.Except, "arm64")
	}
	b.syscallParams(at, c, call, returned)
	point.Syscall = &Syscall{Name: call.Name, Targets: []SyscallTarget{
		{"x86", call.Amd64, call.I386, positions(c, call.ArgsOn("amd64"))},
		{"arm64", call.Arm64, call.Arm, positions(c, call.ArgsOn("arm64"))},
	}}
}

// positions is where each parameter of the probe is among a call's arguments,
// -1 where it is none.
func positions(c *source.Probe, args []syscalls.Arg) []int {
	var found []int
	for _, p := range c.Params {
		found = append(found, slices.IndexFunc(args, func(a syscalls.Arg) bool { return a.Name == p.Name }))
	}
	return found
}

// syscallParams sees that the probe asks for what the call has. Architectures
// differ only in the order of arguments.
func (b *binder) syscallParams(at spec.Point, c *source.Probe, call syscalls.Call, returned bool) {
	var names []string
	for _, a := range call.Args {
		names = append(names, a.Name)
	}
	for i, n := range positions(c, call.Args) {
		switch p := c.Params[i]; {
		case p.Name == result && n < 0 && returned:
		case p.Name == result && n < 0:
			b.mistake.Add(p.Pos, "PROBE %s: the result is not there yet at %s; write syscall_return/%s", c.Name, at.Text, at.Target)
		case n < 0:
			b.mistake.Add(p.Pos, "PROBE %s: %s has no argument %s; it has %s%s", c.Name, at.Target, p.Name, enumerate(names), diag.DidYouMean(p.Name, names))
		case returned && syscalls.ClobbersArguments(at.Target):
			b.mistake.Add(p.Pos, "PROBE %s: the arguments of %s are gone at its return; take them at syscall/%s", c.Name, at.Target, at.Target)
		}
	}
}

// enumerate is "a, b", or "none".
func enumerate(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// noResult refuses a probe that asks for the result where there is none yet.
func (b *binder) noResult(at spec.Point, c *source.Probe) {
	for _, p := range c.Params {
		if p.Name == result {
			b.mistake.Add(p.Pos, "PROBE %s: %s is the result, which is not there yet at %s", c.Name, result, at.Text)
		}
	}
}

// onlyResult refuses a probe that asks for more than the result.
func (b *binder) onlyResult(at spec.Point, c *source.Probe, why string) {
	for _, p := range c.Params {
		if p.Name != result {
			b.mistake.Add(p.Pos, "PROBE %s at %s: there is no %s; %s", c.Name, at.Text, p.Name, why)
		}
	}
}

// numbered is what the arguments of static probes are called, which have no
// names: sys/sdt.h knows twelve.
var numbered = regexp.MustCompile(`^arg([1-9]|1[0-2])$`)

// onlyNumbers refuses a probe that asks for arguments by names that they do not
// have.
func (b *binder) onlyNumbers(at spec.Point, c *source.Probe) {
	for _, p := range c.Params {
		if !numbered.MatchString(p.Name) {
			b.mistake.Add(p.Pos, "PROBE %s at %s: there is no %s; arguments there have no names, only numbers: arg1 is the first, arg12 the last that there may be", c.Name, at.Text, p.Name)
		}
	}
}

// visits refuses a probe that could not tell an object from the end.
func (b *binder) visits(at spec.Point, c *source.Probe) {
	for _, p := range c.Params {
		if strings.HasSuffix(p.Type, "*") && p.Name != "meta" {
			return
		}
	}
	b.mistake.Add(c.Pos, "PROBE %s at %s takes none of the objects that are visited there; name one, such as struct task_struct *task of iter/task", c.Name, at.Text)
}
