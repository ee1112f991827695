// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"strings"
)

func helpVerb() *verb {
	return &verb{
		name:    "help",
		usage:   "ingrain help [VERB]",
		summary: "Print this page, or that of a verb.",
		most:    1,
		do:      help,
	}
}

func help(c *call) int {
	if len(c.args) == 0 {
		writeOverview(c.stdout)
		return exitOK
	}
	v := findVerb(c.args[0])
	if v == nil {
		return c.usage(c.verb, unknown("verb", c.args[0], verbNames()))
	}
	writePage(c.stdout, v)
	return exitOK
}

const width = 80

func writeOverview(w io.Writer) {
	var b strings.Builder
	b.WriteString("Usage: ingrain VERB [flags] [arguments]\n\n")
	paragraph(&b, "ingrain turns grains into Go packages and the agents that hold them. A grain is a monitor of the Linux kernel: grains/X.yaml declares it, bpf/X.bpf.c is what runs in the kernel, generated/X is what comes out.")
	b.WriteString("\nVerbs:\n")
	for _, v := range verbs() {
		row(&b, v.name, v.summary)
	}
	b.WriteString("\nExit codes:\n")
	row(&b, "0", "All is well.")
	row(&b, "1", "There are mistakes in grains; generate -n: something would change; vet -btf: a grain would run on none of the kernels.")
	row(&b, "2", "The command line is wrong.")
	b.WriteString("\nFiles:\n")
	row(&b, "grains/X.yaml", "A grain: its params, probes and events.")
	row(&b, "grains/agent.yaml", "Which grains and sinks the site's own agent holds.")
	row(&b, "bpf/X.bpf.c", "The C of a grain. Headers beside it and in bpf/include/ are its own.")
	row(&b, "generated/", "What comes out; to be committed, objects included.")
	b.WriteString("\n\"ingrain help VERB\" says more.\n")
	io.WriteString(w, b.String())
}

// writePage writes all there is to say about a verb.
func writePage(w io.Writer, v *verb) {
	var b strings.Builder
	fmt.Fprintf(&b, "Usage: %s\n\n", v.usage)
	paragraph(&b, v.summary)
	for _, text := range v.about {
		b.WriteString("\n")
		paragraph(&b, text)
	}
	if len(v.options) > 0 {
		b.WriteString("\nFlags:\n")
	}
	for _, o := range v.options {
		row(&b, strings.TrimSpace("-"+o.name+" "+o.value), o.help)
	}
	io.WriteString(w, b.String())
}

// paragraph writes text in lines; an example, which begins with a blank, as it
// is.
func paragraph(b *strings.Builder, text string) {
	if strings.HasPrefix(text, " ") {
		fmt.Fprintln(b, text)
		return
	}
	for _, line := range wrap(text, width) {
		fmt.Fprintln(b, line)
	}
}

// row writes a word and what it means, in a second column.
func row(b *strings.Builder, word, text string) {
	const column = 20
	for i, line := range wrap(text, width-column) {
		if i > 0 {
			word = ""
		}
		fmt.Fprintf(b, "  %-*s%s\n", column-2, word, line)
	}
}
