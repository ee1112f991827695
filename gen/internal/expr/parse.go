// SPDX-License-Identifier: Apache-2.0

package expr

import (
	"strconv"
	"strings"

	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/parser"

	"github.com/redsift/ingraind/gen/internal/diag"
)

// checker gives the parts of an expression their types.
type checker struct {
	src     Source
	vars    []Var
	scanned *scanned
	offsets []int // of each code point of the scanned text its byte
	info    *ast.SourceInfo
	mistake diag.List
}

func newChecker(src Source, vars []Var) *checker { return &checker{src: src, vars: vars} }

// wrong records a mistake at an offset of the text as it was written.
func (c *checker) wrong(at int, format string, args ...any) {
	c.mistake.Add(c.src.pos(min(max(at, 0), len(c.src.Text))), format, args...)
}

// longest is more than anybody writes and less than what would take long.
const longest = 16 << 10

// parse is the tree of the expression, nil when it has none.
func (c *checker) parse() ast.Expr {
	if len(c.src.Text) > longest {
		c.wrong(0, "an expression of %d bytes is longer than %d", len(c.src.Text), longest)
		return nil
	}
	if strings.TrimSpace(c.src.Text) == "" {
		c.wrong(0, "the expression is empty")
		return nil
	}
	c.scanned = scan(c.src.Text, c.wrong)
	if c.scanned.garbled {
		return nil
	}
	for i := range c.scanned.text {
		c.offsets = append(c.offsets, i)
	}
	c.offsets = append(c.offsets, len(c.scanned.text))
	p, err := parser.NewParser(parser.EnablePrattParser(true), parser.MaxRecursionDepth(100), parser.EnableIdentEscapeSyntax(false))
	if err != nil {
		c.wrong(0, "%s", err)
		return nil
	}
	source := common.NewTextSource(c.scanned.text)
	tree, errs := p.Parse(source)
	if found := errs.GetErrors(); len(found) > 0 {
		if c.mistake.Len() == 0 { // else that was the cause
			first := found[0]
			at := 0
			if offset, ok := source.LocationOffset(first.Location); ok && first.Location.Column() >= 0 {
				at = c.written(offset)
			}
			c.wrong(at, "%s", c.scanned.say(plainly(first.Message)))
		}
		return nil
	}
	c.info = tree.SourceInfo()
	return tree.Expr()
}

// plainly says what the parser has to say in our words where it uses its own.
func plainly(msg string) string {
	msg = strings.TrimPrefix(msg, "Syntax error: ")
	switch {
	case strings.HasPrefix(msg, "mismatched input '<EOF>'"):
		return "the expression ends too early"
	case strings.HasPrefix(msg, "unsupported syntax"):
		return "there are no optional values: " + strings.TrimPrefix(msg, "unsupported syntax ")
	case strings.HasPrefix(msg, "reserved identifier"):
		return msg + "; a name cannot be called so"
	case msg == "unable to unescape string":
		return `unknown escape in a string; a backslash is written \\, or the string r"..."`
	}
	return msg
}

// written is the offset in the text as it was written of a code point of the
// scanned one.
func (c *checker) written(point int32) int {
	return c.scanned.original(c.offsets[min(max(int(point), 0), len(c.offsets)-1)])
}

// at is where an expression, or its operator, stands.
func (c *checker) at(e ast.Expr) int {
	r, ok := c.info.GetOffsetRange(e.ID())
	if !ok {
		return 0
	}
	return c.written(r.Start)
}

// start is where an expression begins.
func (c *checker) start(e ast.Expr) int {
	switch e.Kind() {
	case ast.SelectKind:
		return c.start(e.AsSelect().Operand())
	case ast.CallKind:
		call := e.AsCall()
		if call.IsMemberFunction() {
			return c.start(call.Target())
		}
		switch call.FunctionName() {
		case operators.LogicalNot, operators.Negate:
			return c.at(e)
		}
		if len(call.Args()) > 0 && !isName(call.FunctionName()) {
			return min(c.at(e), c.start(call.Args()[0]))
		}
		if isName(call.FunctionName()) { // where its name is, not its parenthesis
			return c.callee(e)
		}
	}
	return c.at(e)
}

// callee is where the name of a function stands that is called at e.
func (c *checker) callee(e ast.Expr) int {
	at := min(c.at(e), len(c.src.Text))
	name := e.AsCall().FunctionName()
	if i := strings.LastIndex(c.src.Text[:at], name); i >= 0 && strings.TrimSpace(c.src.Text[i+len(name):at]) == "" {
		return i
	}
	if i := strings.Index(c.src.Text[at:], name); e.AsCall().IsMemberFunction() && i >= 0 && strings.Trim(c.src.Text[at:at+i], ". \t\r\n") == "" {
		return at + i
	}
	return at
}

// isName reports whether a function's name is one that people write: those of
// operators have signs in them.
func isName(function string) bool { return isConstantName(function) }

// path is the dotted path of a name, with the indexes of arrays as members:
// sizes[0] is sizes.0. It is "" when e is none.
func (c *checker) path(e ast.Expr) string {
	switch e.Kind() {
	case ast.IdentKind:
		if c.number(e) != nil {
			return ""
		}
		return strings.TrimPrefix(e.AsIdent(), reservedName)
	case ast.SelectKind:
		if of := c.path(e.AsSelect().Operand()); of != "" {
			return of + "." + e.AsSelect().FieldName()
		}
	case ast.CallKind:
		call := e.AsCall()
		if call.FunctionName() != operators.Index {
			return ""
		}
		of, n := c.path(call.Args()[0]), c.number(call.Args()[1])
		if of != "" && n != nil && n.unit == "" {
			return of + "." + n.value.String()
		}
	}
	return ""
}

// number is the number that e is, nil when it is none.
func (c *checker) number(e ast.Expr) *number {
	if e.Kind() != ast.IdentKind {
		return nil
	}
	digits, ok := strings.CutPrefix(e.AsIdent(), numberName)
	if !ok {
		return nil
	}
	i, err := strconv.Atoi(digits)
	if err != nil || i < 0 || i >= len(c.scanned.numbers) {
		return nil
	}
	return &c.scanned.numbers[i]
}

// find is the variable with a path, nil when there is none.
func (c *checker) find(path string) *Var {
	if path == "" {
		return nil
	}
	for i := range c.vars {
		if c.vars[i].Path == path {
			return &c.vars[i]
		}
	}
	return nil
}
