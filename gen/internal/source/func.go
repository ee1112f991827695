// SPDX-License-Identifier: Apache-2.0

package source

import "slices"

// funcAt reports whether the word at i names a function that is defined here:
// "name(...) {", with attributes before the brace or none.
func (p *parser) funcAt(i int) bool {
	if p.at(i).kind != word || !p.at(i+1).is("(") || isTypeof(p.at(i).text) || isAttribute(p.at(i).text) {
		return false
	}
	return p.at(p.bodyOf(i)).is("{")
}

// bodyOf is the index of what follows "name(...)" and its attributes.
func (p *parser) bodyOf(i int) int {
	at := p.after(i + 1)
	for at > i && isAttribute(p.at(at).text) {
		at = p.skipAttribute(at)
	}
	return at
}

// function reads a function and returns the index behind its body.
func (p *parser) function(i int) int {
	body := p.bodyOf(i)
	p.file.Funcs = append(p.file.Funcs, Func{p.tokens[i].text, p.tokens[i].pos, p.calls(body)})
	return p.after(body)
}

// calls are the names in front of parentheses in the braces at open.
func (p *parser) calls(open int) []Call {
	var calls []Call
	for i := open + 1; i < p.ends[open]; i++ {
		t := p.tokens[i]
		if t.kind != word || !p.at(i+1).is("(") || isReserved(t.text) || isControl(t.text) {
			continue
		}
		if !slices.ContainsFunc(calls, func(c Call) bool { return c.Name == t.text }) {
			calls = append(calls, Call{t.text, t.pos})
		}
	}
	return calls
}
