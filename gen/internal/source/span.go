// SPDX-License-Identifier: Apache-2.0

package source

import (
	"strings"

	"github.com/redsift/ingraind/gen/internal/diag"
)

// span is the tokens from one index up to, not including, another.
type span struct{ from, to int }

// split cuts what the bracket at open holds at its commas; at least one span
// results. An attribute in front of or behind a span is not part of it.
func (p *parser) split(open int) []span {
	end := p.ends[open]
	spans := []span{}
	from := open + 1
	for i := from; i < end; {
		switch {
		case p.tokens[i].is(","):
			spans = append(spans, p.bare(span{from, i}))
			i++
			from = i
		case closerOf(p.tokens[i]) != "":
			i = min(p.after(i), end)
		default:
			i++
		}
	}
	return append(spans, p.bare(span{from, end}))
}

// bare is s without the attributes at either end.
func (p *parser) bare(s span) span {
	for s.from < s.to && isAttribute(p.tokens[s.from].text) {
		s.from = min(p.skipAttribute(s.from), s.to)
	}
	for i := s.from; i < s.to; i++ {
		if !isAttribute(p.tokens[i].text) {
			continue
		}
		next := i
		for next < s.to && isAttribute(p.tokens[next].text) {
			next = p.skipAttribute(next)
		}
		if next >= s.to {
			s.to = i
			break
		}
		i = next - 1
	}
	return s
}

// skipAttribute is the index behind an attribute and its parentheses.
func (p *parser) skipAttribute(i int) int {
	if p.at(i + 1).is("(") {
		return p.after(i + 1)
	}
	return i + 1
}

// startOf is where s begins, or, when it is empty, where it should.
func (p *parser) startOf(s span) diag.Pos {
	if s.from < s.to {
		return p.tokens[s.from].pos
	}
	return p.tokens[s.from-1].pos // a bracket or comma precedes every span
}

// spell writes s as one would in C: "const char *const *argv".
func (p *parser) spell(s span) string {
	var b strings.Builder
	for i := s.from; i < s.to; i++ {
		t := p.tokens[i]
		if i > s.from {
			before := p.tokens[i-1]
			wordy := t.kind != punct && before.kind != punct
			star := t.is("*") && before.kind == word
			if wordy || star || before.is(",") || t.is("(") && p.at(i+1).is("*") {
				b.WriteByte(' ')
			}
		}
		b.WriteString(t.text)
	}
	return b.String()
}

// listed is what a probe without a name was given, behind a comma, to show it
// back with one.
func (p *parser) listed(args []span) string {
	if args[0].from == args[0].to {
		args = args[1:]
	}
	var b strings.Builder
	for _, arg := range args {
		b.WriteString(", " + p.spell(arg))
	}
	return b.String()
}
