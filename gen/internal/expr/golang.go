// SPDX-License-Identifier: Apache-2.0

package expr

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
)

// GoCode is what is printed as Go.
type GoCode struct {
	Code     string
	Imports  []string  // beside the project's package runtime
	Patterns []Pattern // package variables that Code uses
}

// Pattern is a package variable that holds a compiled pattern:
//
//	var Name = regexp.MustCompile(RE2)
//
// Equal patterns have equal names, others have others.
type Pattern struct{ Name, RE2 string }

// goPrinter collects what the code needs around it.
type goPrinter struct{ GoCode }

// Go is the value as a Go expression: a bool, a uint64 or an int64. Code is ""
// when the value is none of these: StoreGo writes those.
func (e *Expr) Go() GoCode {
	p := &goPrinter{}
	if e.root.kind != kBool && e.root.kind != kNum {
		return p.GoCode
	}
	p.Code = p.code(e.root)
	return p.GoCode
}

// WordGo is the value as a Go expression, an uint64 of no more bits than the
// value's type has: a number, or 1 for true. Code is "" when it is neither.
func (e *Expr) WordGo() GoCode {
	p := &goPrinter{}
	switch e.root.kind {
	case kBool:
		p.Code = "uint64(runtime.Bit(" + p.code(e.root) + "))"
	case kNum:
		p.Code = p.number(e.root, e.root.typ)
		if e.root.typ.Size < 8 || e.root.isConst() {
			p.Code = "uint64(" + p.Code + ")"
		}
	}
	return p.GoCode
}

// StoreGo is a Go statement that writes the value to dst, a slice of the
// value's size. It writes all of it.
func (e *Expr) StoreGo(dst string) GoCode {
	p := &goPrinter{}
	p.Code = p.store(e.root, e.root.typ, dst)
	return p.GoCode
}

func (p *goPrinter) imports(path string) {
	if !slices.Contains(p.Imports, path) {
		p.Imports = append(p.Imports, path)
	}
}

func goType(signed bool) string {
	if signed {
		return "int64"
	}
	return "uint64"
}

// literal is a constant number without its type.
func literal(n *node) string {
	if n.num[0] != n.num[1] {
		code := fmt.Sprintf("runtime.ByArch(%#x, %#x)", n.num[0], n.num[1])
		if n.typ.Signed {
			return "int64(" + code + ")"
		}
		return code
	}
	if n.typ.Signed {
		return fmt.Sprint(int64(n.num[0]))
	}
	return unsigned(n.num[0])
}

// operand is a node between operators. beside is what stands on the other side
// and gives a constant its type.
func (p *goPrinter) operand(n, beside *node) string {
	if n.op == opConst && n.kind == kNum && beside.op != opConst {
		return literal(n)
	}
	code := p.code(n)
	if isAtom(code) {
		return code
	}
	return "(" + code + ")"
}

// isAtom reports whether code needs no parentheses.
func isAtom(code string) bool {
	return isCall(code) || !strings.ContainsAny(code, " !-")
}

