// SPDX-License-Identifier: Apache-2.0

package source

import "strings"

// branch is one open #if. Only conditions that are a plain 0 or 1 are decided;
// of others every branch is read.
type branch struct {
	dead     bool // what follows is left out
	elseDead bool // what follows the #else is
}

// dead reports whether the lexer stands where the compiler reads nothing.
func (l *lexer) dead() bool {
	n := len(l.branches)
	return n > 0 && l.branches[n-1].dead
}

// enter opens an #if, dead in whole when it stands where the compiler reads
// nothing.
func (l *lexer) enter(condition string) {
	dead := l.dead()
	l.branches = append(l.branches, branch{dead: dead || condition == "0", elseDead: dead || condition == "1"})
}

// directive reads one preprocessor line, with its continuations.
func (l *lexer) directive() {
	l.at++
	l.blanksOnLine()
	from := l.at
	for l.at < len(l.src) && isWordByte(l.src[l.at]) {
		l.at++
	}
	name := l.src[from:l.at]
	l.blanksOnLine()
	pos := l.pos()
	argument := l.restOfLine(name != "include")

	switch name {
	case "include":
		path, ok := strings.CutPrefix(argument, `"`)
		path, _, closed := strings.Cut(path, `"`)
		if ok && closed && !l.dead() {
			l.file.Includes = append(l.file.Includes, Include{path, pos})
		}
	case "if":
		l.enter(argument)
	case "ifdef", "ifndef":
		l.enter("")
	case "else", "elif", "elifdef", "elifndef":
		if n := len(l.branches); n > 0 {
			l.branches[n-1].dead = l.branches[n-1].elseDead
		}
	case "endif":
		if n := len(l.branches); n > 0 {
			l.branches = l.branches[:n-1]
		}
	}
}

func (l *lexer) blanksOnLine() {
	for l.at < len(l.src) && l.src[l.at] != '\n' && l.blank() {
	}
}

// restOfLine skips to the line's end and returns what stood there, without
// comments and the blanks around it. With code its words are the file's too.
func (l *lexer) restOfLine(code bool) string {
	var rest strings.Builder
	for l.at < len(l.src) && l.src[l.at] != '\n' {
		from := l.at
		if l.blank() {
			rest.WriteByte(' ')
			continue
		}
		switch c := l.src[l.at]; {
		case c == '"' || c == '\'':
			l.quoted(c)
		case code && isWordByte(c):
			l.word()
		default:
			l.at++
		}
		rest.WriteString(l.src[from:l.at])
	}
	return strings.TrimSpace(rest.String())
}

// word skips an identifier, or a number, of a directive.
func (l *lexer) word() {
	from, pos := l.at, l.pos()
	for l.at < len(l.src) && isWordByte(l.src[l.at]) {
		l.at++
	}
	if text := l.src[from:l.at]; !isDigit(text[0]) && !l.dead() {
		l.seen(text, pos)
	}
}
