// SPDX-License-Identifier: Apache-2.0

package kernel

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/cilium/ebpf/btf"
)

// relocation is how package btf prints one, the only way it shows what is in
// one: CORERelocation(byte_off, Struct:"sock"[0:1:2], local_id=7).
var relocation = regexp.MustCompile(`^CORERelocation\((\w+), .*\[([\d:]+)\], local_id=(\d+)\)$`)

// wanted says what a relocation is about: "member live.counter in struct
// signal_struct".
func wanted(types *btf.Spec, r *btf.CORERelocation) string {
	parts := relocation.FindStringSubmatch(r.String())
	if parts == nil {
		return r.String()
	}
	id, err := strconv.ParseUint(parts[3], 10, 32)
	if err != nil {
		return r.String()
	}
	t, err := types.TypeByID(btf.TypeID(id))
	if err != nil {
		return r.String()
	}
	var path []int
	for text := range strings.SplitSeq(parts[2], ":") {
		n, err := strconv.Atoi(text)
		if err != nil {
			return r.String()
		}
		path = append(path, n)
	}
	if e, ok := btf.UnderlyingType(t).(*btf.Enum); ok {
		if strings.HasPrefix(parts[1], "enumval") && path[0] < len(e.Values) {
			return fmt.Sprintf("%s in enum %s", e.Values[path[0]].Name, e.Name)
		}
		return "enum " + e.Name
	}
	if members := memberPath(t, path[1:]); members != "" {
		return fmt.Sprintf("member %s in %s", members, describe(t))
	}
	return describe(t)
}

// memberPath follows the indices of an access through structs and arrays.
func memberPath(t btf.Type, path []int) string {
	var names []string
	for _, n := range path {
		var members []btf.Member
		switch u := btf.UnderlyingType(t).(type) {
		case *btf.Struct:
			members = u.Members
		case *btf.Union:
			members = u.Members
		case *btf.Array:
			t = u.Type
			continue
		}
		if n >= len(members) {
			return strings.Join(names, ".")
		}
		if members[n].Name != "" {
			names = append(names, members[n].Name)
		}
		t = members[n].Type
	}
	return strings.Join(names, ".")
}

// describe names a type as the kernel does, without the ___flavour that tells
// local variants of it apart.
func describe(t btf.Type) string {
	name, _, _ := strings.Cut(t.TypeName(), "___")
	switch t.(type) {
	case *btf.Struct:
		return "struct " + name
	case *btf.Union:
		return "union " + name
	}
	return "type " + name
}
