// SPDX-License-Identifier: Apache-2.0

package expr

import (
	"encoding/binary"
	"maps"
	"math/big"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"cel.dev/cel-go/common/ast"

	"github.com/redsift/ingraind/gen/internal/diag"
)

var (
	functions = []string{"int", "uint", "size", "ip", "cidr", "mac"}
	methods   = []string{"startsWith", "endsWith", "contains", "matches", "containsIP"}
	bitwise   = []string{"has", "any", "and"}
)

// foreign are functions of CEL that there are none of here, and why.
var foreign = map[string]string{
	"has":       "a text that could not be read is the empty string",
	"all":       "there are no macros",
	"exists":    "there are no macros; a list is searched with in",
	"existsOne": "there are no macros", "exists_one": "there are no macros",
	"map": "there are no macros", "filter": "there are no macros",
	"timestamp": "points in time are compared with each other",
	"duration":  "a duration is written 10ms",
	"double":    "numbers are integers of 64 bits",
	"string":    "rows show numbers as they are",
	"bytes":     "byte arrays are compared with b\"...\"",
	"type":      "types are known when the grain is generated",
	"dyn":       "types are known when the grain is generated",
	"bool":      "write x != 0",
}

// function checks f(...).
func (c *checker) function(e ast.Expr) *node {
	call := e.AsCall()
	f, args, at := call.FunctionName(), call.Args(), c.callee(e)
	switch f {
	case "int", "uint":
		if !c.arity(f, at, args, 1, 1) {
			return nil
		}
		return c.conversion(f, args[0], at)
	case "size":
		if !c.arity(f, at, args, 1, 1) {
			return nil
		}
		a := c.check(args[0], Type{})
		return c.size(a, at)
	case "ip", "mac":
		if !c.arity(f, at, args, 1, 1) {
			return nil
		}
		text, ok := c.text(f, args[0])
		if !ok {
			return nil
		}
		if f == "mac" {
			m, err := net.ParseMAC(text)
			if err != nil || len(m) != 6 {
				c.wrong(c.at(args[0]), "%q is no MAC address", text)
				return nil
			}
			return &node{op: opConst, kind: kRaw, typ: Type{Type: "TypeMAC", Size: 6}, str: string(m), at: at}
		}
		a, err := netip.ParseAddr(text)
		if err != nil || a.Zone() != "" {
			c.wrong(c.at(args[0]), "%q is no IP address", text)
			return nil
		}
		return &node{op: opConst, kind: kAddr, typ: Type{Type: "TypeIP", Size: 16}, net: networkOf(a, 0), at: at}
	case "cidr":
		return c.cidr(args, at)
	}
	if why, ok := foreign[f]; ok {
		c.wrong(at, "there is no %s(): %s", f, why)
		return nil
	}
	c.wrong(at, "there is no function %s%s", f, diag.DidYouMean(f, functions))
	return nil
}

// arity checks the number of arguments.
func (c *checker) arity(f string, at int, args []ast.Expr, least, most int) bool {
	if len(args) >= least && len(args) <= most {
		return true
	}
	want := itoa(least)
	if most != least {
		want += " to " + itoa(most)
	}
	plural := "s"
	if most == 1 {
		plural = ""
	}
	c.wrong(at, "%s takes %s argument%s, and here are %d", f, want, plural, len(args))
	return false
}

// text is an argument that must be a string in quotes.
func (c *checker) text(f string, e ast.Expr) (string, bool) {
	n := c.check(e, Type{})
	if n == nil {
		return "", false
	}
	if n.kind != kStr || !n.isConst() {
		c.wrong(c.start(e), "%s takes a string in quotes", f)
		return "", false
	}
	return n.str, true
}

func (c *checker) conversion(f string, e ast.Expr, at int) *node {
	a := c.check(e, Type{})
	if a == nil {
		return nil
	}
	if a.kind == kBool {
		c.wrong(at, "%s takes a number, and this is a condition; write (...) ? 1 : 0", f)
		return nil
	}
	if a.kind != kNum {
		c.wrong(at, "%s takes a number, and this is %s", f, describe(a))
		return nil
	}
	if a = c.settle(a); a == nil {
		return nil
	}
	t := wide(a.typ)
	t.Signed = f == "int"
	if t.Type == "TypeInt" || t.Type == "TypeUint" {
		t = numType(t.Signed)
	}
	return fold(&node{op: opConv, kind: kNum, typ: t, args: []*node{a}, at: at})
}

