// SPDX-License-Identifier: Apache-2.0

package expr_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

// author writes random expressions.
type author struct {
	*rand.Rand
	cel bool // only what CEL proper takes, with its types
}

func (a *author) one(of ...string) string { return of[a.IntN(len(of))] }

// field is the name of a random field that fits.
func (a *author) field(fits func(field) bool) string {
	var all []string
	for _, f := range fields {
		if fits(f) {
			name, index, array := strings.Cut(f.Path, ".")
			if array {
				if a.cel {
					continue
				}
				name += "[" + index + "]"
			}
			all = append(all, name)
		}
	}
	return a.one(all...)
}

func plainNumber(f field) bool {
	switch f.Type {
	case "TypeUint", "TypeInt", "TypePort", "TypePID", "TypeEnum", "TypeErrno":
		return true
	}
	return false
}

// condition is something true or false.
func (a *author) condition(depth int) string {
	if depth <= 0 {
		return a.test(0)
	}
	switch a.IntN(12) {
	case 0, 1:
		return fmt.Sprintf("%s && %s", a.operand(depth-1), a.operand(depth-1))
	case 2, 3:
		return fmt.Sprintf("%s || %s", a.operand(depth-1), a.operand(depth-1))
	case 4:
		return "!(" + a.condition(depth-1) + ")"
	case 5:
		return fmt.Sprintf("(%s ? %s : %s)", a.operand(depth-1), a.operand(depth-1), a.operand(depth-1))
	case 6:
		return fmt.Sprintf("(%s) %s (%s)", a.condition(depth-1), a.one("==", "!="), a.condition(depth-1))
	}
	return a.test(depth - 1)
}

func (a *author) operand(depth int) string { return "(" + a.condition(depth) + ")" }

// test is a comparison, or a function that is true or false.
func (a *author) test(depth int) string {
	if a.cel {
		switch a.IntN(8) {
		case 0, 1, 2, 3:
			return fmt.Sprintf("%s %s %s", a.number(depth, a.IntN(2) == 0), a.one("==", "!=", "<", "<=", ">", ">="), a.number(depth, a.IntN(2) == 0))
		case 4:
			signed := a.IntN(2) == 0
			return fmt.Sprintf("%s in [%s, %s]", a.number(0, signed), a.literal(signed), a.literal(signed))
		case 5:
			return a.one("flag", "!flag")
		}
		return a.strings(depth)
	}
	switch a.IntN(16) {
	case 0, 1, 2, 3:
		x, y := a.number(depth, a.IntN(2) == 0), a.number(depth, a.IntN(2) == 0)
		if a.IntN(2) == 0 {
			y = strconv.FormatUint(numbers[a.IntN(len(numbers))], 10)
		}
		if a.IntN(4) == 0 {
			x, y = y, x
		}
		return fmt.Sprintf("%s %s %s", x, a.one("==", "!=", "<", "<=", ">", ">="), y)
	case 4:
		return fmt.Sprintf("%s in [%s, %s, %s]", a.number(depth, true), a.literal(true), a.literal(true), a.number(0, true))
	case 5:
		return a.one("flag", "params.loud", "!flag", "flag == params.loud",
			"error == ECONNREFUSED", "EPERM != error", "error in [EPERM, ENOENT, 5]", "s32 + 1 == error", "(flag ? error : s32) == 1",
			"signal == SIGKILL", "signal in [SIGHUP, SIGTERM]", "nr == openat", "nr in [read, futex, accept]", "color == RED", "color in [BLUE, GREEN]", "color > GREEN",
			"signal == (flag ? SIGSEGV : SIGKILL)")
	case 6:
		return a.one("latency > 10ms", "amount >= 4KiB", "latency > params.wait", "amount < params.least", "ended - begun > 1us", "latency * 2 < 20ms",
			"latency / 1ms == 10", "amount / 1KiB >= 4", "ended > begun + 10ms", "uint(params.least) == amount", "latency % 1000 == 1", "amount * 8 > 1MiB", "latency == 10ms")
	case 7:
		x := a.one("peer", "local", "peer4", "(flag ? peer : local)", "(flag ? peer : peer4)", `ip("::ffff:10.0.0.1")`)
		return fmt.Sprintf("%s %s %s", x, a.one("==", "!="), a.one("peer", "local", "peer4", `ip("10.0.0.1")`, `ip("2001:db8::1")`, `ip("::")`, "(u8 > 9 ? peer4 : peer)"))
	case 8:
		return fmt.Sprintf("cidr(%q).containsIP(%s)", a.one("10.0.0.0/8", "10.0.0.0/24", "0.0.0.0/0", "10.0.0.1/32", "2001:db8::/32", "::/0", "::/80", "::/96", "fe80::/10", "2001:db8::1/128", "192.168.0.0/15"), a.one("peer", "local", "peer4", "(flag ? local : peer4)"))
	case 9:
		return fmt.Sprintf("cidr(%s) %s cidr(%s)", a.one("peer, 24", "local, 8, 32", "peer4, 0", "peer, 32, 128", "(flag ? peer : local), 13, 3"), a.one("==", "!="),
			a.one(`"10.0.0.0/24"`, `"10.0.0.0/8"`, `"2001:db8::/64"`, `"::/0"`, "local, 24", "peer, 24", `ip("10.0.0.77"), 24`))
	case 10:
		return a.one(`mac == mac("02:00:00:00:00:01")`, `mac != mac("ff:ff:ff:ff:ff:ff")`, `raw == b"\x01\x02\x03\x04\x05"`, "raw == raw2", `(flag ? raw : raw2) != b"\x02\x00\x00\x00\x00"`, `mac in [mac("01:02:03:04:05:06"), mac("02:00:00:00:00:01")]`)
	case 11:
		return fmt.Sprintf("bits.%s(%s, %s)", a.one("has", "any"), a.number(depth, a.IntN(2) == 0), a.one("1", "0x80", "O_CREAT", "O_CREAT, O_EXCL", "O_DIRECTORY", "S_IFMT", "0xff, 0x100", "8000000000000000000"))
	}
	return a.strings(depth)
}

