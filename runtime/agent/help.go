// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"context"
	"fmt"
	"io"
	"strings"
)

// section is a part of a help page, behind the flags.
type section struct {
	title string
	rows  table    // of words
	lines []string // as they are
}

// help is the verb that prints pages.
func help(_ context.Context, s *session) int {
	if code, more := s.parse(); !more {
		return code
	}
	v := runVerb()
	if len(s.args) > 0 {
		var err error
		if v, _, err = findVerb(s.args); err != nil {
			return usageError(s.agent, s.env, s.verb, err)
		}
	}
	writePage(s.env.Stdout, s.agent, v)
	return exitOK
}

// writeUsage writes how to call a verb.
func writeUsage(w io.Writer, a Agent, v *verb) {
	name, flags := v.name, ""
	if v.name == nameRun {
		name = "[run]"
	}
	if len(v.groups) > 0 {
		flags = " [flags]"
	}
	if v.arguments != "" {
		flags += " " + v.arguments
	}
	fmt.Fprintf(w, "Usage: %s %s%s\n", a.Name, name, flags)
	if v.name == nameRun {
		fmt.Fprintf(w, "       %s VERB [flags] [arguments]\n", a.Name)
	}
}

// writePage writes all there is to say about a verb. That of run is the page
// of the agent itself.
func writePage(w io.Writer, a Agent, v *verb) {
	var b strings.Builder
	writeUsage(&b, a, v)
	about := v.about
	if v.name == nameRun {
		about = append([]string{a.Help}, about...)
	}
	for _, paragraph := range about {
		paragraph = strings.ReplaceAll(paragraph, "AGENT", a.Name)
		fmt.Fprintf(&b, "\n%s\n", strings.Join(wrap(paragraph, 80), "\n"))
	}
	if v.name == nameRun {
		writeSection(&b, verbsSection(a))
	}
	for _, g := range v.groups {
		writeSection(&b, section{title: g.title, rows: flagRows(a, g)})
	}
	for _, section := range v.page {
		writeSection(&b, section(a))
	}
	io.WriteString(w, b.String())
}

// flagRows puts flags that are too wide on lines of their own.
func flagRows(a Agent, g group) table {
	var rows table
	for _, o := range g.options {
		if !a.offers(o) {
			continue
		}
		name := "-" + o.name
		if o.value != "" {
			name += " " + o.value
		}
		rows = append(rows, []string{name, o.help})
	}
	return rows
}

// writeSection writes a title, and rows whose second column begins at 24; a
// first cell that reaches there has its line.
func writeSection(b *strings.Builder, s section) {
	if len(s.rows) == 0 && len(s.lines) == 0 {
		return
	}
	const column = 24
	fmt.Fprintf(b, "\n%s:\n", s.title)
	for _, row := range s.rows {
		first := "  " + row[0]
		if len(first) > column-2 {
			fmt.Fprintf(b, "%s\n", first)
			first = ""
		}
		for _, line := range wrap(row[1], 80-column) {
			b.WriteString(strings.TrimRight(fmt.Sprintf("%-*s%s", column, first, line), " ") + "\n")
			first = ""
		}
	}
	for _, line := range s.lines {
		fmt.Fprintf(b, "  %s\n", line)
	}
}
