// SPDX-License-Identifier: Apache-2.0

package main

import (
	"flag"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/redsift/ingraind/gen"
)

func vetVerb() *verb {
	return &verb{
		name:    "vet",
		usage:   "ingrain vet [-btf FILE|DIR] [-C DIR] [-cc CLANG] [GRAIN...]",
		summary: "Find mistakes, and tell whether grains would run on a kernel; write nothing.",
		about: []string{
			"Without -btf it prints what generate would complain of, in all grains or those named.",
			"With -btf it also tells from the types of one kernel, or of many, whether each grain would run there: is the function or the tracepoint there, has it arguments of the names that the probe asks for, are the structures that the program reads there with those members, and the helpers and kinds of maps that it uses. It prints a line for each point of each probe:",
			"  GRAIN PROBE POINT MECHANISM ok",
			"with the first mechanism that would serve, or - and why none would. Code behind a bpf_core_field_exists (or type_exists, enum_value_exists) that is false on that kernel does not count: it never runs there.",
			"FILE is raw BTF (/sys/kernel/btf/vmlinux), an ELF file with a section .BTF (vmlinux), or a kernel's image (/boot/vmlinuz-*; one packed with zstd needs the command zstd). Of a DIR each file that is one of these is taken.",
			"What no BTF says it cannot tell: the judgement of the verifier, limits of a kind of program, functions that may not be traced, lockdown, the binaries of uprobes. \"check\" of the agent tells for the machine that it runs on.",
			"It exits with 1 when there are mistakes, or when a grain would run on none of the kernels.",
		},
		options: []option{
			{"btf", "FILE|DIR", "Also tell whether the grains would run on this kernel, or these.",
				func(set *flag.FlagSet, name string, f *flags) { set.StringVar(&f.btf, name, "", "") }},
			dirOption(), ccOption(),
		},
		most: -1,
		do:   vet,
	}
}

func vet(c *call) int {
	options := gen.Options{Root: c.flags.dir, CC: c.flags.cc}
	if c.flags.btf == "" {
		if err := gen.Vet(options, c.args...); err != nil {
			return c.fail(err)
		}
		return exitOK
	}
	found, err := gen.VetKernels(options, c.flags.btf, c.args...)
	if err != nil {
		return c.fail(err)
	}
	c.fits(found.Fits)
	for _, grain := range found.Nowhere {
		fmt.Fprintf(c.stderr, "%s would run on none of these kernels\n", grain)
	}
	if len(found.Nowhere) > 0 {
		return exitFail
	}
	return exitOK
}

// fits prints a line for each point, and above those of a kernel its name when
// there are several.
func (c *call) fits(fits []gen.Fit) {
	w := tabwriter.NewWriter(c.stdout, 0, 0, 2, ' ', 0)
	defer w.Flush()
	several := len(fits) > 0 && fits[0].Kernel != fits[len(fits)-1].Kernel
	kernel := ""
	for _, f := range fits {
		if several && f.Kernel != kernel {
			if kernel != "" {
				fmt.Fprintln(w)
			}
			kernel = f.Kernel
			fmt.Fprintf(w, "%s:\n", kernel)
		}
		verdict, way := "ok", f.Way
		if way == "" {
			way, verdict = "-", strings.Join(f.Reasons, "; ")
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", f.Grain, f.Probe, f.Point, way, verdict)
	}
}