// strings is a test of a string.
func (a *author) strings(depth int) string {
	s := a.string()
	lit := strconv.Quote(pool[a.IntN(len(pool))])
	switch a.IntN(8) {
	case 0, 1:
		return fmt.Sprintf("%s %s %s", s, a.one("==", "!="), lit)
	case 2:
		return fmt.Sprintf("%s in [%s, %s]", s, lit, a.one(`"nginx"`, `"a"`, `"ab"`))
	case 3:
		return fmt.Sprintf("%s.startsWith(%s)", s, lit)
	case 4:
		return fmt.Sprintf("%s.endsWith(%s)", s, lit)
	case 5:
		return fmt.Sprintf("%s.%s(%s)", s, a.one("contains", "startsWith", "endsWith"), a.one(`"a"`, `"conf"`, lit, a.string()))
	case 6:
		return fmt.Sprintf("%s.matches(%s)", s, a.one(`"^/etc"`, `"[0-9]+$"`, `"a|b"`))
	}
	return fmt.Sprintf("%s %s %s", s, a.one("==", "!="), a.string())
}

func (a *author) string() string {
	if a.IntN(5) == 0 {
		return fmt.Sprintf("(%s ? %s : %s)", a.one("flag", "u8 > 7u"), a.one("comm", "path", "name"), a.one("file", "word", `"nginx"`))
	}
	return a.field(func(f field) bool { return f.Type == "TypeString" || f.Type == "TypeText" })
}

func (a *author) literal(signed bool) string {
	n := numbers[a.IntN(len(numbers))]
	if !signed {
		return strconv.FormatUint(n, 10) + "u"
	}
	if a.IntN(3) == 0 {
		return "-" + strconv.FormatUint(n>>1, 10)
	}
	return strconv.FormatUint(n>>1, 10)
}

// number is a number of a sign.
func (a *author) number(depth int, signed bool) string {
	leaf := func() string {
		return a.field(func(f field) bool { return plainNumber(f) && f.Signed == signed })
	}
	if depth <= 0 {
		return leaf()
	}
	switch a.IntN(10) {
	case 0, 1, 2:
		return fmt.Sprintf("(%s %s %s)", a.number(depth-1, signed), a.one("+", "-", "*", "/", "%"), a.number(depth-1, signed))
	case 3, 4:
		return fmt.Sprintf("(%s %s %s)", a.number(depth-1, signed), a.one("+", "-", "*", "/", "%"), a.literal(signed))
	case 5:
		return fmt.Sprintf("%s(%s)", map[bool]string{true: "int", false: "uint"}[signed], a.number(depth-1, !signed))
	case 6:
		return fmt.Sprintf("(%s ? %s : %s)", a.condition(depth-1), a.number(depth-1, signed), a.literal(signed))
	case 7:
		if signed {
			return "(-" + a.number(depth-1, true) + ")"
		}
		if a.cel {
			return leaf()
		}
		return a.one("size("+a.string()+")", "bits.and("+a.number(depth-1, a.IntN(2) == 0)+", O_ACCMODE, 0xf0)")
	}
	return leaf()
}

// value is anything that a key column can be.
func (a *author) value() string {
	switch a.IntN(6) {
	case 0:
		return a.number(2, a.IntN(2) == 0)
	case 1:
		return a.one("cidr(peer, 24)", "cidr(peer4, 8)", "cidr(local, 16, 48)", "(flag ? cidr(peer, 24) : cidr(local, 8))", `cidr("10.0.0.0/8")`,
			"peer", "peer4", "(flag ? peer : peer4)", `(flag ? ip("10.0.0.9") : local)`)
	case 2:
		return a.string()
	case 3:
		return a.one("mac", "raw", `(flag ? raw : b"abcde")`, "flag", "u8 > 7", `(flag ? "yes" : "no")`, `(u8 > 3 ? (flag ? comm : "none") : name)`)
	}
	return a.field(func(field) bool { return true })
}
