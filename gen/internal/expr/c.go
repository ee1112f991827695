// SPDX-License-Identifier: Apache-2.0

package expr

import (
	"errors"
	"fmt"
	"strings"
)

// What C compares byte by byte, or copies, has bounds: each byte is a handful
// of instructions.
const (
	longestInC = 64  // bytes of an array or a text that are looked at one by one
	longestEnd = 16  // bytes of what a string ends with
	longestLit = 256 // bytes of what a string is equal to or begins with
)

// InC is nil when C, and so the kernel, can compute the value; else it says
// why not.
func (e *Expr) InC() error {
	var why error
	e.root.each(func(n *node) {
		if why == nil {
			why = n.inC()
		}
	})
	if why == nil && e.root.kind == kStr {
		e.root.each(func(n *node) {
			if n.kind == kStr && n.op == opVar && n.v.Type == "TypeText" && n.v.Room > longestInC {
				why = fmt.Errorf("%s may have %d bytes, and a key in the kernel has at most %d of a text", n.v.Path, n.v.Room-1, longestInC)
			}
			if n.kind == kStr && n.op == opVar && n.v.Type == "TypeString" && n.v.Size > 4*longestInC {
				why = fmt.Errorf("%s has %d bytes, and a key in the kernel has at most %d of a string", n.v.Path, n.v.Size, 4*longestInC)
			}
		})
	}
	return why
}

// inC says why C cannot do what the node itself does.
func (n *node) inC() error {
	switch n.op {
	case opVar:
		return n.v.Why
	case opMatches:
		return errors.New("matches needs RE2")
	case opContains:
		return errors.New("contains has no bound that the kernel would accept")
	case opStarts, opEnds:
		x, y := n.args[0], n.args[1]
		name := "startsWith"
		if n.op == opEnds {
			name = "endsWith"
		}
		switch {
		case x.op != opVar || !y.isConst():
			return fmt.Errorf("%s of two fields", name)
		case len(y.str) > longestLit, n.op == opEnds && x.v.Type == "TypeString" && len(y.str) > longestEnd:
			return fmt.Errorf("%s of %d bytes", name, len(y.str))
		case n.op == opEnds && x.v.Type == "TypeString" && x.v.Size > longestInC:
			return fmt.Errorf("%s has %d bytes, and endsWith looks at no more than %d in the kernel", x.v.Path, x.v.Size, longestInC)
		}
	case opSize:
		if x := n.args[0]; x.op == opVar && x.v.Type == "TypeString" && x.v.Size > longestInC {
			return fmt.Errorf("%s has %d bytes, and size looks at no more than %d in the kernel", x.v.Path, x.v.Size, longestInC)
		}
	case opCmp:
		x, y := n.args[0], n.args[1]
		if x.kind != kStr {
			return nil
		}
		if x.op == opVar && y.op == opVar {
			for _, v := range []*Var{x.v, y.v} {
				if v.Type == "TypeText" {
					return fmt.Errorf("%s is compared with another field, and a text has no bound that the kernel would accept", v.Path)
				}
				if v.Size > longestInC {
					return fmt.Errorf("%s has %d bytes, and the kernel compares no more than %d of two fields", v.Path, v.Size, longestInC)
				}
			}
		}
		if text := len(x.str) + len(y.str); text > longestLit {
			return fmt.Errorf("a string of %d bytes is compared", text)
		}
	}
	return nil
}

// C is the value as a C expression: an int that is 0 or 1, a __u64 or a __s64.
// It needs expr.h and the v that its names are members of. It has no
// parentheses around it. It is "" when the value is no condition and no
// number: StoreC writes those.
func (e *Expr) C() string {
	if e.root.kind != kBool && e.root.kind != kNum {
		return ""
	}
	return cOf(e.root)
}

// cArg is a node as an operand.
func cArg(n *node) string {
	code := cOf(n)
	if n.op == opVar && n.kind == kNum || isCall(code) || n.isConst() && !strings.HasPrefix(code, "-") {
		return code
	}
	return "(" + code + ")"
}

// isCall reports whether code is one call, and so needs no parentheses.
func isCall(code string) bool {
	i := strings.IndexByte(code, '(')
	if i <= 0 || code[len(code)-1] != ')' {
		return false
	}
	for _, c := range []byte(code[:i]) {
		if !isLetter(c) && !isDigit(c) && c != '.' {
			return false
		}
	}
	depth := 0
	for j := i; j < len(code); j++ {
		switch code[j] {
		case '"', '`':
			return false // strings may hold parentheses
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 && j < len(code)-1 {
				return false
			}
		}
	}
	return depth == 0
}

