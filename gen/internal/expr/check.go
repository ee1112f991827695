// SPDX-License-Identifier: Apache-2.0

package expr

import (
	"math/big"
	"slices"
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"

	"github.com/redsift/ingraind/gen/internal/diag"
)

// want checks the whole expression and that it is what it has to be.
func (c *checker) want(e ast.Expr, want Want) *node {
	n := c.check(e, Type{})
	if n == nil {
		return nil
	}
	if n.kind == kNum {
		n = c.settle(n)
	}
	at := c.start(e)
	switch {
	case n == nil:
	case want == WantBool && n.kind != kBool:
		fix := "compare it with something"
		if n.kind == kNum && n.op == opVar {
			fix = "write " + n.v.Path + " != 0"
		}
		c.wrong(at, "a condition is true or false, and this is %s; %s", describe(n), fix)
		return nil
	case want == WantNumber && n.kind == kBool:
		c.wrong(at, "this is true or false, and a number is wanted; write (...) ? 1 : 0")
		return nil
	case want == WantNumber && n.kind != kNum:
		c.wrong(at, "this is %s, and a number is wanted", describe(n))
		return nil
	}
	return n
}

// check gives e its type. hint is the type of what it stands beside, by which
// names of constants are found. The node is nil when e has a mistake, which is
// recorded then.
func (c *checker) check(e ast.Expr, hint Type) *node {
	switch e.Kind() {
	case ast.LiteralKind:
		return c.literal(e)
	case ast.IdentKind, ast.SelectKind:
		return c.named(e, hint)
	case ast.CallKind:
		return c.call(e, hint)
	case ast.ListKind:
		c.wrong(c.at(e), "a list stands only behind in, as in x in [1, 2]")
	case ast.MapKind, ast.StructKind:
		c.wrong(c.at(e), "there are no maps and no messages")
	default:
		c.wrong(c.at(e), "not supported")
	}
	return nil
}

func (c *checker) literal(e ast.Expr) *node {
	at := c.at(e)
	switch v := e.AsLiteral().(type) {
	case types.Bool:
		return (&node{at: at}).constBool(bool(v))
	case types.String:
		if strings.Contains(string(v), "\x00") {
			c.wrong(at, "a string ends at its first NUL, so none can hold one")
			return nil
		}
		return &node{op: opConst, kind: kStr, typ: Type{Type: "TypeString", Size: max(len(v), 1)}, str: string(v), at: at}
	case types.Bytes:
		if len(v) == 0 {
			c.wrong(at, "no field has 0 bytes")
			return nil
		}
		return &node{op: opConst, kind: kRaw, typ: Type{Type: "TypeHex", Size: len(v)}, str: string(v), at: at}
	case types.Null:
		c.wrong(at, "there is no null; a text that could not be read is the empty string")
	default:
		c.wrong(at, "numbers are integers of 64 bits")
	}
	return nil
}

// literalOf is a number that takes the type of what it stands beside.
func literalOf(at int, unit string, values ...*big.Int) *node {
	n := &node{op: opLit, kind: kNum, typ: Type{Type: unit}, at: at}
	n.lit = [2]*big.Int{values[0], values[len(values)-1]}
	return n
}

// named is a field, a param, a number or a constant.
func (c *checker) named(e ast.Expr, hint Type) *node {
	if n := c.number(e); n != nil {
		return literalOf(n.at, n.unit, n.value)
	}
	at := c.start(e)
	if e.Kind() == ast.SelectKind && e.AsSelect().IsTestOnly() {
		c.wrong(at, "there is no has(); a text that could not be read is the empty string")
		return nil
	}
	path := c.path(e)
	if v := c.find(path); v != nil {
		return c.variable(v, at)
	}
	if e.Kind() == ast.IdentKind {
		if n, of, ok := named(path, hint); ok {
			lit := literalOf(at, "", big.NewInt(n[0]), big.NewInt(n[1]))
			lit.name = true
			if of == "TypeErrno" {
				lit.typ.Type = of
			}
			return lit
		}
	}
	c.unknown(e, at, path, hint)
	return nil
}

