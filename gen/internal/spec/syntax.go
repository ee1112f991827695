// SPDX-License-Identifier: Apache-2.0

package spec

import (
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/redsift/ingraind/gen/internal/diag"
)

// checkText refuses what is no text and what some editors and YAML disagree
// about being the end of a line, so that lines and columns mean the same to
// both. It reports the first such place and returns false.
func (p *parser) checkText() bool {
	for i, line := range p.lines {
		line = strings.TrimSuffix(line, "\r")
		for at, r := range line {
			if isText(r) && (r != utf8.RuneError || strings.HasPrefix(line[at:], "\uFFFD")) {
				continue
			}
			pos := diag.Pos{File: p.file, Line: i + 1, Col: at + 1}
			if r == utf8.RuneError {
				p.mistakes.Add(pos, "byte %#02x is not UTF-8", line[at])
				return false
			}
			p.mistakes.Add(pos, "character %U cannot be used here", r)
			return false
		}
	}
	return true
}

// isText follows YAML 1.2, 5.1 ("printable"), without the line ends NEL, LS
// and PS and without the byte order mark.
func isText(r rune) bool {
	switch {
	case r == '\t', ' ' <= r && r <= '~', 0xA0 <= r && r <= 0xFFFD:
		return r != 0x2028 && r != 0x2029 && r != 0xFEFF
	}
	return 0x10000 <= r
}

// syntax reports a problem that decode found. yaml.v3 names the line of some
// problems, of others the line before or the start of the mapping around, and
// of some no line. The line meant is the last of the shortest beginning of the
// file that has the same problem.
func (p *parser) syntax(problem string) {
	last := sort.Search(len(p.lines)-1, func(i int) bool {
		_, _, earlier := decode([]byte(strings.Join(p.lines[:i+1], "\n") + "\n"))
		return earlier == problem
	})
	pos := diag.Pos{File: p.file, Line: last + 1, Col: 1}
	line := p.lines[last]
	indent := line[:len(line)-len(strings.TrimLeft(line, " \t"))]
	if tab := strings.IndexByte(indent, '\t'); tab >= 0 {
		pos.Col = tab + 1
		p.mistakes.Add(pos, "a tab cannot indent YAML; use spaces")
		return
	}
	p.mistakes.Add(pos, "YAML syntax: %s%s", problem, hint(problem))
}

// hint says what is most often behind a problem of yaml.v3.
func hint(problem string) string {
	switch {
	case strings.HasPrefix(problem, "mapping values are not allowed"):
		return `; text with ": " in it needs quotes`
	case strings.HasPrefix(problem, "found character that cannot start"):
		return "; text that starts with @, %, ` or a tab needs quotes"
	case strings.HasPrefix(problem, "found unexpected end of stream"):
		return "; a quote is not closed"
	case strings.HasPrefix(problem, "did not find expected ','"):
		return "; a bracket is not closed, or text with , or : in it has no quotes"
	case strings.HasPrefix(problem, "did not find expected key"):
		return "; this line is not indented like those that it belongs to"
	}
	return ""
}
