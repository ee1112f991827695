// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// table is rows of cells; the first row is its header.
type table [][]string

// appendTables appends tables of numbers: their first columns, the names, are
// equally wide and to the left, all others to the right. A header alone is
// left out.
func appendTables(dst []byte, tables ...table) []byte {
	names := 0
	for _, t := range tables {
		for _, row := range t {
			names = max(names, utf8.RuneCountInString(row[0]))
		}
	}
	for _, t := range tables {
		if len(t) < 2 {
			continue
		}
		widths := t.widths()
		for _, row := range t {
			dst = appendLeft(dst, row[0], names)
			for i, cell := range row[1:] {
				dst = append(dst, strings.Repeat(" ", 2+widths[i+1]-utf8.RuneCountInString(cell))...)
				dst = append(dst, cell...)
			}
			dst = append(dst, '\n')
		}
	}
	return dst
}

// appendText appends a table of words, all to the left, behind an indent. The
// last column is wrapped at 80 and may hold many lines.
func (t table) appendText(dst []byte, indent string) []byte {
	widths := t.widths()
	for _, row := range t {
		at := len(indent)
		dst = append(dst, indent...)
		for i, cell := range row[:len(row)-1] {
			dst = appendLeft(dst, cell, widths[i]+2)
			at += widths[i] + 2
		}
		lines := wrap(row[len(row)-1], max(80-at, 30))
		for i, line := range lines {
			if i > 0 {
				dst = append(dst, strings.Repeat(" ", at)...)
			}
			dst = append(dst, line...)
			dst = append(trimSpaces(dst), '\n')
		}
	}
	return dst
}

// lines are the rows of a table of words, all to the left.
func (t table) lines() []string {
	var lines []string
	widths := t.widths()
	for _, row := range t {
		var line []byte
		for i, cell := range row {
			line = appendLeft(line, cell, widths[i]+2)
		}
		lines = append(lines, string(trimSpaces(line)))
	}
	return lines
}

func (t table) widths() []int {
	var widths []int
	for _, row := range t {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	return widths
}

func appendLeft(dst []byte, cell string, width int) []byte {
	dst = append(dst, cell...)
	return append(dst, strings.Repeat(" ", max(width-utf8.RuneCountInString(cell), 0))...)
}

func trimSpaces(dst []byte) []byte {
	for len(dst) > 0 && dst[len(dst)-1] == ' ' {
		dst = dst[:len(dst)-1]
	}
	return dst
}

// wrap breaks text at spaces into lines of at most width; longer words stay
// whole. A newline in the text begins a new line. There is at least one line.
func wrap(text string, width int) []string {
	var lines []string
	for paragraph := range strings.SplitSeq(text, "\n") {
		line := ""
		for _, word := range strings.Fields(paragraph) {
			if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
				lines = append(lines, line)
				line = ""
			}
			if line != "" {
				line += " "
			}
			line += word
		}
		lines = append(lines, line)
	}
	return lines
}

func decimals(numbers ...uint64) []string {
	var cells []string
	for _, n := range numbers {
		cells = append(cells, strconv.FormatUint(n, 10))
	}
	return cells
}