// unknown says what is wrong with a name that is none.
func (c *checker) unknown(e ast.Expr, at int, path string, hint Type) {
	if path == "" { // a member of something that is no name
		if e.Kind() == ast.SelectKind {
			c.check(e.AsSelect().Operand(), Type{})
			c.wrong(c.at(e), "only fields of the event have members")
		}
		return
	}
	var members, all []string
	for _, v := range c.vars {
		all = append(all, c.spelled(v.Path))
		if rest, ok := strings.CutPrefix(v.Path, path+"."); ok {
			members = append(members, path+"."+rest)
		}
		if strings.HasPrefix(path, v.Path+".") {
			c.wrong(at, "%s is %s and has no members", v.Path, describeType(v.Type))
			return
		}
	}
	if len(members) > 0 {
		for i, m := range members {
			members[i] = c.spelled(m)
		}
		c.wrong(at, "%s is no value, but its members are: %s", path, strings.Join(members, ", "))
		return
	}
	switch _, isError := errnos[path]; {
	case isError:
		c.wrong(at, "%s names an error, but what it stands beside is no errno_t", path)
		return
	case signals[path] != [2]int64{}:
		c.wrong(at, "%s names a signal, but what it stands beside is no signal_t", path)
		return
	}
	if param, ok := strings.CutPrefix(path, "params."); ok {
		c.wrong(at, "there is no param %s%s", param, diag.DidYouMean(path, all))
		return
	}
	near := diag.DidYouMean(c.spelled(path), append(slices.Clone(all), namesFor(hint)...))
	if near == "" {
		near = diag.DidYouMean(path, sortedNames(constants))
	}
	c.wrong(at, "there is no field and no constant %s%s", c.spelled(path), near)
}

// spelled is a path as an expression has it: sizes.0 is sizes[0].
func (c *checker) spelled(path string) string {
	parts := strings.Split(path, ".")
	out := parts[0]
	for _, p := range parts[1:] {
		if p != "" && isDigit(p[0]) {
			out += "[" + p + "]"
		} else {
			out += "." + p
		}
	}
	return out
}

// variable is the value of a field or a param.
func (c *checker) variable(v *Var, at int) *node {
	n := &node{op: opVar, v: v, at: at, typ: Type{Type: v.Type, Size: v.Size, Signed: v.Signed, Enum: v.Enum}}
	switch v.Type {
	case "TypeBool":
		n.kind, n.typ = kBool, boolType
	case "TypeString":
		n.kind = kStr
	case "TypeText":
		n.kind, n.typ.Type, n.typ.Size = kStr, "TypeString", v.Room
	case "TypeIP", "TypeIP4":
		n.kind = kAddr
	case "TypeMAC", "TypeHex":
		n.kind = kRaw
	case "TypeRaw":
		c.wrong(at, "%s is raw bytes; what is read in them has fields of its own", v.Path)
		return nil
	case "TypeWords":
		c.wrong(at, "%s holds several strings; expressions have no lists of them", v.Path)
		return nil
	default:
		n.kind = kNum
	}
	return n
}

// isFree reports whether e may be the name of a constant, which only the type
// of what it stands beside can tell.
func (c *checker) isFree(e ast.Expr) bool {
	if e.Kind() == ast.CallKind && e.AsCall().FunctionName() == operators.Conditional {
		return c.isFree(e.AsCall().Args()[1]) || c.isFree(e.AsCall().Args()[2])
	}
	return e.Kind() == ast.IdentKind && c.number(e) == nil && c.find(c.path(e)) == nil
}

// pair checks two expressions, each in the light of the other.
func (c *checker) pair(a, b ast.Expr, hint Type) (x, y *node) {
	if c.isFree(a) && !c.isFree(b) {
		if y = c.check(b, hint); y != nil {
			x = c.check(a, c.hintOf(y, hint))
		}
		return x, y
	}
	if x = c.check(a, hint); x == nil && c.isFree(a) {
		return nil, nil
	}
	if x == nil && c.isFree(b) {
		return nil, nil // whether it is a name depends on the other
	}
	return x, c.check(b, c.hintOf(x, hint))
}