func cType(signed bool) string {
	if signed {
		return "__s64"
	}
	return "__u64"
}

// cNumber is a constant.
func cNumber(num both, signed bool) string {
	one := func(n uint64) string {
		switch {
		case !signed:
			return unsigned(n) + "ULL"
		case int64(n) == -1<<63:
			return "(-9223372036854775807LL - 1)"
		}
		return fmt.Sprintf("%dLL", int64(n))
	}
	if num[0] == num[1] {
		return one(num[0])
	}
	return "INGRAIN_ON(" + one(num[0]) + ", " + one(num[1]) + ")"
}

// unsigned writes large numbers as bits.
func unsigned(n uint64) string {
	if n >= 1<<32 {
		return fmt.Sprintf("%#x", n)
	}
	return fmt.Sprint(n)
}

// cOf is a condition or a number.
func cOf(n *node) string {
	switch n.op {
	case opConst:
		if n.kind == kBool {
			return fmt.Sprint(n.num[0])
		}
		return cNumber(n.num, n.typ.Signed)
	case opVar:
		if n.kind == kBool {
			return n.v.C + " != 0"
		}
		return "(" + cType(n.typ.Signed) + ")" + n.v.C
	case opNot:
		return "!" + cParens(n.args[0])
	case opAnd:
		return cArg(n.args[0]) + " && " + cArg(n.args[1])
	case opOr:
		return cAlternatives(n)
	case opCond:
		return cArg(n.args[0]) + " ? " + cArg(n.args[1]) + " : " + cArg(n.args[2])
	case opCmp:
		return cCompare(n)
	case opArith:
		x, y := n.args[0], n.args[1]
		if n.args[0].typ.Signed {
			return fmt.Sprintf("ingrain_s%s(%s, %s)", arithName[n.sym], cOf(x), cOf(y))
		}
		if n.sym == "/" || n.sym == "%" {
			return fmt.Sprintf("ingrain_u%s(%s, %s)", arithName[n.sym], cOf(x), cOf(y))
		}
		return cArg(x) + " " + n.sym + " " + cArg(y)
	case opNeg:
		return "ingrain_ssub(0, " + cOf(n.args[0]) + ")"
	case opAbs:
		return "ingrain_sabs(" + cOf(n.args[0]) + ")"
	case opConv:
		if n.args[0].typ.Signed == n.typ.Signed {
			return cOf(n.args[0])
		}
		return "(" + cType(n.typ.Signed) + ")" + cParens(n.args[0])
	case opBits, opHasBits, opAnyBits:
		f := map[op]string{opBits: "and", opHasBits: "has", opAnyBits: "any"}[n.op]
		return "ingrain_bits_" + f + "(" + cOf(n.args[0]) + ", " + cNumber(n.num, false) + ")"
	case opStarts:
		return cStarts(n.args[0].v, n.args[1].str)
	case opEnds:
		return cEnds(n.args[0].v, n.args[1].str)
	case opSize:
		v := n.args[0].v
		if v.Type == "TypeText" {
			return "ingrain_text_len(&" + v.C + ")"
		}
		return fmt.Sprintf("ingrain_len(%s, %d)", v.C, v.Size)
	case opInNet:
		hi, lo := n.net.masks()
		f := "ingrain_in"
		if n.net.hides4() {
			f = "ingrain_in6"
		}
		return fmt.Sprintf("%s(%s, %#xULL, %#xULL, %#xULL, %#xULL)", f, cAddr(n.args[0]), n.net.hi, n.net.lo, hi, lo)
	}
	return "0"
}

// hides4 reports whether the masks of an IPv6 network would let IPv4 addresses
// through, which it does not contain.
func (a network) hides4() bool {
	hi, lo := a.masks()
	return !a.is4() && a.hi == 0&hi && a.lo == mapped&lo
}

var arithName = map[string]string{"+": "add", "-": "sub", "*": "mul", "/": "div", "%": "mod"}

// cParens is a node in parentheses, unless it is a call.
func cParens(n *node) string {
	if code := cOf(n); isCall(code) {
		return code
	}
	return "(" + cOf(n) + ")"
}

// cAlternatives is a || b || c, each but the last on a line of its own when
// there are many.
func cAlternatives(n *node) string {
	var parts []string
	for n.op == opOr {
		parts = append(parts, cArg(n.args[1]))
		n = n.args[0]
	}
	parts = append(parts, cArg(n))
	for i, j := 0, len(parts)-1; i < j; i, j = i+1, j-1 {
		parts[i], parts[j] = parts[j], parts[i]
	}
	return strings.Join(parts, " || ")
}