// size is how many bytes a string has.
func (c *checker) size(a *node, at int) *node {
	if a == nil {
		return nil
	}
	if a.kind != kStr {
		c.wrong(at, "size takes a string, and this is %s", describe(a))
		return nil
	}
	if a.op == opCond {
		x, y := c.size(a.args[1], at), c.size(a.args[2], at)
		return fold(a.like(node{op: opCond, kind: kNum, typ: uintType, args: []*node{a.args[0], x, y}}))
	}
	return fold(&node{op: opSize, kind: kNum, typ: uintType, args: []*node{a}, at: at})
}

// networkOf is an address as two words.
func networkOf(a netip.Addr, bits int) network {
	b := a.As16()
	return network{binary.LittleEndian.Uint64(b[:8]), binary.LittleEndian.Uint64(b[8:]), uint8(bits)}
}

// prefix reads a network.
func (c *checker) prefix(e ast.Expr) (network, bool) {
	text, ok := c.text("cidr", e)
	if !ok {
		return network{}, false
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		fix := ""
		if a, err := netip.ParseAddr(text); err == nil {
			fix = `; a network has a length, as in "` + netip.PrefixFrom(a, a.BitLen()).String() + `"`
		}
		c.wrong(c.at(e), "%q is no network%s", text, fix)
		return network{}, false
	}
	if p.Masked() != p {
		c.wrong(c.at(e), "%q has bits behind its %d; write %q", text, p.Bits(), p.Masked())
		return network{}, false
	}
	if p.Addr().Is4In6() {
		c.wrong(c.at(e), "%q is IPv4; write it so", text)
		return network{}, false
	}
	return networkOf(p.Addr(), p.Bits()), true
}

// cidr checks cidr("10.0.0.0/8"), cidr(peer, 24) and cidr(peer, 24, 64).
func (c *checker) cidr(args []ast.Expr, at int) *node {
	if !c.arity("cidr", at, args, 1, 3) {
		return nil
	}
	t := Type{Type: "TypeNet", Size: 17}
	if len(args) == 1 {
		net, ok := c.prefix(args[0])
		if !ok {
			return nil
		}
		return &node{op: opConst, kind: kNet, typ: t, net: net, at: at}
	}
	a := c.check(args[0], Type{})
	keep := [2]int{0, 64}
	for i, arg := range args[1:] {
		n, ok := c.constant(arg, "the length of a prefix", 0, int64([]int{32, 128}[i]))
		if !ok {
			return nil
		}
		keep[i] = int(n)
	}
	if a == nil {
		return nil
	}
	if a.kind != kAddr {
		c.wrong(c.start(args[0]), "cidr takes an IP address, and this is %s", describe(a))
		return nil
	}
	return c.networked(a, keep, at)
}

// networked is the network of an address.
func (c *checker) networked(a *node, keep [2]int, at int) *node {
	t := Type{Type: "TypeNet", Size: 17}
	if a.op == opCond {
		x, y := c.networked(a.args[1], keep, at), c.networked(a.args[2], keep, at)
		return fold(a.like(node{op: opCond, kind: kNet, typ: t, args: []*node{a.args[0], x, y}}))
	}
	n := &node{op: opNet, kind: kNet, typ: t, keep: keep, args: []*node{a}, at: at}
	if a.isConst() {
		return n.like(node{op: opConst, kind: kNet, typ: t, net: a.net.masked(keep)})
	}
	return n
}

// constant is a number that must be known now, from least to most.
func (c *checker) constant(e ast.Expr, what string, least, most int64) (int64, bool) {
	n := c.check(e, Type{})
	if n == nil {
		return 0, false
	}
	at := c.start(e)
	if n.op != opLit {
		c.wrong(at, "%s is a number that is known when the grain is generated", what)
		return 0, false
	}
	if v := n.lit[0]; v.Cmp(n.lit[1]) != 0 || v.Cmp(big.NewInt(least)) < 0 || v.Cmp(big.NewInt(most)) > 0 {
		c.wrong(at, "%s is a number from %d to %d, and this is %s", what, least, most, v)
		return 0, false
	}
	return n.lit[0].Int64(), true
}

// method checks x.f(...).
func (c *checker) method(e ast.Expr) *node {
	call := e.AsCall()
	f, args, at := call.FunctionName(), call.Args(), c.callee(e)
	target := call.Target()
	if target.Kind() == ast.IdentKind && target.AsIdent() == "bits" && !slices.Contains(methods, f) {
		return c.bits(e)
	}
	if !slices.Contains(methods, f) {
		if why, ok := foreign[f]; ok {
			c.wrong(at, "there is no %s(): %s", f, why)
		} else {
			c.wrong(at, "there is no function %s%s", f, diag.DidYouMean(f, slices.Concat(methods, functions)))
		}
		return nil
	}
	x := c.check(target, Type{})
	if !c.arity(f, at, args, 1, 1) {
		return nil
	}
	y := c.check(args[0], Type{})
	if x == nil || y == nil {
		return nil
	}
	return c.methodOf(f, x, y, at)
}

