// SPDX-License-Identifier: Apache-2.0

package source

// maxNesting is how deep structs are read inside structs; what is deeper is
// skipped.
const maxNesting = 32

// parse reads everything at file level.
func (p *parser) parse() {
	for i := 0; i < len(p.tokens); {
		t := p.tokens[i]
		switch {
		case p.probeAt(i):
			i = p.probe(i)
		case p.funcAt(i):
			i = p.function(i)
		case t.kind == word && isAggregate(t.text):
			_, i = p.aggregate(i, 0)
		case closerOf(t) != "":
			i = p.after(i) // a function's body, an initializer
		default:
			i++
		}
	}
}

// aggregate is a struct, union or enum where a type is expected.
type aggregate struct {
	union   bool
	tagged  bool
	body    bool
	members []Member
}

// aggregate reads "struct tag { ... }", of which tag or body may be missing,
// and returns the index behind it.
func (p *parser) aggregate(i, depth int) (aggregate, int) {
	keyword := p.tokens[i]
	a := aggregate{union: keyword.is("union")}
	for i++; isAttribute(p.at(i).text); {
		i = p.skipAttribute(i)
	}
	tag := p.at(i)
	if tag.kind == word {
		a.tagged = true
		i++
	}
	if !p.at(i).is("{") {
		return a, i
	}
	a.body = true
	if keyword.is("enum") || depth >= maxNesting {
		return a, p.after(i)
	}
	s := -1
	if a.tagged && !a.union {
		s = len(p.file.Structs)
		p.file.Structs = append(p.file.Structs, Struct{Name: tag.text, Pos: tag.pos})
	}
	for j, end := i+1, p.ends[i]; j < end; {
		var declared []Member
		declared, j = p.declaration(j, end, depth)
		a.members = append(a.members, declared...)
	}
	if s >= 0 {
		p.file.Structs[s].Members = a.members
	}
	return a, p.after(i)
}

// declaration reads one "type a, *b, c[4], d : 3;" of a struct and returns the
// index behind its semicolon.
func (p *parser) declaration(i, end, depth int) ([]Member, int) {
	var members []Member
	var base aggregate
	var d declarator
	typed := false // the type's first word is past: the next one may be a name
	named := false
	finish := func() {
		if d.name.text != "" {
			named = true
			members = append(members, d.member(base)...)
		}
		d = declarator{}
	}

	for i < end && !p.tokens[i].is(";") {
		t := p.tokens[i]
		switch {
		case t.is(","):
			finish()
			typed = true
			i++
		case t.is("*"):
			d.pointer = true
			i++
		case t.is(":"):
			d.bits, d.complete = true, true
			i++
		case t.is("(") && p.at(i+1).is("*"):
			d.name, d.complete = p.inner(i), true
			i = p.after(i)
			d.function = p.at(i).is("(")
			d.pointer = true
		case closerOf(t) != "":
			typed = typed || t.is("(") // text(4096) name
			d.complete = d.complete || t.is("[")
			i = p.after(i)
		case t.kind == word && isAggregate(t.text):
			base, i = p.aggregate(i, depth+1)
			typed = true
		case isAttribute(t.text):
			i = p.skipAttribute(i)
		case isTypeof(t.text):
			typed = true
			i = p.skipAttribute(i)
		case t.kind == word && p.at(i+1).is("(") && !p.at(i+2).is("*"):
			i++ // a macro with arguments
		case t.kind == word && typed && !d.complete && !isReserved(t.text):
			d.name = t
			i++
		default:
			typed = typed || t.kind == word && !isQualifier(t.text)
			i++
		}
	}
	finish()
	if base.body && !base.tagged && !named {
		members = inside(base)
	}
	return members, min(i+1, end)
}

// inner finds the name in (*name)(...) and (*name[4])(...).
func (p *parser) inner(open int) token {
	for i := open + 1; i < p.ends[open]; i++ {
		if t := p.tokens[i]; t.kind == word && !isReserved(t.text) && !isAttribute(t.text) {
			return t
		}
	}
	return token{}
}

// declarator is one name of a declaration and what is attached to it.
type declarator struct {
	name     token
	complete bool // the name is past
	pointer  bool
	function bool
	bits     bool
}

// member is the declarator's member, followed by what is reached through it
// when its type has a body and no name.
func (d declarator) member(base aggregate) []Member {
	m := Member{Name: d.name.text, Pos: d.name.pos}
	switch {
	case d.bits:
		m.Kind = Bitfield
	case d.function:
		m.Kind = FuncPointer
	case d.pointer:
		m.Kind = Pointer
	case base.union:
		m.Kind = Union
	}
	members := []Member{m}
	if base.body && !base.tagged {
		for _, in := range inside(base) {
			in.Name = m.Name + "." + in.Name
			members = append(members, in)
		}
	}
	return members
}

// inside is the members of a; those of a union all lie on each other.
func inside(a aggregate) []Member {
	members := make([]Member, len(a.members))
	for i, m := range a.members {
		if a.union {
			m.Kind = Union
		}
		members[i] = m
	}
	return members
}