func (c *checker) hintOf(n *node, otherwise Type) Type {
	if n == nil || n.op == opLit {
		return otherwise
	}
	return n.typ
}

// settle gives a number that stands beside nothing a type: signed when it fits.
func (c *checker) settle(n *node) *node {
	if n == nil || !n.untyped() {
		return n
	}
	signed := true
	n.each(func(n *node) {
		if n.op == opLit && (!n.lit[0].IsInt64() || !n.lit[1].IsInt64()) {
			signed = false
		}
	})
	return c.adapt(n, numType(signed), "")
}

// untyped reports whether a number takes the type of what it stands beside.
func (n *node) untyped() bool {
	return n.op == opLit || n.op == opCond && n.kind == kNum && n.typ.Size == 0
}

// adapt gives an untyped number the type of what it stands beside, which is
// called by name.
func (c *checker) adapt(n *node, t Type, by string) *node {
	if n.op == opCond {
		x, y := c.adapt(n.args[1], t, by), c.adapt(n.args[2], t, by)
		if x == nil || y == nil {
			return nil
		}
		return fold(n.like(node{op: opCond, kind: kNum, typ: x.typ, args: []*node{n.args[0], x, y}}))
	}
	if by == "" {
		by = describeType(t.Type)
	}
	switch unit := n.typ.Type; {
	case unit == "TypeDuration" && t.Type == "TypeMoment":
		c.wrong(n.at, "%s is a point in time, and this is a duration", by)
		return nil
	case (unit == "TypeDuration" || unit == "TypeBytes") && t.Type != unit && t.Type != "TypeInt" && t.Type != "TypeUint":
		c.wrong(n.at, "%s is %s, and this is %s", by, describeType(t.Type), describeType(unit))
		return nil
	}
	made := Type{Type: t.Type, Size: 8, Signed: t.Signed}
	if unit := n.typ.Type; unit == "TypeDuration" || unit == "TypeBytes" {
		made.Type = unit
	}
	var num both
	for i, value := range n.lit {
		switch {
		case !t.Signed && value.Sign() < 0:
			c.wrong(n.at, "%s is unsigned and never %s", by, value)
			return nil
		case t.Signed && value.IsInt64(), value.Sign() < 0 && value.IsInt64():
			num[i] = uint64(value.Int64())
		case !t.Signed && value.IsUint64():
			num[i] = value.Uint64()
		default:
			c.wrong(n.at, "%s does not fit in 64 bits%s", value, map[bool]string{true: " with a sign"}[t.Signed && value.IsUint64()])
			return nil
		}
	}
	return n.like(node{op: opConst, kind: kNum, typ: made, num: num, name: n.name})
}

// describe is a value in messages, with its article.
func describe(n *node) string {
	if n.op == opVar {
		return n.v.Path + " (" + describeType(n.v.Type) + ")"
	}
	switch n.kind {
	case kBool:
		return "a condition"
	case kNet:
		return "a network"
	case kAddr:
		return "an IP address"
	case kRaw:
		return describeType(n.typ.Type)
	case kStr:
		return "a string"
	}
	if n.typ.Type == "" {
		return "a number"
	}
	return describeType(n.typ.Type)
}

// describeType is a type in messages, with its article.
func describeType(t string) string {
	switch t {
	case "TypeBool":
		return "a condition"
	case "TypeString", "TypeText":
		return "a string"
	case "TypeWords":
		return "a list of strings"
	case "TypeRaw":
		return "raw bytes"
	case "TypeHex":
		return "a byte array"
	case "TypeIP", "TypeIP4":
		return "an IP address"
	case "TypeMAC":
		return "a MAC address"
	case "TypeBytes":
		return "an amount of bytes"
	case "TypeDuration":
		return "a duration"
	case "TypeMoment":
		return "a point in time"
	case "TypePort":
		return "a port"
	case "TypeErrno":
		return "an error"
	case "TypeSignal":
		return "a signal"
	case "TypeSyscall":
		return "a system call"
	case "TypeEnum":
		return "an enum"
	case "TypeUser", "TypeGroup", "TypePID", "TypeCgroup", "TypeInterface":
		return "an id"
	}
	return "a number"
}
