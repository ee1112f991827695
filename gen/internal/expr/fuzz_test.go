// SPDX-License-Identifier: Apache-2.0

package expr_test

import (
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/redsift/ingraind/gen/internal/diag"
	"github.com/redsift/ingraind/gen/internal/expr"
)

// Whatever somebody writes gives an expression that can be printed and
// evaluated, or mistakes at places of the text.
func FuzzCompile(f *testing.F) {
	for _, file := range []string{"testdata/mistakes.txt", "testdata/printed.txt", "testdata/cells.txt"} {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if _, text, ok := strings.Cut(strings.TrimSuffix(line, "\n"), ": "); ok && line[0] != '\t' {
				f.Add(strings.ReplaceAll(text, `\n`, "\n"))
			}
		}
	}
	a := &author{Rand: rand.New(rand.NewPCG(1, 2))}
	for range 100 {
		f.Add(a.condition(3))
	}
	vars := allVars()
	ev := randomEvent(a.Rand)
	f.Fuzz(func(t *testing.T, text string) {
		src := expr.Source{Text: text, Pos: func(offset int) diag.Pos {
			if offset < 0 || offset > len(text) {
				t.Fatalf("got a mistake at %d of %q, want one in it", offset, text)
			}
			return diag.Pos{Line: 1, Col: 1 + offset}
		}}
		use := func(e *expr.Expr) {
			e.InC()
			e.C()
			e.StoreC("k.x")
			e.Go()
			e.StoreGo("k")
			e.Cost()
			e.Vars()
			e.Conjuncts()
			e.Eval(func(path string) expr.Value { return ev.values[path] })
			if size := e.Type().Size; size <= 0 {
				t.Fatalf("%q: got a size of %d, want one that a column can have", text, size)
			}
		}
		for _, want := range []expr.Want{expr.WantBool, expr.WantValue, expr.WantNumber} {
			e, mistakes := expr.Compile(src, vars, want)
			if (e == nil) != (mistakes.Len() > 0) {
				t.Fatalf("%q: got %v and %v, want an expression or a mistake", text, e, mistakes.Err())
			}
			if e != nil {
				use(e)
			}
		}
		c, mistakes := expr.CompileCell(src, vars)
		if (c == nil) != (mistakes.Len() > 0) {
			t.Fatalf("%q: got %v and %v, want a cell or a mistake", text, c, mistakes.Err())
		}
		if c != nil && c.Arg != nil {
			use(c.Arg)
		}
	})
}
