// SPDX-License-Identifier: Apache-2.0

package expr

import (
	"math/big"
	"strconv"
)

// kind is how a value is held.
type kind uint8

const (
	kBool kind = iota + 1
	kNum       // 64 bits; typ.Signed says how they are read
	kStr       // bytes up to the first NUL
	kAddr      // an IP address, of 4 or 16 bytes
	kNet       // a network
	kRaw       // bytes of a fixed number: a MAC, a byte array
)

// op is what a node does.
type op uint8

const (
	opLit      op = iota + 1 // a number that takes the type of the other side: lit
	opConst                  // num, str or net, by kind
	opVar                    // v
	opNot                    // !a
	opAnd                    // a && b
	opOr                     // a || b
	opCond                   // a ? b : c
	opCmp                    // a sym b; of other kinds than numbers only == and !=
	opArith                  // a sym b: + - * / %
	opNeg                    // -a
	opAbs                    // a number without its sign, as errors of either sign are compared
	opConv                   // int(a), uint(a)
	opBits                   // a & num
	opHasBits                // (a & num) == num
	opAnyBits                // (a & num) != 0
	opStarts                 // a begins with b
	opEnds                   // a ends with b
	opContains               // a contains b
	opMatches                // a matches the pattern str
	opSize                   // bytes of a string
	opNet                    // the network of address a
	opInNet                  // network net contains address a
)

// both is a number on each architecture: x86-64 and arm64.
type both [2]uint64

func same(n uint64) both { return both{n, n} }

// network is an address as two words, as a little-endian CPU reads them from
// memory, and the length of its prefix; 0 to 32 when it is IPv4.
type network struct {
	hi, lo uint64
	bits   uint8
}

// node is a part of an expression.
type node struct {
	op   op
	kind kind
	sym  string
	typ  Type
	args []*node
	v    *Var
	num  both
	lit  [2]*big.Int // opLit, on each architecture
	name bool        // opLit: by a name, of an error when typ says so
	str  string
	net  network // opConst of kAddr and kNet, opInNet
	keep [2]int  // opNet: bits kept of IPv4 and IPv6

	at int // where it stands in the text; an operator, where that does
}

// each visits a node and all below it, in the order of the text.
func (n *node) each(visit func(*node)) {
	visit(n)
	for _, a := range n.args {
		a.each(visit)
	}
}

// isConst reports whether the value is known now.
func (n *node) isConst() bool { return n.op == opConst }

// truth is the value of a constant condition.
func (n *node) truth() bool { return n.num[0] != 0 }

func itoa(n int) string { return strconv.Itoa(n) }

var (
	boolType = Type{Type: "TypeBool", Size: 1}
	intType  = Type{Type: "TypeInt", Size: 8, Signed: true}
	uintType = Type{Type: "TypeUint", Size: 8}
)

func numType(signed bool) Type {
	if signed {
		return intType
	}
	return uintType
}

// like makes a node that stands where n does.
func (n *node) like(made node) *node {
	made.at = n.at
	return &made
}

func (n *node) constBool(value bool) *node {
	made := node{op: opConst, kind: kBool, typ: boolType}
	if value {
		made.num = same(1)
	}
	return n.like(made)
}

// fold replaces what is known now by its value. Whatever it does, Eval says
// what the value is.
func fold(n *node) *node {
	switch n.op {
	case opAnd, opOr:
		a, b := n.args[0], n.args[1]
		if a.isConst() {
			if a.truth() == (n.op == opAnd) {
				return b
			}
			return n.constBool(n.op == opOr)
		}
		if b.isConst() {
			if b.truth() == (n.op == opAnd) {
				return a
			}
			return n.constBool(n.op == opOr)
		}
		return n
	case opCond:
		if !n.args[0].isConst() {
			return n
		}
		chosen := n.args[2]
		if n.args[0].truth() {
			chosen = n.args[1]
		}
		if chosen.kind == kNum && chosen.op != opLit {
			return convert(chosen, n.typ)
		}
		return chosen
	case opVar, opConst, opLit:
		return n
	}
	for _, a := range n.args {
		if !a.isConst() {
			return n
		}
	}
	switch n.kind {
	case kBool, kNum:
		first, second := evalOn(n, 0), evalOn(n, 1)
		if n.kind == kBool && first.Num != second.Num {
			return n // known, but not the same everywhere
		}
		return n.like(node{op: opConst, kind: n.kind, typ: n.typ, num: both{first.Num, second.Num}})
	}
	return n
}

// convert gives a number another type with the same sign.
func convert(n *node, t Type) *node {
	if n.typ.Type == t.Type && n.typ.Size == t.Size && n.typ.Signed == t.Signed {
		return n
	}
	made := *n
	if n.isConst() {
		made.typ = t
		return &made
	}
	made = node{op: opConv, kind: kNum, typ: t, args: []*node{n}}
	return n.like(made)
}
