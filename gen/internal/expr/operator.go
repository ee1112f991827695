// SPDX-License-Identifier: Apache-2.0

package expr

import (
	"math/big"
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
)

func (c *checker) call(e ast.Expr, hint Type) *node {
	call := e.AsCall()
	args := call.Args()
	if call.IsMemberFunction() {
		return c.method(e)
	}
	switch f := call.FunctionName(); f {
	case operators.LogicalAnd, operators.LogicalOr:
		return c.logic(e)
	case operators.LogicalNot:
		a := c.condition(args[0], "!")
		if a == nil {
			return nil
		}
		return fold(&node{op: opNot, kind: kBool, typ: boolType, args: []*node{a}, at: c.at(e)})
	case operators.Conditional:
		return c.conditional(e, hint)
	case operators.Equals, operators.NotEquals, operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals:
		x, y := c.pair(args[0], args[1], Type{})
		if x == nil || y == nil {
			return nil
		}
		return c.compare(strings.Trim(f, "_"), x, y, c.at(e))
	case operators.In, operators.OldIn:
		return c.in(e)
	case operators.Add, operators.Subtract, operators.Multiply, operators.Divide, operators.Modulo:
		x, y := c.pair(args[0], args[1], hint)
		if x == nil || y == nil {
			return nil
		}
		return c.arith(strings.Trim(f, "_"), x, y, c.at(e))
	case operators.Negate:
		return c.negate(e, hint)
	case operators.Index:
		if v := c.find(c.path(e)); v != nil {
			return c.variable(v, c.start(e))
		}
		if path := c.path(e); path != "" {
			c.unknown(e, c.start(e), path, hint)
		} else {
			c.wrong(c.at(e), "the index of an array is a number, as in sizes[0]")
		}
		return nil
	default:
		if !isName(f) {
			c.wrong(c.at(e), "not supported: %s", strings.Trim(f, "_@"))
			return nil
		}
		return c.function(e)
	}
}

// condition checks an operand that must be true or false.
func (c *checker) condition(e ast.Expr, operator string) *node {
	n := c.check(e, Type{})
	if n != nil && n.kind != kBool {
		fix := ""
		if n.op == opVar && n.kind == kNum {
			fix = "; write " + c.spelled(n.v.Path) + " != 0"
		}
		c.wrong(c.start(e), "%s takes conditions, and this is %s%s", operator, describe(n), fix)
		return nil
	}
	return n
}

func (c *checker) logic(e ast.Expr) *node {
	call := e.AsCall()
	f, sym := opAnd, "&&"
	if call.FunctionName() == operators.LogicalOr {
		f, sym = opOr, "||"
	}
	a, b := c.condition(call.Args()[0], sym), c.condition(call.Args()[1], sym)
	if a == nil || b == nil {
		return nil
	}
	return fold(&node{op: f, kind: kBool, typ: boolType, args: []*node{a, b}, at: c.at(e)})
}

func (c *checker) conditional(e ast.Expr, hint Type) *node {
	args := e.AsCall().Args()
	cond := c.condition(args[0], "? :")
	x, y := c.pair(args[1], args[2], hint)
	if cond == nil || x == nil || y == nil {
		return nil
	}
	return c.choose(cond, x, y, c.at(e))
}

// choose makes cond ? x : y of two values of one kind.
func (c *checker) choose(cond, x, y *node, at int) *node {
	if x.kind != y.kind {
		c.wrong(at, "the values of ? : are %s and %s; they must be of one kind", describe(x), describe(y))
		return nil
	}
	n := &node{op: opCond, kind: x.kind, typ: x.typ, args: []*node{cond, x, y}, at: at}
	switch x.kind {
	case kNum:
		if x.untyped() && y.untyped() {
			n.typ = Type{} // still
			return n
		}
		if x, y = c.alike("? :", x, y, at); x == nil {
			return nil
		}
		n.args[1], n.args[2], n.typ = x, y, x.typ
		if x.typ.Type != y.typ.Type || x.typ.Size != y.typ.Size {
			n.typ.Size, n.typ.Enum = 8, nil
			if x.typ.Type != y.typ.Type {
				n.typ = numType(x.typ.Signed)
			}
			n.args[1], n.args[2] = convert(x, n.typ), convert(y, n.typ)
		}
	case kStr:
		n.typ.Size = max(x.typ.Size, y.typ.Size)
	case kAddr:
		if x.typ.Type != y.typ.Type {
			n.typ = Type{Type: "TypeIP", Size: 16}
		}
	case kRaw:
		if x.typ.Size != y.typ.Size {
			c.wrong(at, "the values of ? : have %d and %d bytes; they must have as many", x.typ.Size, y.typ.Size)
			return nil
		}
	}
	return fold(n)
}

// alike makes two numbers, one of which may be untyped, of one sign and unit.
func (c *checker) alike(sym string, x, y *node, at int) (*node, *node) {
	switch {
	case x.untyped() && y.untyped():
		signed := true
		for _, n := range []*node{x, y} {
			if s := c.settle(n); s == nil {
				return nil, nil
			} else if !s.typ.Signed {
				signed = false
			}
		}
		if x = c.adapt(x, numType(signed), ""); x != nil {
			y = c.adapt(y, numType(signed), "")
		}
	case x.untyped():
		x = c.adapt(x, y.typ, nameOf(y))
	case y.untyped():
		y = c.adapt(y, x.typ, nameOf(x))
	}
	if x == nil || y == nil {
		return nil, nil
	}
	if x.typ.Signed != y.typ.Signed {
		of := func(n *node) string {
			if n.typ.Signed {
				return "signed"
			}
			return "unsigned"
		}
		c.wrong(at, "%s of %s and %s numbers: write int(...) or uint(...) around one of them", sym, of(x), of(y))
		return nil, nil
	}
	return x, y
}

