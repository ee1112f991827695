// SPDX-License-Identifier: Apache-2.0

package expr_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/redsift/ingraind/gen/internal/expr"
)

// field is a member of the event that expressions are tried on.
type field struct {
	expr.Var
	decl   string // in C
	align  int    // of its type
	offset int
}

// colors are the test's C enum.
var colors = []expr.EnumValue{{Name: "RED", Value: 1}, {Name: "GREEN", Value: 2}, {Name: "BLUE", Value: 0x80000000}}

// fields are the members, each kind of value at least once.
var fields = layout([]field{
	str("comm", 16), num("u64", "TypeUint", "__u64", 8, false), num("s64", "TypeInt", "__s64", 8, true),
	num("latency", "TypeDuration", "nsecs_t", 8, false), num("amount", "TypeBytes", "bytes_t", 8, false),
	num("begun", "TypeMoment", "moment_t", 8, false), num("ended", "TypeMoment", "moment_t", 8, false),
	other("peer", "TypeIP", "ip_t peer", 16, 4), other("local", "TypeIP", "ip_t local", 16, 4), other("peer4", "TypeIP4", "ip4_t peer4", 4, 4),
	num("u32", "TypeUint", "__u32", 4, false), num("s32", "TypeInt", "__s32", 4, true),
	num("error", "TypeErrno", "errno_t", 4, true), num("signal", "TypeSignal", "signal_t", 4, true), num("nr", "TypeSyscall", "syscall_t", 4, true),
	num("flags", "TypeInt", "__s32", 4, true), num("pid", "TypePID", "pid_t", 4, true), num("color", "TypeEnum", "enum color", 4, false),
	text("path", 32), text("file", 64),
	num("u16", "TypeUint", "__u16", 2, false), num("s16", "TypeInt", "__s16", 2, true), num("port", "TypePort", "port_t", 2, false),
	num("sizes.0", "TypeUint", "__u16", 2, false), num("sizes.1", "TypeUint", "__u16", 2, false),
	num("u8", "TypeUint", "__u8", 1, false), num("s8", "TypeInt", "__s8", 1, true), other("flag", "TypeBool", "bool flag", 1, 1),
	other("mac", "TypeMAC", "mac_t mac", 6, 1), str("name", 7), str("word", 20), other("raw", "TypeHex", "__u8 raw[5]", 5, 1), other("raw2", "TypeHex", "__u8 raw2[5]", 5, 1),
})

// params are the test's params.
var params = []expr.Var{
	{Path: "params.least", Type: "TypeBytes", Size: 8, Signed: true, C: "PARAM_least", Go: "params[0]"},
	{Path: "params.wait", Type: "TypeDuration", Size: 8, Signed: true, C: "PARAM_wait", Go: "params[1]"},
	{Path: "params.loud", Type: "TypeBool", Size: 8, Signed: true, C: "PARAM_loud", Go: "params[2]"},
}

var paramValues = map[string]uint64{"params.least": 4096, "params.wait": 10e6, "params.loud": 1}

func num(path, typ, decl string, size int, signed bool) field {
	f := field{Var: expr.Var{Path: path, Type: typ, Size: size, Signed: signed}, align: size, decl: decl + " " + path}
	if typ == "TypeEnum" {
		f.Enum = colors
	}
	return f
}

func other(path, typ, decl string, size, align int) field {
	return field{Var: expr.Var{Path: path, Type: typ, Size: size}, align: align, decl: decl}
}

func str(path string, size int) field {
	return other(path, "TypeString", fmt.Sprintf("char %s[%d]", path, size), size, 1)
}

func text(path string, room int) field {
	f := other(path, "TypeText", fmt.Sprintf("text(%d) %s", room, path), 8, 4)
	f.Room = room
	return f
}

// layout places the members as C does, and says how C and Go reach them.
func layout(all []field) []field {
	at := 0
	for i := range all {
		f := &all[i]
		at = (at + f.align - 1) / f.align * f.align
		f.offset = at
		at += f.Size
		for f.Align = 8; f.offset%f.Align != 0; {
			f.Align /= 2
		}
		member, index, array := strings.Cut(f.Path, ".")
		f.C = "v->" + member
		if array {
			f.C += "[" + index + "]"
			f.decl = ""
			if index == "0" {
				f.decl = "__u16 " + member + "[2]"
			}
		}
		bits := 8 * f.Size
		bytes := fmt.Sprintf("v[%d:%d]", f.offset, f.offset+f.Size)
		switch f.Type {
		case "TypeString":
			f.Go = "runtime.CString(" + bytes + ")"
		case "TypeText":
			f.Go = "runtime.Tail(tail, " + bytes + ")"
		case "TypeIP", "TypeIP4", "TypeMAC", "TypeHex":
			f.Go = bytes
		case "TypeBool":
			f.Go = fmt.Sprintf("(v[%d] != 0)", f.offset)
		default:
			f.Go = fmt.Sprintf("binary.LittleEndian.Uint%d(%s)", bits, bytes)
			if f.Size == 1 {
				f.Go = fmt.Sprintf("v[%d]", f.offset)
			}
			if f.Signed {
				f.Go = fmt.Sprintf("int%d(%s)", bits, f.Go)
			}
		}
	}
	return all
}

// room is what texts have behind the event.
const room = 192