// cCompare is x sym y.
func cCompare(n *node) string {
	x, y := n.args[0], n.args[1]
	not := ""
	if n.sym == "!=" {
		not = "!"
	}
	switch x.kind {
	case kBool:
		return "(" + cOf(x) + ") " + n.sym + " (" + cOf(y) + ")"
	case kNum:
		return mixed(n, cOf, cArg, "ingrain_less_us", "ingrain_less_su", "ingrain_equal_us")
	case kAddr:
		return not + fmt.Sprintf("ingrain_same_addr(%s, %s)", cAddr(x), cAddr(y))
	case kNet:
		return not + fmt.Sprintf("ingrain_same_net(%s, %s)", cNet(x), cNet(y))
	case kRaw:
		if x.isConst() {
			x, y = y, x
		}
		if !y.isConst() {
			return fmt.Sprintf("__builtin_memcmp(&%s, &%s, %d) %s 0", x.v.C, y.v.C, x.typ.Size, n.sym)
		}
		return cBytes("&"+x.v.C, align(x.v), x.typ.Size, []byte(y.str), n.sym)
	}
	if x.isConst() {
		x, y = y, x
	}
	if !y.isConst() {
		return not + fmt.Sprintf("ingrain_same_str(%s, %d, %s, %d)", x.v.C, x.v.Size, y.v.C, y.v.Size)
	}
	if x.v.Type == "TypeText" {
		if y.str == "" {
			return fmt.Sprintf("ingrain_text_len(&%s) %s 0", x.v.C, n.sym)
		}
		return not + cText("is", x.v, y.str)
	}
	want := []byte(y.str)
	if len(want) < x.v.Size {
		want = append(want, 0)
	}
	return cBytes(x.v.C, align(x.v), x.v.Size, want, n.sym)
}

// mixed compares two numbers. One with a sign and one without are compared as
// numbers of any size, by helpers.
func mixed(n *node, whole, operand func(*node) string, lessUS, lessSU, equal string) string {
	x, y := n.args[0], n.args[1]
	if x.typ.Signed == y.typ.Signed {
		return operand(x) + " " + n.sym + " " + operand(y)
	}
	a, b := whole(x), whole(y)
	lessXY, lessYX := lessUS, lessSU // x is the unsigned one
	if x.typ.Signed {
		lessXY, lessYX = lessSU, lessUS
	}
	switch n.sym {
	case "==", "!=":
		if x.typ.Signed {
			a, b = b, a
		}
		if n.sym == "!=" {
			equal = "!" + equal
		}
		return equal + "(" + a + ", " + b + ")"
	case "<":
		return lessXY + "(" + a + ", " + b + ")"
	case ">=":
		return "!" + lessXY + "(" + a + ", " + b + ")"
	case ">":
		return lessYX + "(" + b + ", " + a + ")"
	}
	return "!" + lessYX + "(" + b + ", " + a + ")"
}

func align(v *Var) int { return max(v.Align, 1) }

// load is a piece of memory that is compared at once.
type load struct {
	at, width int
	mask      uint64
	value     uint64
}

// loads cuts a comparison of the first bytes of size into as few loads as the
// alignment allows.
func loads(align, size int, want []byte) []load {
	var all []load
	for at := 0; at < len(want); {
		width := 8
		for width > align || at%width != 0 || at+width > size {
			width /= 2
		}
		l := load{at: at, width: width}
		for i := 0; i < width && at+i < len(want); i++ {
			l.mask |= 0xff << (8 * i)
			l.value |= uint64(want[at+i]) << (8 * i)
		}
		all = append(all, l)
		at += width
	}
	return all
}

// cBytes compares the bytes at an address with constant ones.
func cBytes(from string, align, size int, want []byte, sym string) string {
	return cLoads(loads(align, size, want), sym, func(l load) string {
		return fmt.Sprintf("ingrain_load%d(%s, %d)", 8*l.width, from, l.at)
	})
}

// cLoads compares loads with what they should be. Many are compared without a
// branch each.
func cLoads(all []load, sym string, read func(load) string) string {
	part := func(l load) string {
		code := read(l)
		if l.mask != ^uint64(0)>>(64-8*l.width) {
			code = fmt.Sprintf("(%s & %#xULL)", code, l.mask)
		}
		return code
	}
	if len(all) == 1 {
		return fmt.Sprintf("%s %s %#xULL", part(all[0]), sym, all[0].value)
	}
	var parts []string
	for _, l := range all {
		parts = append(parts, fmt.Sprintf("(%s ^ %#xULL)", part(l), l.value))
	}
	return "(" + strings.Join(parts, " | ") + ") " + sym + " 0"
}

