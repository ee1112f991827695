// SPDX-License-Identifier: Apache-2.0

package dns

const mostJumps = 127 // more than the labels that a name can have

// name appends the name at the reader's place: labels with dots between, "."
// for the root. A pointer must lead to before the labels that it ends, so that
// none is gone through twice (RFC 1035, 4.1.4).
func (r *reader) name(dst []byte) []byte {
	from, size := len(dst), 0
	at, low, behind, jumps := r.at, r.at, -1, 0
	for r.flaw == "" {
		if at >= len(r.b) {
			r.fail(short)
			break
		}
		n := int(r.b[at])
		switch n >> 6 {
		case 0:
			if at++; len(r.b)-at < n {
				r.fail(short)
				break
			}
			if size += 1 + n; size > 255 {
				r.fail(badLength)
				break
			}
			if n == 0 {
				if behind < 0 {
					behind = at
				}
				r.at = behind
				if len(dst) == from {
					dst = append(dst, '.')
				}
				return dst
			}
			if len(dst) > from {
				dst = append(dst, '.')
			}
			dst = appendLabel(dst, r.b[at:at+n])
			at += n
		case 3:
			if len(r.b)-at < 2 {
				r.fail(short)
				break
			}
			if behind < 0 {
				behind = at + 2
			}
			at = n&0x3f<<8 | int(r.b[at+1])
			if jumps++; at >= low || jumps > mostJumps {
				r.fail(badJump)
			}
			low = at
		default:
			r.fail(badLabel)
		}
	}
	return dst[:from]
}

// skipName goes past a name without following it.
func (r *reader) skipName() {
	for r.flaw == "" {
		b := r.take(1)
		if b == nil || b[0] == 0 {
			return
		}
		switch b[0] >> 6 {
		case 0:
			r.skip(int(b[0]))
		case 3:
			r.skip(1)
			return
		default:
			r.fail(badLabel)
		}
	}
}

// appendLabel appends a label as a zone file would have it (RFC 1035, 5.1), in
// lower case.
func appendLabel(dst, label []byte) []byte {
	for _, c := range label {
		switch {
		case c >= 'A' && c <= 'Z':
			dst = append(dst, c+'a'-'A')
		case c == '"' || c == '(' || c == ')' || c == '.' || c == ';' || c == '\\' || c == '@' || c == '$':
			dst = append(dst, '\\', c)
		case c > ' ' && c < 0x7f:
			dst = append(dst, c)
		default:
			dst = appendDecimal(dst, c)
		}
	}
	return dst
}

// appendDecimal appends a byte as \DDD.
func appendDecimal(dst []byte, c byte) []byte {
	return append(dst, '\\', '0'+c/100, '0'+c/10%10, '0'+c%10)
}
