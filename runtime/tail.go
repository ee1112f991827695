// SPDX-License-Identifier: Apache-2.0

package runtime

import "bytes"

// Null reports whether a variable-length part holds nothing to show: it could
// not be read, or nobody set it.
func (s TailState) Null() bool { return s&(TailSet|TailFault) != TailSet }

// NextWord splits the first of NUL-separated words from the rest. A NUL at
// the end of b ends the last word and begins none.
func NextWord(b []byte) (word, rest []byte) {
	i := bytes.IndexByte(b, 0)
	if i < 0 {
		return b, nil
	}
	return b[:i], b[i+1:]
}