func (c *checker) methodOf(f string, x, y *node, at int) *node {
	if x.op == opCond && x.kind != kNum && x.kind != kBool {
		return c.spread(x, func(x *node) *node { return c.methodOf(f, x, y, at) })
	}
	if y.op == opCond && y.kind != kNum && y.kind != kBool {
		return c.spread(y, func(y *node) *node { return c.methodOf(f, x, y, at) })
	}
	n := &node{kind: kBool, typ: boolType, args: []*node{x, y}, at: at}
	if f == "containsIP" {
		if x.kind != kNet || !x.isConst() {
			c.wrong(x.at, `containsIP belongs to a network: cidr("10.0.0.0/8").containsIP(address)`)
			return nil
		}
		if y.kind != kAddr {
			c.wrong(y.at, "containsIP takes an IP address, and this is %s", describe(y))
			return nil
		}
		if y.isConst() {
			return n.constBool(x.net.contains(y.net))
		}
		n.op, n.net, n.args = opInNet, x.net, []*node{y}
		return n
	}
	for _, a := range n.args {
		if a.kind != kStr {
			c.wrong(a.at, "%s takes strings, and this is %s", f, describe(a))
			return nil
		}
	}
	n.op = map[string]op{"startsWith": opStarts, "endsWith": opEnds, "contains": opContains, "matches": opMatches}[f]
	if f == "matches" {
		if !y.isConst() {
			c.wrong(y.at, "matches takes a pattern in quotes")
			return nil
		}
		if _, err := regexp.Compile(y.str); err != nil {
			c.wrong(y.at, "%s", strings.Replace(err.Error(), "error parsing regexp: ", "in the pattern: ", 1))
			return nil
		}
		n.str, n.args = y.str, []*node{x}
		return fold(n)
	}
	if x.op == opVar && y.isConst() && len(y.str) > capacity(x.v) {
		c.wrong(y.at, "%s has at most %d bytes, and this has %d", x.v.Path, capacity(x.v), len(y.str))
		return nil
	}
	if y.isConst() && y.str == "" {
		return n.constBool(true)
	}
	return fold(n)
}

// bits checks bits.has(x, m...), bits.any(x, m...) and bits.and(x, m...).
func (c *checker) bits(e ast.Expr) *node {
	call := e.AsCall()
	f, args, at := call.FunctionName(), call.Args(), c.start(call.Target())
	if !slices.Contains(bitwise, f) {
		c.wrong(c.callee(e), "there is no bits.%s%s", f, diag.DidYouMean(f, bitwise))
		return nil
	}
	if len(args) < 2 {
		c.wrong(at, "bits.%s takes a number and one or more masks, as in bits.%s(flags, O_CREAT)", f, f)
		return nil
	}
	x := c.check(args[0], Type{})
	if x != nil && x.kind != kNum {
		c.wrong(c.start(args[0]), "bits.%s takes numbers, and this is %s", f, describe(x))
		x = nil
	}
	var mask both
	ok := true
	for _, arg := range args[1:] {
		m := c.check(arg, c.hintOf(x, Type{}))
		switch {
		case m == nil:
			ok = false
		case m.op != opLit:
			c.wrong(c.start(arg), "a mask is a number or a constant such as O_CREAT")
			ok = false
		case m.lit[0].Sign() == 0 && m.lit[1].Sign() == 0 && f != "and":
			name := c.path(arg)
			if name == "" {
				name = "this"
			}
			c.wrong(c.start(arg), "%s is 0 and has no bit; compare: bits.and(x, mask) == %s", name, strings.Replace(name, "this", "0", 1))
			ok = false
		default:
			for i, v := range m.lit {
				if v.IsInt64() {
					mask[i] |= uint64(v.Int64())
				} else {
					mask[i] |= v.Uint64()
				}
			}
		}
	}
	if x == nil || !ok {
		return nil
	}
	if x = c.settle(x); x == nil {
		return nil
	}
	if x.typ.Signed && x.typ.Size < 8 { // its bits, and not those of its sign
		for i := range mask {
			mask[i] &= 1<<(8*x.typ.Size) - 1
		}
	}
	n := &node{op: opBits, kind: kNum, typ: uintType, num: mask, args: []*node{x}, at: at}
	if f != "and" {
		n.op, n.kind, n.typ = map[string]op{"has": opHasBits, "any": opAnyBits}[f], kBool, boolType
	}
	return fold(n)
}

func sortedNames(table map[string][2]int64) []string { return slices.Sorted(maps.Keys(table)) }