// code is a condition or a number.
func (p *goPrinter) code(n *node) string {
	x := func(i int) string { return p.code(n.args[i]) }
	switch n.op {
	case opConst:
		if n.kind == kBool {
			return fmt.Sprint(n.truth())
		}
		if code := literal(n); strings.Contains(code, "(") {
			return code
		}
		return goType(n.typ.Signed) + "(" + literal(n) + ")"
	case opVar:
		switch param := strings.HasPrefix(n.v.Path, "params."); {
		case n.kind == kBool && param:
			return n.v.Go + " != 0"
		case n.kind == kBool, n.v.Size == 8:
			return n.v.Go
		}
		return goType(n.typ.Signed) + "(" + n.v.Go + ")"
	case opNot:
		return "!" + p.operand(n.args[0], n)
	case opAnd, opOr:
		sym := map[op]string{opAnd: " && ", opOr: " || "}[n.op]
		parts := []string{}
		for at := n; ; at = at.args[0] {
			if at.op != n.op {
				parts = append(parts, p.part(at))
				break
			}
			parts = append(parts, p.part(at.args[1]))
		}
		slices.Reverse(parts)
		return strings.Join(parts, sym)
	case opCond:
		return fmt.Sprintf("runtime.Pick(%s, %s, %s)", x(0), x(1), x(2))
	case opCmp:
		return p.compare(n)
	case opArith:
		a, b := n.args[0], n.args[1]
		if (n.sym == "/" || n.sym == "%") && !(b.isConst() && b.num[0] != 0 && b.num[1] != 0) {
			return fmt.Sprintf("runtime.%s(%s, %s)", map[string]string{"/": "Quo", "%": "Rem"}[n.sym], x(0), x(1))
		}
		return p.operand(a, b) + " " + n.sym + " " + p.operand(b, a)
	case opNeg:
		return "-" + p.operand(n.args[0], n.args[0])
	case opAbs:
		return "runtime.Abs(" + x(0) + ")"
	case opConv:
		if n.args[0].typ.Signed == n.typ.Signed {
			return x(0)
		}
		return goType(n.typ.Signed) + "(" + x(0) + ")"
	case opBits:
		return "uint64(" + x(0) + ") & " + p.mask(n)
	case opHasBits:
		return "uint64(" + x(0) + ")&" + p.mask(n) + " == " + p.mask(n)
	case opAnyBits:
		return "uint64(" + x(0) + ")&" + p.mask(n) + " != 0"
	case opStarts, opEnds, opContains:
		return p.search(n)
	case opMatches:
		h := fnv.New64a()
		h.Write([]byte(n.str))
		name := fmt.Sprintf("pattern%016x", h.Sum64())
		if pattern := (Pattern{name, n.str}); !slices.Contains(p.Patterns, pattern) {
			p.Patterns = append(p.Patterns, pattern)
		}
		return name + ".Match(" + p.bytes(n.args[0]) + ")"
	case opSize:
		return "uint64(len(" + p.bytes(n.args[0]) + "))"
	case opInNet:
		hi, lo := n.net.masks()
		f := "In"
		if n.net.hides4() {
			f = "In6"
		}
		return fmt.Sprintf("%s.%s(%#x, %#x, %#x, %#x)", p.addr(n.args[0]), f, n.net.hi, n.net.lo, hi, lo)
	}
	return "false"
}

// part is an operand of && or ||.
func (p *goPrinter) part(n *node) string {
	if code := p.code(n); n.op != opAnd && n.op != opOr {
		return code // all else binds tighter
	} else {
		return "(" + code + ")"
	}
}

// mask is the bits of a test.
func (p *goPrinter) mask(n *node) string {
	if n.num[0] != n.num[1] {
		return fmt.Sprintf("runtime.ByArch(%#x, %#x)", n.num[0], n.num[1])
	}
	return fmt.Sprintf("%#x", n.num[0])
}

func (p *goPrinter) compare(n *node) string {
	x, y := n.args[0], n.args[1]
	not := ""
	if n.sym == "!=" {
		not = "!"
	}
	switch x.kind {
	case kNum:
		return mixed(n, p.code, func(of *node) string {
			if of == x {
				return p.operand(x, y)
			}
			return p.operand(y, x)
		}, "runtime.LessUS", "runtime.LessSU", "runtime.EqualUS")
	case kAddr:
		return p.addr(x) + " " + n.sym + " " + p.addr(y)
	case kNet:
		return p.net(x) + " " + n.sym + " " + p.net(y)
	case kStr, kRaw:
		if x.isConst() {
			x, y = y, x
		}
		if y.isConst() {
			return "string(" + p.bytes(x) + ") " + n.sym + " " + strconv.Quote(y.str)
		}
		p.imports("bytes")
		return not + "bytes.Equal(" + p.bytes(x) + ", " + p.bytes(y) + ")"
	}
	return p.operand(x, n) + " " + n.sym + " " + p.operand(y, n)
}

