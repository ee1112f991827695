// SPDX-License-Identifier: Apache-2.0

package expr

import (
	"bytes"
	"encoding/binary"
	"regexp"
	"runtime"
)

// Value is a value that an expression is evaluated on, or has.
type Value struct {
	Num   uint64 // numbers, those with a sign extended to 64 bits; 1 for true
	Bytes []byte // strings, addresses, byte arrays as they are in memory; networks
	Null  bool   // of a text: it could not be read, or nobody set it
}

// Eval is what an expression means: C() and Go() mean the same. get gives the
// values of names. Constants that differ are those of the architecture that
// this runs on.
func (e *Expr) Eval(get func(path string) Value) Value {
	w := &walker{get: get}
	if runtime.GOARCH == "arm64" {
		w.arch = 1
	}
	return w.eval(e.root)
}

// walker goes through a tree for one event.
type walker struct {
	get  func(path string) Value
	arch int
}

// evalOn is the value of a node that needs no names, on an architecture.
func evalOn(n *node, arch int) Value {
	w := &walker{arch: arch}
	return w.eval(n)
}

func truth(b bool) Value {
	if b {
		return Value{Num: 1}
	}
	return Value{}
}

func (w *walker) eval(n *node) Value {
	switch n.op {
	case opConst:
		switch n.kind {
		case kStr, kRaw:
			return Value{Bytes: []byte(n.str)}
		case kAddr:
			return Value{Bytes: n.net.address()}
		case kNet:
			return Value{Bytes: n.net.bytes()}
		}
		return Value{Num: n.num[w.arch]}
	case opVar:
		v := w.get(n.v.Path)
		if n.kind == kStr {
			return Value{Bytes: w.str(n)}
		}
		if n.kind == kBool {
			return truth(v.Num != 0)
		}
		return v
	case opNot:
		return truth(!w.is(n.args[0]))
	case opAnd:
		return truth(w.is(n.args[0]) && w.is(n.args[1]))
	case opOr:
		return truth(w.is(n.args[0]) || w.is(n.args[1]))
	case opCond:
		chosen := n.args[2]
		if w.is(n.args[0]) {
			chosen = n.args[1]
		}
		if n.kind == kAddr && n.typ.Size == 16 {
			return Value{Bytes: w.addr(chosen).address()}
		}
		return w.eval(chosen)
	case opCmp:
		return truth(w.compare(n))
	case opArith:
		return Value{Num: compute(n.sym, w.eval(n.args[0]).Num, w.eval(n.args[1]).Num, n.args[0].typ.Signed)}
	case opNeg:
		return Value{Num: -w.eval(n.args[0]).Num}
	case opAbs:
		if v := w.eval(n.args[0]).Num; int64(v) < 0 {
			return Value{Num: -v}
		} else {
			return Value{Num: v}
		}
	case opConv:
		return w.eval(n.args[0])
	case opBits:
		return Value{Num: w.eval(n.args[0]).Num & n.num[w.arch]}
	case opHasBits:
		return truth(w.eval(n.args[0]).Num&n.num[w.arch] == n.num[w.arch])
	case opAnyBits:
		return truth(w.eval(n.args[0]).Num&n.num[w.arch] != 0)
	case opStarts:
		return truth(bytes.HasPrefix(w.str(n.args[0]), w.str(n.args[1])))
	case opEnds:
		return truth(bytes.HasSuffix(w.str(n.args[0]), w.str(n.args[1])))
	case opContains:
		return truth(bytes.Contains(w.str(n.args[0]), w.str(n.args[1])))
	case opMatches:
		return truth(regexp.MustCompile(n.str).Match(w.str(n.args[0])))
	case opSize:
		return Value{Num: uint64(len(w.str(n.args[0])))}
	case opNet:
		return Value{Bytes: w.addr(n.args[0]).masked(n.keep).bytes()}
	case opInNet:
		return truth(n.net.contains(w.addr(n.args[0])))
	}
	return Value{}
}

