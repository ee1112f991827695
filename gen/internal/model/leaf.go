// SPDX-License-Identifier: Apache-2.0

package model

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/cilium/ebpf/btf"
)

// meanings are the decl_tags of ingrain.h's typedefs, and what they are to
// the runtime.
var meanings = map[string]string{
	"ip": "TypeIP", "ip4": "TypeIP4", "port": "TypePort", "bytes": "TypeBytes",
	"duration": "TypeDuration", "moment": "TypeMoment", "errno": "TypeErrno",
	"signal": "TypeSignal", "syscall": "TypeSyscall", "cgroup": "TypeCgroup",
	"interface": "TypeInterface", "mac": "TypeMAC",
}

// kernelNames are typedefs of the kernel whose names say what they hold.
var kernelNames = map[string]string{"pid_t": "TypePID", "uid_t": "TypeUser", "gid_t": "TypeGroup"}

// plainNames are typedefs that say a width and no more.
var plainNames = []string{
	"__u8", "__s8", "__u16", "__s16", "__u32", "__s32", "__u64", "__s64",
	"u8", "s8", "u16", "s16", "u32", "s32", "u64", "s64",
	"__be16", "__be32", "__be64", "size_t", "ssize_t", "loff_t", "umode_t", "dev_t", "bool",
}

// readableTypes ends messages about types that an event cannot carry.
const readableTypes = "write an integer (__u8 to __s64), bool, an enum, char[n], text(n), words(n), or a type of ingrain.h such as ip_t, port_t, bytes_t, nsecs_t"

// leafOf says what a value of type t means. It is nil, without an error, when
// t is a struct or an array of something else than characters and bytes.
func (b *binder) leafOf(t btf.Type) (*Leaf, error) {
	named := ""
	for {
		switch typ := t.(type) {
		case *btf.Typedef:
			for _, tag := range typ.Tags {
				if kind, ok := strings.CutPrefix(tag, "ingrain:"); ok {
					return meaningful(typ, kind)
				}
			}
			if kind, ok := kernelNames[typ.Name]; ok {
				return number(typ, kind)
			}
			if named == "" && !slices.Contains(plainNames, typ.Name) {
				named = typ.Name
			}
			t = typ.Type
			continue
		case *btf.Const:
			t = typ.Type
			continue
		case *btf.Volatile:
			t = typ.Type
			continue
		case *btf.Int:
			if named != "" {
				return nil, fmt.Errorf("type %s says nothing that rows could show; %s", named, readableTypes)
			}
			if typ.Encoding == btf.Bool {
				return &Leaf{Type: "TypeBool", Size: 1}, nil
			}
			return number(typ, "")
		case *btf.Enum:
			return &Leaf{Type: "TypeEnum", Size: int(typ.Size), Signed: typ.Signed, Enum: b.enum(typ)}, nil
		case *btf.Array:
			return characters(typ), nil
		case *btf.Struct:
			return tail(typ)
		case *btf.Union:
			return nil, fmt.Errorf("a union has no one meaning; write a member for each of its variants, or an event for each")
		case *btf.Pointer:
			return nil, fmt.Errorf("a pointer means nothing outside the kernel; copy what it points to (text_kernel, text_user, BPF_CORE_READ), or write __u64 for the address itself")
		case *btf.Float:
			return nil, fmt.Errorf("BPF has no floating point; write an integer")
		default:
			return nil, fmt.Errorf("rows cannot show %v; %s", t, readableTypes)
		}
	}
}

func meaningful(typ *btf.Typedef, kind string) (*Leaf, error) {
	meaning, ok := meanings[kind]
	if !ok {
		return nil, fmt.Errorf("type %s has the unknown meaning %q", typ.Name, kind)
	}
	switch meaning {
	case "TypeIP":
		return &Leaf{Type: meaning, Size: 16}, nil
	case "TypeMAC":
		return &Leaf{Type: meaning, Size: 6}, nil
	}
	return number(typ, meaning)
}

// number is an integer leaf; without a meaning it is TypeInt or TypeUint.
func number(t btf.Type, meaning string) (*Leaf, error) {
	integer, ok := btf.As[*btf.Int](t)
	if !ok {
		return nil, fmt.Errorf("%s is no integer", t.TypeName())
	}
	signed := integer.Encoding == btf.Signed
	if meaning == "" {
		meaning = "TypeUint"
		if signed {
			meaning = "TypeInt"
		}
	}
	if integer.Size > 8 {
		return nil, fmt.Errorf("an integer of %d bytes does not fit a row; write two __u64", integer.Size)
	}
	return &Leaf{Type: meaning, Size: int(integer.Size), Signed: signed}, nil
}

// characters is a char array as a string, an array of unsigned bytes as hex
// digits.
func characters(a *btf.Array) *Leaf {
	element, ok := btf.As[*btf.Int](a.Type)
	switch {
	case !ok || element.Size != 1 || element.Encoding == btf.Bool || a.Nelems == 0:
		return nil
	case element.Name == "char":
		return &Leaf{Type: "TypeString", Size: int(a.Nelems)}
	case element.Encoding == btf.Signed:
		return nil
	}
	return &Leaf{Type: "TypeHex", Size: int(a.Nelems)}
}

// tail recognizes the descriptors that text(n), words(n) and raw(n) of
// ingrain.h make.
func tail(s *btf.Struct) (*Leaf, error) {
	if s.Name != "" || len(s.Members) != 4 {
		return nil, nil
	}
	last := s.Members[3]
	outer, ok := last.Type.(*btf.Array)
	if !ok || outer.Nelems != 0 {
		return nil, nil
	}
	inner, ok := outer.Type.(*btf.Array)
	if !ok {
		return nil, nil
	}
	kind, ok := map[string]string{"text": "TypeText", "words": "TypeWords", "raw": "TypeRaw"}[last.Name]
	if !ok {
		return nil, nil
	}
	if inner.Nelems == 0 {
		return nil, fmt.Errorf("%s(0) has no room; write %s(n) with the bytes that it may have", last.Name, last.Name)
	}
	return &Leaf{Type: kind, Size: 8, Room: int(inner.Nelems)}, nil
}

// enum returns the model of a C enum, one for each name.
func (b *binder) enum(e *btf.Enum) *Enum {
	for _, known := range b.grain.Enums {
		if known.Name == e.Name {
			return known
		}
	}
	enum := &Enum{Name: e.Name, Go: goName(e.Name)}
	for _, v := range e.Values {
		value := int64(v.Value)
		if !slices.ContainsFunc(enum.Values, func(have EnumValue) bool { return have.Value == value }) {
			enum.Values = append(enum.Values, EnumValue{v.Name, value})
		}
	}
	slices.SortFunc(enum.Values, func(a, b EnumValue) int { return cmp.Compare(a.Value, b.Value) })
	b.grain.Enums = append(b.grain.Enums, enum)
	return enum
}
