// SPDX-License-Identifier: Apache-2.0

package source

import "github.com/redsift/ingraind/gen/internal/diag"

// parser turns tokens into the probes and structs of file.
type parser struct {
	tokens   []token
	ends     []int // of each opening bracket: the token that ends its inside, or len(tokens)
	file     *File
	mistakes diag.List
	cut      bool // part of the file was lost to a quote or comment never closed
}

// pair finds the end of every bracket before anything else is read, so that
// one that is never closed hides as little as possible of what follows it. No
// probe stands inside brackets, and no brace or semicolon inside the
// parentheses of a probe: there, at the latest, something was forgotten.
func (p *parser) pair() {
	p.ends = make([]int, len(p.tokens))
	var open []int             // indices of brackets not closed yet
	count := map[string]int{}  // how many of each kind
	unclosed := func(at int) { // at is where the innermost one ends for want of better
		i := open[len(open)-1]
		open = open[:len(open)-1]
		count[p.tokens[i].text]--
		p.ends[i] = at
		if p.cut {
			return
		}
		p.mistakes.Add(p.tokens[i].pos, "this %s is never closed; add %s", p.tokens[i].text, closerOf(p.tokens[i]))
	}

	for i, t := range p.tokens {
		if p.probeAt(i) && p.at(i+1).is("(") {
			for len(open) > 0 {
				unclosed(i)
			}
		}
		if t.is("{") || t.is(";") {
			if n := len(open); n == 1 && p.tokens[open[0]].is("(") && p.probeAt(open[0]-1) {
				unclosed(i)
			}
		}
		if closerOf(t) != "" {
			open = append(open, i)
			count[t.text]++
			continue
		}
		opener := openerOf(t)
		if count[opener] == 0 {
			continue // no bracket, or one too many: the compiler says so
		}
		for !p.tokens[open[len(open)-1]].is(opener) {
			unclosed(i)
		}
		p.ends[open[len(open)-1]] = i
		open = open[:len(open)-1]
		count[opener]--
	}
	for len(open) > 0 {
		unclosed(len(p.tokens))
	}
}

// after is the index behind the bracket at i and all it holds.
func (p *parser) after(i int) int {
	end := p.ends[i]
	if p.at(end).is(closerOf(p.tokens[i])) {
		return end + 1
	}
	return end
}

// at is the token with index i, or one that is nothing beyond either end.
func (p *parser) at(i int) token {
	if i < 0 || i >= len(p.tokens) {
		return token{kind: punct}
	}
	return p.tokens[i]
}

// closerOf is the bracket that closes t, or "" when t opens none.
func closerOf(t token) string {
	switch {
	case t.is("("):
		return ")"
	case t.is("["):
		return "]"
	case t.is("{"):
		return "}"
	}
	return ""
}

// openerOf is the bracket that t closes, or "".
func openerOf(t token) string {
	switch {
	case t.is(")"):
		return "("
	case t.is("]"):
		return "["
	case t.is("}"):
		return "{"
	}
	return ""
}
