// SPDX-License-Identifier: Apache-2.0

package source

import (
	"strings"

	"github.com/redsift/ingraind/gen/internal/diag"
)

type kind int

const (
	word    kind = iota // identifier or keyword
	number              // 0x10u, 1.5e3
	literal             // "text" or 'c', with its quotes
	punct               // one byte, or "..."
)

type token struct {
	kind kind
	text string
	pos  diag.Pos
}

// is reports whether t is the word or the punctuation text.
func (t token) is(text string) bool {
	return t.text == text && (t.kind == word || t.kind == punct)
}

// lexer cuts a file into tokens. Comments, white space and preprocessor lines
// leave none; includes go into file.
type lexer struct {
	src       string
	at        int // offset of the next byte
	line      int
	lineAt    int  // offset of the line's first byte
	lineStart bool // no token on this line yet: a # opens a directive
	branches  []branch
	file      *File
	tokens    []token
	mistakes  diag.List
}

func (l *lexer) run() {
	for l.at < len(l.src) {
		if l.blank() {
			continue
		}
		if l.src[l.at] == '#' && l.lineStart {
			l.directive()
			continue
		}
		l.lineStart = false
		l.token()
	}
}

// blank skips one stretch of white space, comment or line continuation, and
// reports whether there was one.
func (l *lexer) blank() bool {
	rest := l.src[l.at:]
	switch {
	case rest[0] == '\n':
		l.newline()
	case strings.IndexByte(" \t\r\v\f", rest[0]) >= 0:
		l.at++
	case l.continuation():
	case strings.HasPrefix(rest, "//"):
		l.lineComment()
	case strings.HasPrefix(rest, "/*"):
		l.comment()
	default:
		return false
	}
	return true
}

func (l *lexer) newline() {
	l.at++
	l.line++
	l.lineAt = l.at
	l.lineStart = true
}

// continuation skips a backslash at the end of a line: the next line belongs
// to this one.
func (l *lexer) continuation() bool {
	rest := l.src[l.at:]
	for _, end := range []string{"\\\n", "\\\r\n"} {
		if strings.HasPrefix(rest, end) {
			started := l.lineStart
			l.at += len(end) - 1
			l.newline()
			l.lineStart = started
			return true
		}
	}
	return false
}

func (l *lexer) lineComment() {
	for l.at < len(l.src) && l.src[l.at] != '\n' {
		if !l.continuation() {
			l.at++
		}
	}
}

// comment skips /* ... */. A line that starts inside one has no token yet, but
// one that a directive runs into is still the directive's.
func (l *lexer) comment() {
	open, started := l.pos(), l.lineStart
	l.at += len("/*")
	for l.at < len(l.src) {
		if strings.HasPrefix(l.src[l.at:], "*/") {
			l.at += len("*/")
			l.lineStart = started
			return
		}
		if l.src[l.at] == '\n' {
			l.newline()
			continue
		}
		l.at++
	}
	l.mistakes.Add(open, "this comment is never closed; add */")
}

func (l *lexer) token() {
	t := token{pos: l.pos()}
	from, c := l.at, l.src[l.at]
	switch {
	case c == '"' || c == '\'':
		t.kind = literal
		if !l.quoted(c) && !l.dead() {
			l.mistakes.Add(t.pos, "this %c is never closed; add another before the end of the line", c)
		}
	case isDigit(c):
		t.kind = number
		for l.at < len(l.src) && (isWordByte(l.src[l.at]) || l.src[l.at] == '.') {
			l.at++
		}
	case isWordByte(c):
		t.kind = word
		for l.at < len(l.src) && isWordByte(l.src[l.at]) {
			l.at++
		}
	case strings.HasPrefix(l.src[l.at:], "..."):
		t.kind = punct
		l.at += len("...")
	default:
		t.kind = punct
		l.at++
	}
	t.text = l.src[from:l.at]
	if l.dead() {
		return
	}
	l.tokens = append(l.tokens, t)
	if t.kind == word {
		l.seen(t.text, t.pos)
	}
}

// seen notes where a word stands, the first time.
func (l *lexer) seen(word string, pos diag.Pos) {
	if _, ok := l.file.Words[word]; !ok {
		l.file.Words[word] = pos
	}
}

// quoted skips a string or character up to its closing quote. Without one it
// stops at the end of the line and reports false.
func (l *lexer) quoted(quote byte) bool {
	l.at++
	for l.at < len(l.src) && l.src[l.at] != '\n' {
		switch {
		case l.continuation():
			continue
		case l.src[l.at] == quote:
			l.at++
			return true
		case l.src[l.at] == '\\' && l.at+1 < len(l.src) && l.src[l.at+1] != '\n':
			l.at++
		}
		l.at++
	}
	return false
}

// pos is the place of the next byte.
func (l *lexer) pos() diag.Pos {
	return diag.Pos{File: l.file.Name, Line: l.line, Col: l.at - l.lineAt + 1}
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// isWordByte takes every byte of a rune beyond ASCII for a letter, as
// compilers do.
func isWordByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || isDigit(c) || c == '_' || c == '$' || c >= 0x80
}
