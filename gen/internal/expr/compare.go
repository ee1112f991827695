// SPDX-License-Identifier: Apache-2.0

package expr

import (
	"fmt"

	"cel.dev/cel-go/common/ast"
)

// compare checks x sym y.
func (c *checker) compare(sym string, x, y *node, at int) *node {
	if x.kind != y.kind {
		c.unlike(sym, x, y, at)
		return nil
	}
	if x.op == opCond && x.kind != kNum && x.kind != kBool {
		return c.spread(x, func(x *node) *node { return c.compare(sym, x, y, at) })
	}
	if y.op == opCond && y.kind != kNum && y.kind != kBool {
		return c.spread(y, func(y *node) *node { return c.compare(sym, x, y, at) })
	}
	equality := sym == "==" || sym == "!="
	if !equality && x.kind != kNum {
		fix := ""
		if x.kind == kAddr {
			fix = `; write cidr("10.0.0.0/8").containsIP(...)`
		}
		c.wrong(at, "%s takes numbers, and this is %s%s", sym, describe(x), fix)
		return nil
	}
	n := &node{op: opCmp, kind: kBool, typ: boolType, sym: sym, at: at}
	switch x.kind {
	case kNum:
		if x, y = c.comparable(sym, x, y, at); x == nil || y == nil {
			return nil
		}
	case kStr:
		for _, pair := range [][2]*node{{x, y}, {y, x}} {
			if field, text := pair[0], pair[1]; field.op == opVar && text.isConst() && len(text.str) > capacity(field.v) {
				c.wrong(text.at, "%s has at most %d bytes, and this has %d: they are never equal", field.v.Path, capacity(field.v), len(text.str))
				return nil
			}
		}
	case kRaw:
		if x.typ.Size != y.typ.Size {
			c.wrong(at, "%d bytes are never equal to %d", x.typ.Size, y.typ.Size)
			return nil
		}
	}
	n.args = []*node{x, y}
	return fold(n)
}

// capacity is how many bytes a string can have.
func capacity(v *Var) int {
	if v.Type == "TypeText" {
		return v.Room - 1
	}
	return v.Size
}

// spread makes f(cond ? x : y) cond ? f(x) : f(y), for the conditions f.
func (c *checker) spread(n *node, f func(*node) *node) *node {
	x := f(n.args[1])
	y := f(n.args[2])
	if x == nil || y == nil {
		return nil
	}
	return fold(n.like(node{op: opCond, kind: kBool, typ: boolType, args: []*node{n.args[0], x, y}}))
}

// unlike says why two values of different kinds are not compared.
func (c *checker) unlike(sym string, x, y *node, at int) {
	fix := ""
	for _, pair := range [][2]*node{{x, y}, {y, x}} {
		if pair[1].kind != kStr || !pair[1].isConst() {
			continue
		}
		switch {
		case pair[0].kind == kAddr:
			fix = fmt.Sprintf("; write ip(%q)", pair[1].str)
		case pair[0].kind == kRaw && pair[0].typ.Type == "TypeMAC":
			fix = fmt.Sprintf("; write mac(%q)", pair[1].str)
		case pair[0].kind == kNum && isConstantName(pair[1].str):
			fix = fmt.Sprintf("; write %s without quotes", pair[1].str)
		}
	}
	c.wrong(at, "%s compares %s with %s%s", sym, describe(x), describe(y), fix)
}

func isConstantName(text string) bool {
	if text == "" || !isLetter(text[0]) {
		return false
	}
	for i := range len(text) {
		if !isLetter(text[i]) && !isDigit(text[i]) {
			return false
		}
	}
	return true
}

// comparable prepares two numbers for a comparison: untyped ones take the type
// of the other, names of errors stand for either sign, units must fit.
func (c *checker) comparable(sym string, x, y *node, at int) (*node, *node) {
	if isError(x) != isError(y) {
		if sym != "==" && sym != "!=" {
			c.wrong(at, "an error has either sign; %s would take only one of them: write == or !=, or a number", sym)
			return nil, nil
		}
		either := func(n *node) *node {
			return fold(n.like(node{op: opAbs, kind: kNum, typ: intType, args: []*node{n}}))
		}
		if isError(x) && !y.untyped() && y.typ.Signed {
			y = either(y)
		} else if isError(y) && !x.untyped() && x.typ.Signed {
			x = either(x)
		}
		x, y = c.unitless(x), c.unitless(y)
	}
	unitX, unitY := unitOf(x), unitOf(y)
	if !x.untyped() && !y.untyped() && unitX != unitY && unitX != "" && unitY != "" {
		c.wrong(at, "%s compares %s with %s", sym, describeType(unitX), describeType(unitY))
		return nil, nil
	}
	switch {
	case x.untyped() && y.untyped():
		if unitX != unitY && unitX != "" && unitY != "" {
			c.wrong(at, "%s compares %s with %s", sym, describeType(unitX), describeType(unitY))
			return nil, nil
		}
		return c.settle(c.unitless(x)), c.settle(c.unitless(y))
	case x.untyped():
		x = c.beside(sym, x, y)
	case y.untyped():
		y = c.beside(sym, y, x)
	}
	return x, y
}

// beside adapts an untyped number to the value that it is compared with, and
// finds what that never is.
func (c *checker) beside(sym string, n, other *node) *node {
	name := nameOf(other)
	n = c.adapt(n, other.typ, name)
	if n == nil || !n.isConst() || n.name || other.op != opVar || sym != "==" && sym != "!=" {
		return n
	}
	bits := 8 * other.v.Size
	if bits >= 64 {
		return n
	}
	value := int64(n.num[0])
	switch {
	case !other.typ.Signed && n.num[0]>>bits != 0:
		c.wrong(n.at, "%s has %d bits and is never %d", name, bits, n.num[0])
		return nil
	case other.typ.Signed && (value >= 1<<(bits-1) || value < -1<<(bits-1)):
		c.wrong(n.at, "%s has %d bits and is never %d", name, bits, value)
		return nil
	}
	return n
}

// isError reports whether n is, or may be by a condition, the name of an error.
func isError(n *node) bool {
	if n.op == opCond && n.untyped() {
		return isError(n.args[1]) || isError(n.args[2])
	}
	return n.op == opLit && n.typ.Type == "TypeErrno"
}

// in checks x in [a, b]: x == a || x == b.
func (c *checker) in(e ast.Expr) *node {
	args := e.AsCall().Args()
	if args[1].Kind() != ast.ListKind {
		n := c.check(args[1], Type{})
		if n != nil && n.kind == kNet {
			c.wrong(c.at(e), "in takes a list; write network.containsIP(address)")
		} else if n != nil {
			c.wrong(c.at(e), "in takes a list such as [1, 2], and this is %s", describe(n))
		}
		return nil
	}
	x := c.check(args[0], Type{})
	if x == nil {
		return nil
	}
	var all *node
	failed := false
	for _, element := range args[1].AsList().Elements() {
		y := c.check(element, c.hintOf(x, Type{}))
		if y == nil {
			failed = true
			continue
		}
		equal := c.compare("==", x, y, c.start(element))
		switch {
		case equal == nil:
			failed = true
		case all == nil:
			all = equal
		default:
			all = fold(equal.like(node{op: opOr, kind: kBool, typ: boolType, args: []*node{all, equal}}))
		}
	}
	if failed {
		return nil
	}
	if all == nil {
		c.wrong(c.at(args[1]), "nothing is in an empty list")
		return nil
	}
	return all
}
