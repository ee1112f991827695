// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// appendReadable appends a string so that its end is seen: bare when that is
// plain, else as appendQuoted does.
func appendReadable(dst, b []byte) []byte {
	if len(b) > 0 && allOf(b, bareInText) {
		return append(dst, b...)
	}
	return appendQuoted(dst, b)
}

// appendCommand appends NUL-separated words as one would type them in a shell.
func appendCommand(dst, b []byte) []byte {
	for i := 0; len(b) > 0; i++ {
		if i > 0 {
			dst = append(dst, ' ')
		}
		var word []byte
		word, b = NextWord(b)
		if len(word) > 0 && allOf(word, bareInShell) {
			dst = append(dst, word...)
			continue
		}
		dst = appendQuoted(dst, word)
	}
	return dst
}

// appendQuoted appends b in the quotes of a shell: '...', or $'...' when it
// holds what a terminal must not see.
func appendQuoted(dst, b []byte) []byte {
	if !allOf(b, printable) {
		return appendEscaped(dst, b)
	}
	dst = append(dst, '\'')
	for _, c := range b {
		if c == '\'' {
			dst = append(dst, `'\'`...)
		}
		dst = append(dst, c)
	}
	return append(dst, '\'')
}

// appendEscaped appends b as $'...', whose escapes bash and zsh understand.
func appendEscaped(dst, b []byte) []byte {
	dst = append(dst, `$'`...)
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		switch {
		case r == '\'' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r == '\n':
			dst = append(dst, `\n`...)
		case r == '\t':
			dst = append(dst, `\t`...)
		case r == '\r':
			dst = append(dst, `\r`...)
		case printable(r, n):
			dst = append(dst, b[:n]...)
		default: // byte for byte: a shell makes of it what it was
			for _, c := range b[:n] {
				dst = append(dst, '\\', 'x', hexDigits[c>>4], hexDigits[c&15])
			}
		}
		b = b[n:]
	}
	return append(dst, '\'')
}

// allOf reports whether ok holds for each character of b, and its size.
func allOf(b []byte, ok func(r rune, size int) bool) bool {
	for len(b) > 0 {
		r, n := rune(b[0]), 1
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeRune(b)
		}
		if !ok(r, n) {
			return false
		}
		b = b[n:]
	}
	return true
}

// printable reports whether a terminal shows r and does nothing else: no
// controls (of both sets), no marks that turn the direction of text, no spaces
// that are not seen, no bytes that are not UTF-8.
func printable(r rune, size int) bool {
	return strconv.IsPrint(r) && (r != utf8.RuneError || size > 1)
}

func bareInText(r rune, size int) bool {
	return r != ' ' && r != '\'' && r != '"' && r != '\\' && r != '$' && printable(r, size)
}

func bareInShell(r rune, size int) bool {
	if r < utf8.RuneSelf {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("_-./:,+@%=^", r)
	}
	return printable(r, size)
}
