// SPDX-License-Identifier: Apache-2.0

package spec

import (
	"strings"
	"unicode/utf8"

	"github.com/redsift/ingraind/gen/internal/diag"
	"gopkg.in/yaml.v3"
)

// Expression is a scalar that is code: a condition, a key, a cell.
type Expression struct {
	Value
	Places []diag.Pos // of each byte of Text
}

// Place is where the byte at an offset of Text stands in the file. An offset
// at or beyond the end is the place behind the last byte.
func (e Expression) Place(offset int) diag.Pos {
	switch last := len(e.Places) - 1; {
	case last < 0:
		return e.Pos
	case offset > last:
		pos := e.Places[last]
		pos.Col++
		return pos
	default:
		return e.Places[max(offset, 0)]
	}
}

// expression reads n as code. name is what it is called.
func (p *parser) expression(n *yaml.Node, name string) Expression {
	if n.Kind == yaml.ScalarNode && !isNull(n) && strings.TrimSpace(n.Value) == "" {
		p.mistake(n, "%s must be an expression, not empty", name)
		return Expression{}
	}
	if n.Kind != yaml.ScalarNode || isNull(n) {
		p.mistake(n, "%s must be an expression, not %s", name, describe(n))
		return Expression{}
	}
	return Expression{Value{n.Value, p.pos(n)}, p.places(n)}
}

// places finds where each byte of a scalar's text stands in the file: what
// YAML makes of the lines of a scalar, it makes by dropping and joining, but
// for the escapes of double quotes.
func (p *parser) places(n *yaml.Node) []diag.Pos {
	at := p.pos(n)
	raw := rawText{lines: p.lines, line: at.Line, col: at.Col - 1}
	switch {
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		raw.nextLine()
	case isQuoted(n):
		raw.col++
	}
	escapes := n.Style&yaml.DoubleQuotedStyle != 0
	places := make([]diag.Pos, 0, len(n.Value))
	for text := n.Value; text != ""; {
		_, size := utf8.DecodeRuneInString(text)
		pos, skip := raw.find(text[:size], escapes)
		for range size {
			places = append(places, diag.Pos{File: p.file, Line: pos.line, Col: pos.col + 1})
		}
		raw.col = skip
		text = text[size:]
	}
	return places
}

// rawText is a place in the lines of a file.
type rawText struct {
	lines     []string
	line, col int // line counts from 1, col from 0
}

func (r *rawText) nextLine() { r.line, r.col = r.line+1, 0 }

// find goes to where a character of a scalar stands, and returns the place and
// the column behind it. A line's end stands for one space or line feed; lines
// and indentation between are gone over.
func (r *rawText) find(char string, escapes bool) (at rawText, behind int) {
	if char == " " || char == "\n" {
		if r.line <= len(r.lines) && strings.HasPrefix(r.rest(), char) && strings.TrimSpace(r.rest()) != "" {
			return *r, r.col + 1
		}
		at := *r
		r.nextLine()
		return at, 0
	}
	for r.line <= len(r.lines) {
		rest := r.rest()
		trimmed := strings.TrimLeft(rest, " \t")
		switch {
		case trimmed == "" || escapes && trimmed == `\`:
			r.nextLine()
			continue
		case strings.HasPrefix(rest, char):
			behind := r.col + len(char)
			if char == "'" && strings.HasPrefix(rest, "''") {
				behind++
			}
			return *r, behind
		case escapes && rest[0] == '\\':
			return *r, r.col + escapeLength(rest)
		case trimmed != rest:
			r.col += len(rest) - len(trimmed)
			continue
		}
		return *r, r.col + 1 // not where it should be: as near as can be
	}
	last := *r
	last.line = max(len(r.lines), 1)
	return last, r.col
}

func (r *rawText) rest() string {
	line := strings.TrimSuffix(r.lines[r.line-1], "\r")
	return line[min(r.col, len(line)):]
}

// escapeLength is how many bytes the escape at the front of text has
// (YAML 1.2, 5.7).
func escapeLength(text string) int {
	if len(text) < 2 {
		return len(text)
	}
	more := map[byte]int{'x': 2, 'u': 4, 'U': 8}[text[1]]
	return min(2+more, len(text))
}
