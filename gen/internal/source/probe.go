// SPDX-License-Identifier: Apache-2.0

package source

import (
	"slices"
	"strings"
)

// maxParams is how many parameters a probe may name; no function worth probing
// has more.
const maxParams = 12

// probeAt reports whether a probe may begin at i.
func (p *parser) probeAt(i int) bool { return p.at(i).is("PROBE") || p.at(i).is("DECIDE") }

// probe reads PROBE(name, type name, ...) and returns the index behind the
// parentheses.
func (p *parser) probe(i int) int {
	macro, open := p.tokens[i], i+1
	if !p.at(open).is("(") {
		p.mistakes.Add(macro.pos, "this %s has no name; write %s(name, type argument, ...) { ... }", macro.text, macro.text)
		return open
	}
	args := p.split(open)
	first := p.tokens[args[0].from:args[0].to]
	if len(first) != 1 || first[0].kind != word {
		at := p.tokens[open].pos
		if len(first) > 0 {
			at = first[0].pos
		}
		p.mistakes.Add(at, "this %s has no name; write %s(name%s) { ... }", macro.text, macro.text, p.listed(args))
		return p.after(open)
	}

	probe := Probe{Name: first[0].text, Pos: first[0].pos, Decides: macro.is("DECIDE")}
	if earlier := p.file.Probe(probe.Name); earlier != nil {
		p.mistakes.Add(probe.Pos, "probe %s is already defined at %s; give this one another name", probe.Name, earlier.Pos)
	} else {
		probe.Params = p.params(macro.text, args[1:])
		if body := p.after(open); p.at(body).is("{") {
			probe.Calls = p.calls(body)
		}
		p.file.Probes = append(p.file.Probes, probe)
	}
	if next := p.after(open); next > p.ends[open] && !p.at(next).is("{") && !p.cut {
		p.mistakes.Add(probe.Pos, "probe %s has no body; follow the parentheses with { ... }", probe.Name)
	}
	return p.after(open)
}

// params reads the parameters of one probe; those that are mistakes it leaves
// out.
func (p *parser) params(macro string, args []span) []Param {
	if len(args) == 1 && p.spell(args[0]) == "void" {
		return nil
	}
	if len(args) > maxParams {
		p.mistakes.Add(p.startOf(args[maxParams]), "%s takes at most %d parameters, not %d; name only those you use: they bind by name",
			macro, maxParams, len(args))
		args = args[:maxParams]
	}
	var params []Param
	for _, arg := range args {
		param, ok := p.param(macro, arg)
		if !ok {
			continue
		}
		if slices.ContainsFunc(params, func(earlier Param) bool { return earlier.Name == param.Name }) {
			p.mistakes.Add(param.Pos, "two parameters are called %s; parameters bind by name", param.Name)
			continue
		}
		params = append(params, param)
	}
	return params
}

// param reads "type name".
func (p *parser) param(macro string, arg span) (Param, bool) {
	if arg.from == arg.to {
		p.mistakes.Add(p.startOf(arg), "empty parameter; remove the comma, or write type name")
		return Param{}, false
	}
	at, text := p.startOf(arg), p.spell(arg)

	specifiers := 0 // words other than const and the like
	for i := arg.from; i < arg.to; i++ {
		t := p.tokens[i]
		switch {
		case t.is("..."):
			p.mistakes.Add(t.pos, "%s cannot take ...; name each argument you use", macro)
			return Param{}, false
		case t.is("["):
			p.mistakes.Add(at, "parameter %q is an array; write a pointer, %s", text, p.asPointer(span{arg.from, i}))
			return Param{}, false
		case t.is("(") && p.at(i+1).is("*"):
			p.mistakes.Add(at, "parameter %q is a pointer to a function or an array; write void *%s", text, p.inner(i).text)
			return Param{}, false
		case t.kind == word && !isQualifier(t.text):
			specifiers++
		case t.kind != word && !t.is("*"):
			p.mistakes.Add(at, "parameter %q is not a type and a name; write it like struct sock *sk", text)
			return Param{}, false
		}
	}

	name := p.tokens[arg.to-1]
	if p.isTag(arg.to-1) || name.kind != word || isReserved(name.text) || specifiers < 2 {
		p.mistakes.Add(at, "parameter %q needs a type and a name, such as struct sock *sk; it binds by that name", text)
		return Param{}, false
	}
	typ := p.spell(span{arg.from, arg.to - 1})
	if typ == "void" {
		p.mistakes.Add(at, "parameter %s cannot be void; write void *%s", name.text, name.text)
		return Param{}, false
	}
	return Param{Name: name.text, Type: typ, Pos: name.pos}, true
}

// asPointer spells the declaration of an array, without its brackets, as that
// of a pointer to its first element.
func (p *parser) asPointer(s span) string {
	if s.to-s.from < 2 {
		return "type *name"
	}
	typ, name := p.spell(span{s.from, s.to - 1}), p.tokens[s.to-1].text
	if strings.HasSuffix(typ, "*") {
		return typ + "*" + name
	}
	return typ + " *" + name
}

// isTag reports whether the word at i is the tag in struct tag.
func (p *parser) isTag(i int) bool { return isAggregate(p.at(i-1).text) && p.at(i).kind == word }