// nameOf is what messages call a value: its field's name, or "".
func nameOf(n *node) string {
	if n.op == opVar {
		return n.v.Path
	}
	return ""
}

func (c *checker) negate(e ast.Expr, hint Type) *node {
	a := c.check(e.AsCall().Args()[0], hint)
	switch {
	case a == nil:
		return nil
	case a.kind != kNum:
		c.wrong(c.at(e), "- takes a number, and this is %s", describe(a))
		return nil
	case a.op == opLit:
		n := literalOf(c.at(e), a.typ.Type, new(big.Int).Neg(a.lit[0]), new(big.Int).Neg(a.lit[1]))
		if a.typ.Type == "TypeErrno" {
			n.typ.Type = ""
		}
		return n
	}
	if a = c.settle(a); a == nil {
		return nil
	}
	if !a.typ.Signed {
		c.wrong(c.at(e), "%s is unsigned; write -int(...)", describe(a))
		return nil
	}
	return fold(&node{op: opNeg, kind: kNum, typ: wide(a.typ), args: []*node{a}, at: c.at(e)})
}

// wide is the type of what is computed from a value of type t: 64 bits.
func wide(t Type) Type {
	switch t.Type {
	case "TypeDuration", "TypeBytes", "TypeMoment":
		return Type{Type: t.Type, Size: 8, Signed: t.Signed}
	}
	return numType(t.Signed)
}

// arith checks x sym y.
func (c *checker) arith(sym string, x, y *node, at int) *node {
	for _, n := range []*node{x, y} {
		if n.kind != kNum {
			if n.kind == kStr && sym == "+" {
				c.wrong(at, "strings are not joined")
			} else {
				c.wrong(at, "%s takes numbers, and this is %s", sym, describe(n))
			}
			return nil
		}
	}
	if x.op == opLit && y.op == opLit {
		return c.literals(sym, x, y, at)
	}
	unitX, unitY := unitOf(x), unitOf(y)
	result := ""
	switch {
	case sym == "*" && unitX != "" && unitY != "":
		c.wrong(at, "%s times %s has no meaning", describeType(unitX), describeType(unitY))
		return nil
	case sym == "*" || sym == "/" && unitY == "" || sym == "%" && unitY == "":
		result = unitX + unitY
	case sym == "/": // a ratio or a rate
	case unitX == "TypeMoment" && unitY == "TypeMoment" && sym == "-":
		result = "TypeDuration"
	case unitX == "TypeMoment" && unitY == "TypeDuration" && (sym == "-" || sym == "+"), unitX == unitY && unitX != "TypeMoment":
		result = unitX
	case unitX == "TypeDuration" && unitY == "TypeMoment" && sym == "+":
		result = unitY
	case unitX != "" && unitY != "":
		c.wrong(at, "%s %s %s has no meaning", describeType(unitX), sym, describeType(unitY))
		return nil
	default:
		result = unitX + unitY
	}
	if x.untyped() || y.untyped() { // units were looked at: only the sign is to be found
		x, y = c.unitless(x), c.unitless(y)
	}
	if x, y = c.alike(sym, x, y, at); x == nil {
		return nil
	}
	t := numType(x.typ.Signed)
	if result != "" {
		t.Type = result
	}
	return fold(&node{op: opArith, kind: kNum, sym: sym, typ: t, args: []*node{x, y}, at: at})
}

// unitless is an untyped number without its unit.
func (c *checker) unitless(n *node) *node {
	if n.op != opLit {
		return n
	}
	made := *n
	made.typ = Type{}
	return &made
}

// unitOf is the unit that a number is of, "" for one of none.
func unitOf(n *node) string {
	switch n.typ.Type {
	case "TypeDuration", "TypeBytes", "TypeMoment":
		return n.typ.Type
	}
	if n.op == opCond && n.untyped() {
		return unitOf(n.args[1])
	}
	return ""
}

// literals computes with two numbers that have no type yet.
func (c *checker) literals(sym string, x, y *node, at int) *node {
	unitX, unitY := unitOf(x), unitOf(y)
	unit := unitX
	switch {
	case unitX == unitY && sym == "*" && unitX != "":
		c.wrong(at, "%s times %s has no meaning", describeType(unitX), describeType(unitY))
		return nil
	case unitX == unitY && sym == "/":
		unit = ""
	case unitX != unitY && unitX != "" && unitY != "":
		c.wrong(at, "%s %s %s has no meaning", describeType(unitX), sym, describeType(unitY))
		return nil
	case unitX == "" && sym != "/":
		unit = unitY
	}
	var values [2]*big.Int
	for i := range values {
		a, b := x.lit[i], y.lit[i]
		v := new(big.Int)
		switch sym {
		case "+":
			v.Add(a, b)
		case "-":
			v.Sub(a, b)
		case "*":
			v.Mul(a, b)
		case "/":
			if b.Sign() != 0 {
				v.Quo(a, b)
			}
		case "%":
			if b.Sign() != 0 {
				v.Rem(a, b)
			}
		}
		if !v.IsInt64() && !v.IsUint64() {
			c.wrong(at, "%s does not fit in 64 bits", v)
			return nil
		}
		values[i] = v
	}
	n := literalOf(x.at, unit, values[:]...)
	return n
}
