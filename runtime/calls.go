// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// Calls is a set of system calls of this architecture, a bit for each number
// (struct ingrain_calls). nil is all of them.
type Calls []uint64

const callWords = 8 // of a set: numbers are below 512

// ParseCalls reads "all", or names of system calls with commas between:
// "openat,read".
func ParseCalls(text string) (Calls, error) {
	if text == "all" {
		return nil, nil
	}
	calls := make(Calls, callWords)
	for name := range strings.SplitSeq(text, ",") {
		name = strings.TrimSpace(name)
		n := slices.Index(syscallNames[:], name)
		if n < 0 || name == "" || n >= 64*callWords {
			return nil, fmt.Errorf("there is no system call %q here; want all, or names such as openat,read", name)
		}
		calls[n/64] |= 1 << (n % 64)
	}
	return calls, nil
}

// String writes a set as ParseCalls reads it.
func (c Calls) String() string {
	if c == nil {
		return "all"
	}
	var names []string
	for n, name := range syscallNames {
		if name != "" && n < 64*len(c) && c[n/64]>>(n%64)&1 == 1 {
			names = append(names, name)
		}
	}
	return strings.Join(names, ",")
}

// bytes is the set as programs have it.
func (c Calls) bytes() []byte {
	var raw []byte
	for i := range callWords {
		word := ^uint64(0)
		if c != nil {
			word = c[i]
		}
		raw = binary.NativeEndian.AppendUint64(raw, word)
	}
	return raw
}
