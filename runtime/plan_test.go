// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"errors"
	goruntime "runtime"
	"strings"
	"testing"

	"github.com/cilium/ebpf/btf"
	"github.com/google/go-cmp/cmp"
)

// kernelOf is a kernel that can do everything, with these functions:
// "name(arg, arg)" or, for tracepoints, "tp name(arg)". All are of type int.
func kernelOf(t *testing.T, functions ...string) *Kernel {
	t.Helper()
	number := &btf.Int{Name: "int", Size: 4, Encoding: btf.Signed}
	var types []btf.Type
	for _, f := range functions {
		name, rest, _ := strings.Cut(f, "(")
		proto := &btf.FuncProto{Return: number}
		if tracepoint, ok := strings.CutPrefix(name, "tp "); ok {
			name = "__traceiter_" + tracepoint
			rest = "__data, " + rest
			types = append(types, &btf.Typedef{Name: "btf_trace_" + tracepoint, Type: &btf.Pointer{Target: proto}})
		}
		for arg := range strings.SplitSeq(strings.TrimSuffix(rest, ")"), ", ") {
			if arg != "" {
				proto.Params = append(proto.Params, btf.FuncParam{Name: arg, Type: number})
			}
		}
		types = append(types, &btf.Func{Name: name, Type: proto})
	}
	b, err := btf.NewBuilder(types, nil)
	if err != nil {
		t.Fatal(err)
	}
	spec, err := b.Spec()
	if err != nil {
		t.Fatal(err)
	}
	yes := func() error { return nil }
	return &Kernel{
		Types: spec, CPUs: 4, Registers: 6,
		RingBuffer: yes, Atomics: yes, Kprobes: yes, Uprobes: yes,
		Trampoline: func(Mechanism, string) error { return nil },
		Symbols:    func(string) []string { return nil },
	}
}

// probe is one whose name is that of its function, and that stands in for
// those that unless names.
func probe(name, unless string, args []string, points ...Point) Probe {
	return Probe{Name: name, Unless: strings.Fields(unless), Args: args, Points: points}
}

// optional is the same of one that the grain can do without.
func optional(name, unless string, points ...Point) Probe {
	p := probe(name, unless, nil, points...)
	p.Optional = true
	return p
}

func returning(f string) Point {
	return Point{At: "return/" + f, Bind: f + "_at", Returns: true, Ways: []Way{
		{Fexit, f, []string{f + "_fexit"}}, {Pair, f, []string{f + "_enter", f + "_leave"}},
	}}
}

func entering(f string) Point {
	return Point{At: "entry/" + f, Bind: f + "_at", Ways: []Way{{Fentry, f, []string{f + "_fentry"}}, {Kprobe, f, []string{f + "_kprobe"}}}}
}

func tracing(f string) Point {
	return Point{At: "tracepoint/x/" + f, Bind: f + "_at", Ways: []Way{{TPBTF, f, []string{f + "_tp_btf"}}, {RawTP, f, []string{f + "_raw_tp"}}}}
}

func calling(name string) Point {
	return Point{At: "syscall/" + name, Ways: []Way{{TPBTF, "sys_enter", []string{name + "_tp_btf"}}}}
}

// lacking is a system call that this architecture does not have.
func lacking(name string) Point {
	p := calling(name)
	p.Except = []string{goruntime.GOARCH}
	return p
}

// picture is a placement in a line: "probe: mechanism target", "probe: no" or
// "probe: not needed", and the reasons.
func picture(rows []Placement) []string {
	var lines []string
	for _, row := range rows {
		line := row.Probe + ": no"
		switch {
		case row.OK && row.Mechanism == "":
			line = row.Probe + ": idle"
		case row.OK:
			line = row.Probe + ": " + string(row.Mechanism) + " " + row.Target
		}
		lines = append(lines, strings.Join(append([]string{line}, row.Reasons...), "; "))
	}
	return lines
}

