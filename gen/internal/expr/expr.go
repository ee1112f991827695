// SPDX-License-Identifier: Apache-2.0

// Package expr is the language of where, key, cells and per: CEL's grammar, by
// cel-go's parser, with names, types and a meaning of its own, which
// docs/expressions.md states. An expression is checked against the fields of
// an event and printed as C, as Go, or evaluated; all three mean the same.
package expr

import (
	"slices"
	"strings"

	"github.com/redsift/ingraind/gen/internal/diag"
)

// Var is a name that an expression may use: a field of the event, or a param.
type Var struct {
	Path   string // "who.comm", "peer_port", "sizes.0" (written sizes[0]), "params.min_bytes"
	Type   string // runtime's constant, as in model.Leaf
	Size   int    // bytes in memory; of a char array its length
	Signed bool
	Room   int // bytes that a text may have, its NUL included
	Enum   []EnumValue
	Align  int    // of a char or byte array: what its address is a multiple of, 1 to 8; 0 is 1
	C      string // its lvalue: "v->peer_port"
	Why    error  // why C cannot have it, nil when it can
	Go     string // its accessor: "v.PeerPort()"; of a text it returns ([]byte, runtime.TailState)
}

// EnumValue is one constant of a C enum.
type EnumValue struct {
	Name  string
	Value int64
}

// Source is an expression, and where each of its bytes stands in the file.
type Source struct {
	Text string
	Pos  func(offset int) diag.Pos // nil: line 1 of no file
}

func (s Source) pos(offset int) diag.Pos {
	if s.Pos == nil {
		return diag.Pos{Line: 1, Col: offset + 1}
	}
	return s.Pos(offset)
}

// Want is what an expression has to be.
type Want int

// What an expression can be wanted for.
const (
	WantBool   Want = iota // a condition
	WantValue              // a key column: anything that has a size
	WantNumber             // the argument of a cell
)

// Type is what the value of an expression means and how it is kept.
type Type struct {
	Type   string // runtime's constant; TypeNet is an address of 16 bytes and the length of its prefix
	Size   int    // bytes
	Signed bool
	Enum   []EnumValue
}

// Expr is an expression that has been checked.
type Expr struct {
	root *node
	text string
}

// Compile checks an expression. It is nil when there are mistakes.
func Compile(src Source, vars []Var, want Want) (*Expr, diag.List) {
	c := newChecker(src, vars)
	root := c.parse()
	if root == nil {
		return nil, c.mistake
	}
	n := c.want(root, want)
	if n == nil || c.mistake.Len() > 0 {
		return nil, c.mistake
	}
	return &Expr{n, src.Text}, c.mistake
}

// String is the expression as it was written.
func (e *Expr) String() string { return e.text }

// Type is the type of the value.
func (e *Expr) Type() Type { return e.root.typ }

// Conjuncts are the parts of an expression that must all be true, each of them
// an expression of its own. Of one that is no && it is the expression alone.
func (e *Expr) Conjuncts() []*Expr {
	var all []*Expr
	var walk func(n *node, from, to int)
	walk = func(n *node, from, to int) {
		if n.op == opAnd && n.at >= from && n.at+2 <= to {
			walk(n.args[0], from, n.at)
			walk(n.args[1], n.at+2, to)
			return
		}
		all = append(all, &Expr{n, trimmed(e.text[from:to])})
	}
	walk(e.root, 0, len(e.text))
	if len(all) == 1 {
		return []*Expr{e}
	}
	return all
}

// trimmed is a part of an expression without the spaces and the parentheses
// around it that belong to more than it.
func trimmed(text string) string {
	text = strings.TrimSpace(text)
	for {
		open, shut := strings.Count(text, "("), strings.Count(text, ")")
		switch {
		case open > shut && text[0] == '(':
			text = strings.TrimSpace(text[1:])
		case open < shut && text[len(text)-1] == ')':
			text = strings.TrimSpace(text[:len(text)-1])
		default:
			return text
		}
	}
}

// Vars are the names that the value depends on, in the order of their first use.
func (e *Expr) Vars() []*Var {
	var all []*Var
	e.root.each(func(n *node) {
		if n.op == opVar && !slices.Contains(all, n.v) {
			all = append(all, n.v)
		}
	})
	return all
}

// C declares a member called name of a key struct that holds a value of the type.
func (t Type) C(name string) string {
	switch t.Type {
	case "TypeString":
		return "char " + name + "[" + itoa(t.Size) + "]"
	case "TypeIP":
		return "ip_t " + name
	case "TypeIP4":
		return "ip4_t " + name
	case "TypeMAC", "TypeHex", "TypeNet":
		return "__u8 " + name + "[" + itoa(t.Size) + "]"
	}
	sign := "u"
	if t.Signed {
		sign = "s"
	}
	return "__" + sign + itoa(8*t.Size) + " " + name
}

// Align is what the address of such a member is a multiple of.
func (t Type) Align() int {
	switch t.Type {
	case "TypeString", "TypeMAC", "TypeHex", "TypeNet":
		return 1
	case "TypeIP":
		return 4
	}
	return t.Size
}

// Field is the path of the event's field that the expression is, if it is
// nothing more.
func (e *Expr) Field() (path string, ok bool) {
	n := e.root
	if n.op != opVar || strings.HasPrefix(n.v.Path, "params.") {
		return "", false
	}
	return n.v.Path, true
}
