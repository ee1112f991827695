// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// reportFile is where `make bench` writes what it found, for people.
const reportFile = "docs/performance.md"

const reportHead = `# What it costs

Written by ` + "`make bench`" + `: do not edit. Ways to do the same take turns in one run of one binary, and the median of the turns
counts. Cost is CPU time, unless a figure says otherwise. Compare the ratios: the figures themselves are of the machine below, which
does other things as well. Less is better everywhere.

A ratio is our figure divided by the peer's. A target bounds the ratio, or our figure where there is no peer; MISSED is beyond it
by less than twice, BEYOND by more. A row without a target is told for comparison only.

`

var (
	machineColumns = []string{"machine", ""}
	figureColumns  = []string{"figure", "ours", "peer", "unit", "ratio", "target", "verdict", "note"}
)

// machine is what the report says of where its figures are from.
func (t table) machine() [][]string {
	return [][]string{
		{"date", t.Host.Date},
		{"CPU", fmt.Sprintf("%d x %s", t.Host.CPUs, t.Host.CPU)},
		{"kernel", t.Host.Kernel},
		{"Go", t.Host.Go},
		{"load when the run began", t.Host.Load},
		{"peers fetched", listed(t.Peers)},
		{"peers not available", listed(t.NoPeers)},
	}
}

func listed(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// report is the table as a page: each measure with the command that repeats it.
func (t table) report() []byte {
	page := bytes.NewBufferString(reportHead)
	writeTable(page, machineColumns, t.machine())
	for _, m := range measures() {
		fmt.Fprintf(page, "\n## %s\n\n`%s`\n\n", m.name, m.command())
		var rows [][]string
		for _, r := range t.Rows {
			if r.Measure == m.name {
				rows = append(rows, r.cells())
			}
		}
		writeTable(page, figureColumns, rows)
	}
	return page.Bytes()
}

// command repeats a measure.
func (m measure) command() string { return fmt.Sprintf("go run ./bench -peers -run '^%s$'", m.name) }

// absolute is a path that only this machine has.
var absolute = regexp.MustCompile(`(^|[\s"'=(])/[a-z][\w./-]*`)

func writeTable(page *bytes.Buffer, columns []string, rows [][]string) {
	line := func(cells []string) { fmt.Fprintf(page, "| %s |\n", strings.Join(cells, " | ")) }
	line(columns)
	line(strings.Split(strings.Repeat("---,", len(columns)-1)+"---", ","))
	for _, cells := range rows {
		for i, cell := range cells {
			cells[i] = strings.ReplaceAll(absolute.ReplaceAllString(cell, "${1}..."), "|", `\|`)
		}
		line(cells)
	}
}

// writeReport writes the page into the tree, or wherever it is to be.
func (b *bench) writeReport(name string, t table) error {
	if !filepath.IsAbs(name) {
		name = filepath.Join(b.root, name)
	}
	return os.WriteFile(name, t.report(), 0o644)
}