func TestPlansTakeTheFirstWayThatServes(t *testing.T) {
	noTrampolines := func(k *Kernel) {
		k.Trampoline = func(m Mechanism, _ string) error { return errors.New("this kernel forbids " + string(m) + " programs") }
	}
	noKprobes := func(k *Kernel) { k.Kprobes = func() error { return errors.New("this kernel has no kprobes") } }
	for _, test := range []struct {
		name    string
		kernel  []string
		without []func(*Kernel)
		options PlanOptions
		probes  []Probe
		want    []string
		err     string
	}{
		{
			name: "the best", kernel: []string{"f(x)"},
			probes: []Probe{probe("p", "", []string{"x", "ret"}, returning("f"))},
			want:   []string{"p: fexit f"},
		}, {
			name: "the next best, and why", kernel: []string{"f(x)"}, without: []func(*Kernel){noTrampolines},
			probes: []Probe{probe("p", "", []string{"x", "ret"}, returning("f"))},
			want:   []string{"p: pair f; fexit: this kernel forbids fexit programs"},
		}, {
			name: "none", kernel: []string{"f(x)"}, without: []func(*Kernel){noTrampolines, noKprobes},
			probes: []Probe{probe("p", "", []string{"x"}, entering("f"))},
			want:   []string{"p: no; fentry: this kernel forbids fentry programs; kprobe: this kernel has no kprobes"},
			err:    "g: p cannot run at entry/f: fentry: this kernel forbids fentry programs; kprobe: this kernel has no kprobes",
		}, {
			name:   "a system call that this architecture lacks, and one that it has",
			kernel: []string{"tp sys_enter(regs, id)"},
			probes: []Probe{probe("p", "", nil, lacking("unlink"), calling("unlinkat"))},
			want:   []string{"p: idle; there is no system call unlink on " + goruntime.GOARCH, "p: tp_btf sys_enter"},
		}, {
			name:   "only one that it lacks",
			kernel: []string{"tp sys_enter(regs, id)"},
			probes: []Probe{probe("p", "", nil, lacking("unlink"))},
			want:   []string{"p: no; there is no system call unlink on " + goruntime.GOARCH},
			err:    "g: p cannot run at syscall/unlink: there is no system call unlink on " + goruntime.GOARCH,
		}, {
			name: "a renamed argument", kernel: []string{"f(y, z)"},
			probes: []Probe{probe("p", "", []string{"x"}, Point{At: "fentry/f", Bind: "at", Ways: []Way{{Fentry, "f", []string{"p"}}}})},
			want:   []string{`p: no; fentry: f has no argument "x" in this kernel; it has y, z`},
			err:    `g: p cannot run at fentry/f: fentry: f has no argument "x" in this kernel; it has y, z`,
		}, {
			name: "a result at the entry", kernel: []string{"f(y, z)"},
			probes: []Probe{probe("p", "", []string{"ret"}, Point{At: "fentry/f", Bind: "at", Returns: true, Ways: []Way{{Fentry, "f", nil}, {Kprobe, "f", nil}}})},
			want:   []string{"p: no; fentry, kprobe: there is no result at the entry"},
			err:    "g: p cannot run at fentry/f: fentry, kprobe: there is no result at the entry",
		}, {
			name: "an argument at the return", kernel: []string{"f(y, z)"},
			probes: []Probe{probe("p", "", []string{"ret", "z"}, Point{At: "kretprobe/f", Bind: "at", Returns: true, Ways: []Way{{Kretprobe, "f", nil}}})},
			want:   []string{`p: no; kretprobe: the argument "z" is gone when f returns`},
			err:    `g: p cannot run at kretprobe/f: kretprobe: the argument "z" is gone when f returns`,
		}, {
			name: "only a result at the return", kernel: []string{"f(y, z)"},
			probes: []Probe{probe("p", "", []string{"ret"}, Point{At: "kretprobe/f", Bind: "at", Returns: true, Ways: []Way{{Kretprobe, "f", nil}}})},
			want:   []string{"p: kretprobe f"},
		}, {
			name: "a narrower choice", kernel: []string{"tp t(a)"}, options: PlanOptions{Only: map[Mechanism]bool{RawTP: true}},
			probes: []Probe{probe("p", "", []string{"a"}, tracing("t"))},
			want:   []string{"p: raw_tp t; tp_btf: not to be used"},
		}, {
			name: "no tracepoint", kernel: []string{"t(a)"},
			probes: []Probe{probe("p", "", []string{"a"}, tracing("t"))},
			want:   []string{"p: no; tp_btf, raw_tp: this kernel has no tracepoint t"},
			err:    "g: p cannot run at tracepoint/x/t: tp_btf, raw_tp: this kernel has no tracepoint t",
		}, {
			name: "all points of a list", kernel: []string{"tp t(a)", "tp u(a)"},
			probes: []Probe{probe("p", "", []string{"a"}, tracing("t"), tracing("u"))},
			want:   []string{"p: tp_btf t", "p: tp_btf u"},
		}, {
			name: "not all points of a list", kernel: []string{"f(a)"},
			probes: []Probe{probe("p", "", []string{"a"}, entering("f"), entering("g"))},
			want: []string{
				"p: no; another point of p cannot be served",
				"p: no; fentry, kprobe: this kernel has no function g",
			},
			err: "g: p cannot run at entry/g: fentry, kprobe: this kernel has no function g",
		}, {
			name: "arguments that need no names", kernel: []string{"tp sys_enter(regs, id)"},
			probes: []Probe{probe("p", "", []string{"dfd"}, Point{At: "syscall/openat", Ways: []Way{{TPBTF, "sys_enter", nil}}})},
			want:   []string{"p: tp_btf sys_enter"},
		}, {
			name: "no ways", probes: []Probe{probe("p", "", nil, Point{At: "xdp"})},
			want: []string{"p: no"}, err: "g: p cannot run at xdp: no way is known",
		}, {
			name: "what has a substitute and needs none", kernel: []string{"tp t(a, b)"},
			probes: []Probe{probe("p", "", []string{"a", "b"}, tracing("t")), probe("q", "p", []string{"a"}, tracing("t"))},
			want:   []string{"p: tp_btf t", "q: idle; not needed: p runs"},
		}, {
			name: "what has substitutes and needs them", kernel: []string{"tp t(a)"},
			probes: []Probe{
				probe("p", "", []string{"b"}, Point{At: "t", Bind: "at", Ways: []Way{{TPBTF, "t", nil}}}),
				probe("q", "p", []string{"a"}, tracing("t")), probe("r", "p", nil, tracing("t")),
			},
			want: []string{`p: no; tp_btf: tracepoint t has no argument "b" in this kernel; it has a`, "q: tp_btf t", "r: tp_btf t"},
		}, {
			name: "one substitute of two", kernel: []string{"tp t(a)"},
			probes: []Probe{
				probe("p", "", nil, Point{At: "P"}), probe("q", "p", []string{"a"}, tracing("t")), probe("r", "p", nil, Point{At: "R"}),
			},
			want: []string{"p: no", "q: tp_btf t", "r: no"},
			err:  "g: p cannot run at P: no way is known\ng: r cannot run at R: no way is known",
		}, {
			name: "a chain whose first runs", kernel: []string{"tp t(a)"},
			probes: []Probe{probe("p", "", nil, tracing("t")), probe("q", "p", nil, Point{At: "Q"}), probe("r", "q", nil, tracing("t"))},
			want:   []string{"p: tp_btf t", "q: idle; not needed: p runs", "r: idle; not needed: p runs"},
		}, {
			name: "a chain whose last runs", kernel: []string{"tp t(a)"},
			probes: []Probe{probe("p", "", nil, Point{At: "P"}), probe("q", "p", nil, Point{At: "Q"}), probe("r", "q", nil, tracing("t"))},
			want:   []string{"p: no", "q: no", "r: tp_btf t"},
		}, {
			name: "one for two of which one cannot", kernel: []string{"tp t(a)"},
			probes: []Probe{probe("p", "", nil, tracing("t")), probe("q", "", nil, Point{At: "Q"}), probe("both", "p q", nil, tracing("t"))},
			want:   []string{"p: idle; not needed: both runs", "q: no", "both: tp_btf t"},
		}, {
			name: "one for two that can", kernel: []string{"tp t(a)"},
			probes: []Probe{probe("p", "", nil, tracing("t")), probe("q", "", nil, tracing("t")), probe("both", "p q", nil, tracing("t"))},
			want:   []string{"p: tp_btf t", "q: tp_btf t", "both: idle; not needed: all that it stands in for runs"},
		}, {
			name: "one for two that cannot either", kernel: []string{"tp t(a)"},
			probes: []Probe{probe("p", "", nil, tracing("t")), probe("q", "", nil, Point{At: "Q"}), probe("both", "p q", nil, Point{At: "B"})},
			want:   []string{"p: tp_btf t", "q: no", "both: no"},
			err:    "g: q cannot run at Q: no way is known\ng: both cannot run at B: no way is known",
		}, {
			name: "one for many, and for another's substitute that is not needed", kernel: []string{"tp t(a)"},
			probes: []Probe{
				probe("new", "", nil, tracing("t")), probe("old", "new", nil, Point{At: "O"}), probe("q", "", nil, Point{At: "Q"}),
				probe("all", "old q", nil, tracing("t")),
			},
			want: []string{"new: idle; not needed: all runs", "old: idle; not needed: all runs", "q: no", "all: tp_btf t"},
		}, {
			name: "a substitute that is enough", kernel: []string{"tp t(a)"},
			probes: []Probe{
				probe("new", "", nil, Point{At: "N"}), probe("old", "new", nil, tracing("t")), probe("q", "", nil, tracing("t")),
				probe("all", "old q", nil, tracing("t")),
			},
			want: []string{"new: no", "old: tp_btf t", "q: tp_btf t", "all: idle; not needed: all that it stands in for runs"},
		}, {
			name: "what the grain can do without", kernel: []string{"tp t(a)"},
			probes: []Probe{probe("p", "", nil, tracing("t")), optional("q", "", Point{At: "Q"}), optional("r", "q", Point{At: "R"})},
			want:   []string{"p: tp_btf t", "q: no", "r: no"},
		}, {
			name: "an optional one of two that cannot run", kernel: []string{"tp t(a)"},
			probes: []Probe{probe("p", "", nil, tracing("t")), optional("q", "", Point{At: "Q"}), probe("both", "p q", nil, tracing("t"))},
			want:   []string{"p: tp_btf t", "q: no", "both: idle; not needed: all that it stands in for runs"},
		}, {
			name: "an optional one that goes with the other", kernel: []string{"tp t(a)"},
			probes: []Probe{probe("p", "", nil, Point{At: "P"}), optional("q", "", tracing("t")), probe("both", "p q", nil, tracing("t"))},
			want:   []string{"p: no", "q: idle; not needed: both runs", "both: tp_btf t"},
		}, {
			name:   "nothing but what it could do without",
			probes: []Probe{optional("q", "", Point{At: "Q"})},
			want:   []string{"q: no"},
			err:    "g: none of its probes can run",
		}, {
			name:   "a circle",
			probes: []Probe{probe("p", "q", nil, Point{At: "P"}), probe("q", "p", nil, Point{At: "Q"})},
			want:   []string{"p: no", "q: no"},
			err:    "g: p cannot run at P: no way is known\ng: q cannot run at Q: no way is known",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			k := kernelOf(t, append(test.kernel, "always(x)")...)
			for _, take := range test.without {
				take(k)
			}
			p := k.Plan(&Grain{Name: "g", Probes: test.probes}, test.options)
			if diff := cmp.Diff(test.want, picture(p.Placements)); diff != "" {
				t.Errorf("placements differ (-want +got):\n%s", diff)
			}
			got := ""
			if p.Err != nil {
				got = p.Err.Error()
			}
			if got != test.err {
				t.Errorf("error is\n%s\nwant\n%s", got, test.err)
			}
		})
	}
}