// fixed is the size of the struct.
var fixed = (fields[len(fields)-1].offset + fields[len(fields)-1].Size + 7) / 8 * 8

func allVars() []expr.Var {
	vars := append([]expr.Var(nil), params...)
	for _, f := range fields {
		vars = append(vars, f.Var)
	}
	return vars
}

// structC declares the event, and says where Go thinks that its members are.
func structC() string {
	var b strings.Builder
	b.WriteString("enum color { RED = 1, GREEN = 2, BLUE = 0x80000000 };\nstruct _data_e {\n")
	for _, f := range fields {
		if f.decl != "" {
			fmt.Fprintf(&b, "\t%s;\n", f.decl)
		}
	}
	b.WriteString("} __attribute__((aligned(8)));\n")
	for _, f := range fields {
		fmt.Fprintf(&b, "_Static_assert(__builtin_offsetof(struct _data_e, %s) == %d, \"%s\");\n", strings.TrimPrefix(f.C, "v->"), f.offset, f.Path)
	}
	fmt.Fprintf(&b, "_Static_assert(sizeof(struct _data_e) == %d, \"size\");\n", fixed)
	return b.String()
}

// event is one event as it is in memory, and as expressions see it.
type event struct {
	bytes  []byte // the struct, and room bytes behind it
	values map[string]expr.Value
}

// strings that fields have and expressions look for.
var pool = []string{"", "a", "b", "ab", "nginx", "apache2", "/etc/passwd", "/etc/", "passwd", "/tmp/a", "x.conf", ".conf", "aaaaaaaa", "aaaaaaab", "0123456789abcdef", "0123456789abcde", "0123456", "abcdefghijklmnopqrst", "/usr/lib/x86_64/libc.so.6", "libc.so.6", "/usr/"}

var numbers = []uint64{0, 1, 2, 3, 7, 8, 9, 11, 22, 64, 80, 100, 111, 127, 128, 255, 256, 257, 443, 1000, 4096, 0x7fff, 0x8000, 0xffff, 10e6, 10e6 + 1, 1 << 31, 1<<31 - 1, 1<<32 - 1, 1 << 32, 1<<63 - 1, 1 << 63, 1<<64 - 2, 1<<64 - 1}

var addresses = [][]byte{
	v4(10, 0, 0, 1), v4(10, 0, 0, 200), v4(10, 1, 0, 1), v4(192, 168, 1, 1), v4(0, 0, 0, 0), v4(255, 255, 255, 255), make([]byte, 16),
	{0x20, 1, 0xd, 0xb8, 15: 1}, {0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 1, 15: 1}, {0xfe, 0x80, 15: 9}, bytes.Repeat([]byte{0xff}, 16), {11: 0xfe, 12: 10, 15: 1},
}

func v4(a, b, c, d byte) []byte { return []byte{10: 0xff, 11: 0xff, 12: a, 13: b, 14: c, 15: d} }

// randomEvent makes an event.
func randomEvent(r *rand.Rand) event {
	e := event{bytes: make([]byte, fixed+room), values: map[string]expr.Value{}}
	for i := range e.bytes { // what nobody wrote is anything
		e.bytes[i] = byte(r.Uint32())
	}
	for path, n := range paramValues {
		e.values[path] = expr.Value{Num: n}
	}
	tail := 0
	for _, f := range fields {
		b := e.bytes[f.offset : f.offset+f.Size]
		v := expr.Value{}
		switch f.Type {
		case "TypeString":
			s := pool[r.IntN(len(pool))]
			if n := copy(b, s); n < len(b) {
				b[n] = 0
			}
			v.Bytes = bytes.Clone(b)
		case "TypeText":
			s := pool[r.IntN(len(pool))]
			s = s[:min(len(s), f.Room-1)]
			state := []uint32{4, 4, 4, 4, 5, 0, 6}[r.IntN(7)]
			if v.Null = state&6 != 4; v.Null {
				s = ""
			}
			copy(e.bytes[fixed+tail:], s)
			binary.LittleEndian.PutUint16(b, uint16(tail))
			binary.LittleEndian.PutUint16(b[2:], uint16(len(s)))
			binary.LittleEndian.PutUint32(b[4:], state)
			tail += len(s)
			v.Bytes = []byte(s)
		case "TypeIP":
			v.Bytes = addresses[r.IntN(len(addresses))]
			copy(b, v.Bytes)
		case "TypeIP4":
			v.Bytes = addresses[r.IntN(6)][12:]
			copy(b, v.Bytes)
		case "TypeMAC", "TypeHex":
			v.Bytes = [][]byte{{1, 2, 3, 4, 5, 6}, {2, 0, 0, 0, 0, 1}, {0, 1, 2, 3, 4, 255}, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}[r.IntN(4)][:f.Size]
			copy(b, v.Bytes)
		case "TypeBool":
			v.Num = r.Uint64N(2)
			b[0] = byte(v.Num)
		default:
			n := numbers[r.IntN(len(numbers))]
			if r.IntN(3) == 0 {
				n = -n
			}
			shift := 64 - 8*f.Size
			if f.Signed {
				n = uint64(int64(n<<shift) >> shift)
			} else {
				n = n << shift >> shift
			}
			v.Num = n
			for i := range b {
				b[i] = byte(n >> (8 * i))
			}
		}
		e.values[f.Path] = v
	}
	return e
}