// search is startsWith, endsWith or contains.
func (p *goPrinter) search(n *node) string {
	x, y := n.args[0], n.args[1]
	if y.isConst() {
		f := map[op]string{opStarts: "StartsWith", opEnds: "EndsWith", opContains: "Contains"}[n.op]
		return fmt.Sprintf("runtime.%s(%s, %s)", f, p.bytes(x), strconv.Quote(y.str))
	}
	p.imports("bytes")
	f := map[op]string{opStarts: "HasPrefix", opEnds: "HasSuffix", opContains: "Contains"}[n.op]
	return fmt.Sprintf("bytes.%s(%s, %s)", f, p.bytes(x), p.bytes(y))
}

// bytes is a string or a byte array as a []byte.
func (p *goPrinter) bytes(n *node) string {
	switch {
	case n.isConst():
		return "[]byte(" + strconv.Quote(n.str) + ")"
	case n.v.Type == "TypeText":
		return "runtime.Str(" + n.v.Go + ")"
	}
	return n.v.Go
}

// addr is an address as a runtime.Address.
func (p *goPrinter) addr(n *node) string {
	if n.isConst() {
		return fmt.Sprintf("(runtime.Address{Hi: %#x, Lo: %#x})", n.net.hi, n.net.lo)
	}
	return "runtime.AddressOf(" + n.v.Go + ")"
}

// net is a network as a runtime.Network.
func (p *goPrinter) net(n *node) string {
	if n.isConst() {
		return fmt.Sprintf("(runtime.Network{Address: runtime.Address{Hi: %#x, Lo: %#x}, Bits: %d})", n.net.hi, n.net.lo, n.net.bits)
	}
	return fmt.Sprintf("%s.Network(%d, %d)", p.addr(n.args[0]), n.keep[0], n.keep[1])
}

func (p *goPrinter) store(n *node, t Type, dst string) string {
	if n.op == opCond && n.kind != kNum && n.kind != kBool {
		return fmt.Sprintf("if %s {\n%s\n} else {\n%s\n}", p.code(n.args[0]), p.store(n.args[1], t, dst), p.store(n.args[2], t, dst))
	}
	switch n.kind {
	case kStr:
		if n.isConst() {
			return fmt.Sprintf("runtime.PutStr(%s, %s)", dst, strconv.Quote(n.str))
		}
		return fmt.Sprintf("runtime.PutStr(%s, %s)", dst, p.bytes(n))
	case kAddr:
		if n.op == opVar && n.v.Type == t.Type {
			return fmt.Sprintf("copy(%s, %s)", dst, n.v.Go)
		}
		return p.addr(n) + ".Put(" + dst + ")"
	case kNet:
		return p.net(n) + ".Put(" + dst + ")"
	case kRaw:
		if n.isConst() {
			return fmt.Sprintf("copy(%s, %s)", dst, strconv.Quote(n.str))
		}
		return fmt.Sprintf("copy(%s, %s)", dst, n.v.Go)
	case kBool:
		return fmt.Sprintf("%s[0] = runtime.Bit(%s)", dst, p.code(n))
	}
	code, bits := p.number(n, t), 8*t.Size
	if t.Size == 1 {
		return fmt.Sprintf("%s[0] = %s", dst, code)
	}
	p.imports("encoding/binary")
	return fmt.Sprintf("binary.LittleEndian.PutUint%d(%s, %s)", bits, dst, code)
}

// number is a number as an unsigned one of a type's size.
func (p *goPrinter) number(n *node, t Type) string {
	bits := 8 * t.Size
	switch {
	case n.isConst() && n.num[0] == n.num[1]:
		return unsigned(n.num[0] & (^uint64(0) >> (64 - bits)))
	case n.op == opVar && n.v.Size == t.Size && !n.typ.Signed && !strings.HasPrefix(n.v.Path, "params."):
		return n.v.Go
	}
	return fmt.Sprintf("uint%d(%s)", bits, p.code(n))
}
