// SPDX-License-Identifier: Apache-2.0

package expr_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/redsift/ingraind/gen/internal/diag"
	"github.com/redsift/ingraind/gen/internal/expr"
)

var update = flag.Bool("update", false, "write the goldens anew")

// compiled compiles what stands in a file of goldens: a condition, a value, the
// argument of a cell, a cell.
func compiled(kind string, src expr.Source, vars []expr.Var) (*expr.Expr, *expr.CellExpr, diag.List) {
	switch kind {
	case "cell":
		c, mistakes := expr.CompileCell(src, vars)
		return nil, c, mistakes
	case "value":
		e, mistakes := expr.Compile(src, vars, expr.WantValue)
		return e, nil, mistakes
	case "number":
		e, mistakes := expr.Compile(src, vars, expr.WantNumber)
		return e, nil, mistakes
	}
	e, mistakes := expr.Compile(src, vars, expr.WantBool)
	return e, nil, mistakes
}

// golden holds a file to what its expressions give. Each stands on a line
// "kind: expression" (\n is a new line), indented below it what it gives.
func golden(t *testing.T, file string, give func(kind, text string) string) {
	t.Helper()
	have, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	n := 0
	for line := range strings.Lines(string(have)) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "\t") {
			continue
		}
		want.WriteString(line + "\n")
		kind, text, ok := strings.Cut(line, ": ")
		if !ok || strings.HasPrefix(line, "#") {
			continue
		}
		n++
		for out := range strings.Lines(give(kind, strings.ReplaceAll(text, `\n`, "\n"))) {
			want.WriteString("\t" + strings.TrimSuffix(out, "\n") + "\n")
		}
	}
	if n < 10 {
		t.Errorf("%s: got %d expressions, want 10 or more", file, n)
	}
	if want.String() == string(have) {
		return
	}
	if *update {
		if err := os.WriteFile(file, []byte(want.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Errorf("%s is not what its expressions give (go test -update writes it anew):\n%s", file, differences(string(have), want.String()))
}

// differences are the lines that two texts do not share, up to some.
func differences(have, want string) string {
	var b strings.Builder
	h, w := strings.Split(have, "\n"), strings.Split(want, "\n")
	for i := 0; i < max(len(h), len(w)) && b.Len() < 2000; i++ {
		line := func(of []string) string {
			if i < len(of) {
				return of[i]
			}
			return ""
		}
		if line(h) != line(w) {
			fmt.Fprintf(&b, "%d: stands   %s\n%d: gives    %s\n", i+1, line(h), i+1, line(w))
		}
	}
	return b.String()
}

func TestMistakesAreNamedWhereTheyAre(t *testing.T) {
	vars := allVars()
	golden(t, "testdata/mistakes.txt", func(kind, text string) string {
		_, _, mistakes := compiled(kind, expr.Source{Text: text, Pos: func(offset int) diag.Pos {
			before := text[:offset]
			return diag.Pos{File: "x", Line: 1 + strings.Count(before, "\n"), Col: offset - strings.LastIndex(before, "\n")}
		}}, vars)
		if mistakes.Len() == 0 {
			return "no mistake"
		}
		return strings.ReplaceAll(mistakes.Err().Error(), "x:", "") + "\n"
	})
}

func TestPrintedCodeIsWhatOneWouldWrite(t *testing.T) {
	vars := allVars()
	for i, v := range vars {
		if !strings.HasPrefix(v.Path, "params.") { // as a grain's view has it
			vars[i].Go = "v." + strings.ToUpper(v.Path[:1]) + strings.ReplaceAll(v.Path[1:], ".", "") + "()"
		}
	}
	golden(t, "testdata/printed.txt", func(kind, text string) string {
		e, _, mistakes := compiled(kind, expr.Source{Text: text}, vars)
		if e == nil {
			return mistakes.Err().Error()
		}
		var b strings.Builder
		if why := e.InC(); why != nil {
			fmt.Fprintf(&b, "not in C: %v\n", why)
		} else if kind == "value" {
			fmt.Fprintf(&b, "C:  %s;\n    %s\n", e.Type().C("k.x"), strings.ReplaceAll(e.StoreC("k.x"), "\n", "\n    "))
		} else {
			fmt.Fprintf(&b, "C:  %s\n", e.C())
		}
		if kind == "value" {
			fmt.Fprintf(&b, "Go: %s\n", strings.ReplaceAll(e.StoreGo("k[:]").Code, "\n", "\n    "))
		} else {
			fmt.Fprintf(&b, "Go: %s\n", e.Go().Code)
		}
		if parts := e.Conjuncts(); len(parts) > 1 {
			for _, p := range parts {
				fmt.Fprintf(&b, "&&  %s\n", p)
			}
		}
		return b.String()
	})
}

func TestCellsAreRead(t *testing.T) {
	vars := allVars()
	golden(t, "testdata/cells.txt", func(kind, text string) string {
		_, c, mistakes := compiled(kind, expr.Source{Text: text}, vars)
		if c == nil {
			return strings.ReplaceAll(mistakes.Err().Error(), ":1:", "1:")
		}
		arg := "none"
		if c.Arg != nil {
			arg = c.Arg.String()
		}
		return fmt.Sprintf("%s of %s, signed %v, %d bits, start %d, width %d, n %d, bounds %d, agent %v", c.Kind, arg, c.Signed, c.Bits, c.Start, c.Width, c.N, c.Bounds, c.Agent)
	})
}