func (w *walker) is(n *node) bool { return w.eval(n).Num != 0 }

// str is the bytes of a string.
func (w *walker) str(n *node) []byte {
	if n.op != opVar {
		return w.eval(n).Bytes
	}
	v := w.get(n.v.Path)
	if v.Null {
		return nil
	}
	if i := bytes.IndexByte(v.Bytes, 0); i >= 0 {
		return v.Bytes[:i]
	}
	return v.Bytes
}

// addr is an address as two words.
func (w *walker) addr(n *node) network {
	b := w.eval(n).Bytes
	switch len(b) {
	case 4:
		return network{lo: mapped | uint64(binary.LittleEndian.Uint32(b))<<32}
	case 16:
		return network{hi: binary.LittleEndian.Uint64(b), lo: binary.LittleEndian.Uint64(b[8:])}
	}
	return network{}
}

func (w *walker) compare(n *node) bool {
	x, y := n.args[0], n.args[1]
	switch x.kind {
	case kStr:
		return bytes.Equal(w.str(x), w.str(y)) == (n.sym == "==")
	case kAddr:
		return (w.addr(x) == w.addr(y)) == (n.sym == "==")
	case kNet, kRaw:
		return bytes.Equal(w.eval(x).Bytes, w.eval(y).Bytes) == (n.sym == "==")
	}
	a, b := w.eval(x).Num, w.eval(y).Num
	less, equal := a < b, a == b
	switch sx, sy := x.typ.Signed, y.typ.Signed; {
	case sx && sy:
		less = int64(a) < int64(b)
	case sx && int64(a) < 0:
		less, equal = true, false
	case sy && int64(b) < 0:
		less, equal = false, false
	}
	switch n.sym {
	case "==":
		return equal
	case "!=":
		return !equal
	case "<":
		return less
	case "<=":
		return less || equal
	case ">":
		return !less && !equal
	}
	return !less
}

// compute is a sym b: it wraps, and what is divided by 0 is 0.
func compute(sym string, a, b uint64, signed bool) uint64 {
	switch sym {
	case "+":
		return a + b
	case "-":
		return a - b
	case "*":
		return a * b
	}
	switch {
	case b == 0:
		return 0
	case sym == "/" && signed:
		return uint64(int64(a) / int64(b))
	case sym == "/":
		return a / b
	case signed:
		return uint64(int64(a) % int64(b))
	}
	return a % b
}

// mapped is what ::ffff:0.0.0.0 has in its lower word, as read from memory.
const mapped = 0xffff0000

func (a network) is4() bool { return a.hi == 0 && uint32(a.lo) == mapped }

// mask is the two words of which the first bits of an address are set.
func mask(bits int) (hi, lo uint64) {
	var b [16]byte
	for i := range bits {
		b[i/8] |= 0x80 >> (i % 8)
	}
	return binary.LittleEndian.Uint64(b[:8]), binary.LittleEndian.Uint64(b[8:])
}

// masked is the network that an address is in, of which the first keep[0] bits
// stay when it is IPv4, keep[1] when it is IPv6.
func (a network) masked(keep [2]int) network {
	bits, all := keep[1], keep[1]
	if a.is4() {
		bits, all = keep[0], 96+keep[0]
	}
	hi, lo := mask(all)
	return network{a.hi & hi, a.lo & lo, uint8(bits)}
}

// masks are those that find whether an address is in the network.
func (a network) masks() (hi, lo uint64) {
	if a.is4() {
		return mask(96 + int(a.bits))
	}
	return mask(int(a.bits))
}

func (a network) contains(b network) bool {
	hi, lo := a.masks()
	return b.hi&hi == a.hi && b.lo&lo == a.lo && (a.is4() || !b.is4())
}

func (a network) address() []byte {
	return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, a.hi), a.lo)
}

func (a network) bytes() []byte { return append(a.address(), a.bits) }
