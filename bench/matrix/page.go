// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

const head = `# Kernels

How each grain runs on each kernel that the tests know: the mechanisms that its probes got there, or a number of a reason why it cannot run. Written by
` + "`make kernels`" + `, which first runs the tests of all grains on them. Points in programs are tried at a function of a program that is at hand. One kernel has no kprobes and refuses
fentry, as kernels of some hosts do: there a grain runs by tracepoints, or not.

`

// appendPage appends the document.
func appendPage(dst []byte, all []found) []byte {
	dst = append(dst, head...)
	var reasons []string
	row := func(cells ...string) { dst = append(dst, "| "+strings.Join(cells, " | ")+" |\n"...) }
	heading := func(first string) {
		cells, rule := []string{first}, []string{"---"}
		for _, f := range all {
			cells, rule = append(cells, short(f)), append(rule, "---")
		}
		row(cells...)
		row(rule...)
	}
	names := func(title string, first, count int, cell func(f *found, i int) string) {
		dst = append(dst, "## "+title+"\n\n"...)
		heading("grain")
		for i := first; i < first+count; i++ {
			cells := []string{"`" + all[0].Grains[i].Grain + "`"}
			for n := range all {
				cells = append(cells, cell(&all[n], i))
			}
			row(cells...)
		}
		dst = append(dst, '\n')
	}
	mechanisms := func(f *found, i int) string {
		g := &f.Grains[i]
		if g.Why == "" {
			return strings.Join(g.Mechanisms, ", ")
		}
		text := g.Why
		if !slices.Contains(reasons, text) {
			reasons = append(reasons, text)
		}
		return fmt.Sprintf("no (%d)", slices.Index(reasons, text)+1)
	}
	names("Stock grains", 0, len(stock()), mechanisms)
	names("Examples", len(stock()), len(examples()), mechanisms)
	dst = append(dst, "## Reasons\n\n"...)
	for i, r := range reasons {
		dst = fmt.Appendf(dst, "%d. %s\n", i+1, r)
	}
	dst = append(dst, "\n## Instructions and time\n\nInstructions of a stock grain's programs, of them those that the verifier went through where the kernel says it, and how long planning, loading and attaching took.\n\n"...)
	heading("grain")
	for i := range stock() {
		cells := []string{"`" + all[0].Grains[i].Grain + "`"}
		for _, f := range all {
			g := f.Grains[i]
			text := ""
			if g.Why == "" {
				text = fmt.Sprint(g.Instructions)
				if g.Verified > 0 {
					text += fmt.Sprintf(" / %d", g.Verified)
				}
				text += fmt.Sprintf(", %d ms", g.Load/time.Millisecond)
			}
			cells = append(cells, text)
		}
		row(cells...)
	}
	dst = append(dst, "\n## The kernels\n\n"...)
	row("release", "architecture", "CPUs that may be")
	row("---", "---", "---:")
	for _, f := range all {
		row(f.Release, f.Arch, fmt.Sprint(f.CPUs))
	}
	return dst
}

// short is a kernel's name in a heading.
func short(f found) string {
	version := strings.SplitN(f.Release, ".", 3)
	name := strings.Join(version[:2], ".")
	if f.Arch == "aarch64" {
		name += " arm64"
	}
	return name
}