// base is the pointer whose member a name is: v of v->path.
func base(v *Var) string {
	of, _, _ := strings.Cut(v.C, "->")
	return of
}

// cText compares a text with constant bytes: whole ("is"), its beginning
// ("begins") or its end ("ends").
func cText(how string, v *Var, want string) string {
	size := v.Room
	if how == "ends" {
		size = len(want) // what is behind may be outside
	}
	all := loads(8, size, []byte(want))
	for i, j := 0, 0; i < len(all); i++ { // alignment is that of the loads themselves
		all[i].at = j
		j += all[i].width
	}
	read := func(l load) string { return fmt.Sprintf("ingrain_raw%d(at, %d)", 8*l.width, l.at) }
	return fmt.Sprintf("({ const char *at = ingrain_text_%s(%s + 1, &%s, INGRAIN_TAIL_ROOM, %d, %d); at && %s; })",
		how, base(v), v.C, v.Room, len(want), cLoads(all, "==", read))
}

func cStarts(v *Var, want string) string {
	if v.Type == "TypeText" {
		return cText("begins", v, want)
	}
	return cBytes(v.C, align(v), v.Size, []byte(want), "==")
}

func cEnds(v *Var, want string) string {
	if v.Type == "TypeText" {
		return cText("ends", v, want)
	}
	var last, before uint64
	for i := range len(want) {
		before = before<<8 | last>>56
		last = last<<8 | uint64(want[i])
	}
	return fmt.Sprintf("ingrain_ends(%s, %d, %d, %#xULL, %#xULL)", v.C, v.Size, len(want), last, before)
}

// cAddr is an address as a struct ingrain_addr.
func cAddr(n *node) string {
	switch {
	case n.isConst():
		return fmt.Sprintf("ingrain_addr(%#xULL, %#xULL)", n.net.hi, n.net.lo)
	case n.v.Type == "TypeIP4":
		return "ingrain_ip4(" + n.v.C + ")"
	}
	return "ingrain_ip(&" + n.v.C + ")"
}

// cNet is a network as a struct ingrain_net.
func cNet(n *node) string {
	if n.isConst() {
		return fmt.Sprintf("ingrain_net(%#xULL, %#xULL, %d)", n.net.hi, n.net.lo, n.net.bits)
	}
	return fmt.Sprintf("ingrain_cidr(%s, %d, %d)", cAddr(n.args[0]), n.keep[0], n.keep[1])
}

// StoreC is C statements that write the value to dst, a member declared by
// Type().C. They write all of it.
func (e *Expr) StoreC(dst string) string { return cStore(e.root, e.root.typ, dst) }

func cStore(n *node, t Type, dst string) string {
	if n.op == opCond && n.kind != kNum && n.kind != kBool {
		return fmt.Sprintf("if (%s) {\n%s\n} else {\n%s\n}", cOf(n.args[0]), cStore(n.args[1], t, dst), cStore(n.args[2], t, dst))
	}
	switch n.kind {
	case kStr:
		switch {
		case n.isConst():
			return fmt.Sprintf("__builtin_memset(%s, 0, %d);\n__builtin_memcpy(%s, %s, %d);", dst, t.Size, dst, cQuote(n.str), len(n.str))
		case n.v.Type == "TypeText":
			return fmt.Sprintf("ingrain_store_text(%s, %d, %s + 1, &%s, INGRAIN_TAIL_ROOM, %d);", dst, t.Size, base(n.v), n.v.C, n.v.Room)
		}
		return fmt.Sprintf("ingrain_store_str(%s, %d, %s, %d, %d);", dst, t.Size, n.v.C, n.v.Size, align(n.v))
	case kAddr:
		if n.op == opVar && n.v.Type == t.Type {
			return dst + " = " + n.v.C + ";"
		}
		return fmt.Sprintf("ingrain_store_addr(&%s, %s);", dst, cAddr(n))
	case kNet:
		return fmt.Sprintf("ingrain_store_net(%s, %s);", dst, cNet(n))
	case kRaw:
		if n.isConst() {
			return fmt.Sprintf("__builtin_memcpy(%s, %s, %d);", dst, cQuote(n.str), len(n.str))
		}
		return fmt.Sprintf("__builtin_memcpy(%s, &%s, %d);", dst, n.v.C, n.typ.Size)
	}
	if n.op == opVar && n.kind == kNum {
		return dst + " = " + n.v.C + ";"
	}
	return dst + " = " + cOf(n) + ";"
}

// cQuote is a string in C. Escapes are octal, of three digits, so that no
// digit behind them is one of theirs.
func cQuote(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(text) {
		c := text[i]
		if c < ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '?' {
			fmt.Fprintf(&b, `\%03o`, c)
		} else {
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