func TestPlansNameWhatIsNearAMissingFunction(t *testing.T) {
	kallsyms := "ffffffff81000000 t do_it_all\nffffffff81000010 T do_it.isra.0\nffffffff81000020 D do_it_data\n" +
		"ffffffff81000030 T lone\t[module]\nffffffff81000040 T lone_more\n"
	for name, want := range map[string]string{
		"do_it":   "this kernel has no function do_it, only do_it.isra.0, of which the compiler changed the arguments",
		"do_it_a": "this kernel has no function do_it_a; it has do_it_all",
		"lone":    "this kernel does not say what the arguments of lone are called",
		"other":   "this kernel has no function other",
	} {
		k := kernelOf(t, "f()")
		k.Symbols = func(prefix string) []string { return nearest(strings.NewReader(kallsyms), prefix) }
		point := Point{Bind: "at", Ways: []Way{{Kprobe, name, nil}}}
		p := k.Plan(&Grain{Name: "g", Probes: []Probe{probe("p", "", []string{"x"}, point)}}, PlanOptions{})
		if got := p.Placements[0].Reasons; len(got) != 1 || got[0] != "kprobe: "+want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	k := kernelOf(t, "f()")
	k.Symbols = func(prefix string) []string { return nearest(strings.NewReader(kallsyms), prefix) }
	if p := k.Plan(&Grain{Name: "g", Probes: []Probe{probe("p", "", nil, Point{Ways: []Way{{Kprobe, "lone", nil}}})}}, PlanOptions{}); p.Err != nil {
		t.Errorf("a probe without arguments: %v, want it to run", p.Err)
	}
}

func TestARefusedAttemptLeavesTheNextWay(t *testing.T) {
	k := kernelOf(t, "f(x)")
	p := k.Plan(&Grain{Name: "g", Probes: []Probe{probe("p", "", []string{"x"}, entering("f"))}}, PlanOptions{})
	next := p.without(p.chosen[0].attempt, "it broke")
	if got, want := picture(next.Placements)[0], "p: kprobe f; fentry: it broke"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	last := next.without(next.chosen[0].attempt, "that too")
	if got, want := last.Err.Error(), "g: p cannot run at entry/f: fentry: it broke; kprobe: that too"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := picture(p.Placements)[0], "p: fentry f"; got != want {
		t.Errorf("the first plan became %q, want it to stay %q", got, want)
	}
}
