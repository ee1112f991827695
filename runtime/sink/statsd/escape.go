// SPDX-License-Identifier: Apache-2.0

package statsd

import (
	"bytes"

	"github.com/redsift/ingraind/runtime"
)

// most is how long a column's value may be. A name of more is not told apart
// from others with the same beginning.
const most = 128

// charset is the bytes that stand for themselves; any other becomes "_".
type charset [256]bool

// inName are those that every statsd server leaves as they are in a part of a
// name. A dot ends the part.
var inName = chars(func(c byte) bool { return letterOrDigit(c) || c == '_' || c == '-' })

// inTag are those of a tag: no separator of the protocol, no space, no
// control, and nothing beyond ASCII.
var inTag = chars(func(c byte) bool { return c > ' ' && c < 0x7f && bytes.IndexByte([]byte("|,#:@"), c) < 0 })

func chars(in func(byte) bool) (set charset) {
	for c := range set {
		set[c] = in(byte(c))
	}
	return set
}

func letterOrDigit(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// appendColumn appends the value of a key's column; "-" stands for none.
func appendColumn(dst []byte, v runtime.Value, f *runtime.Field, set *charset) []byte {
	at := len(dst)
	switch v.Type {
	case runtime.TypeString:
		dst = append(dst, runtime.CString(v.Bytes)...)
	case runtime.TypeText, runtime.TypeWords:
		if !v.State.Null() {
			dst = append(dst, v.Bytes...)
		}
	case runtime.TypeBytes, runtime.TypeDuration, runtime.TypeMoment:
		dst = runtime.AppendUint(dst, v.Num) // exact, unlike what people read
	default:
		dst = runtime.AppendValueText(dst, v, f)
	}
	if len(dst) == at {
		return append(dst, '-')
	}
	dst = dst[:min(len(dst), at+most)]
	for i, c := range dst[at:] {
		if !set[c] {
			dst[at+i] = '_'
		}
	}
	return dst
}
