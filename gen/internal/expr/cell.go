// SPDX-License-Identifier: Apache-2.0

package expr

import (
	"math/big"
	"slices"

	"cel.dev/cel-go/common/ast"

	"github.com/redsift/ingraind/gen/internal/diag"
)

// CellExpr is a cell that has been checked.
type CellExpr struct {
	Kind         string // agg's constant: "Sum"
	Arg          *Expr  // nil of count()
	Signed       bool   // of the argument, which is a number
	Bits         int    // of the argument, 8 to 64; 0 when it is no number
	Start, Width int64  // linear
	N            int    // linear: buckets between the outer two; top: values
	Bounds       []int64
	Agent        bool // it lives in the agent only
}

// cells are the functions of cells, and what they are called in agg.
var cells = map[string]string{
	"count": "Count", "sum": "Sum", "mean": "Mean", "min": "Min", "max": "Max", "last": "Last",
	"exp2": "Exp2", "linear": "Linear", "buckets": "Buckets",
	"quantiles": "Quantiles", "distinct": "Distinct", "top": "Top",
}

// arguments shows how each cell is written.
var arguments = map[string]string{
	"count": "count()", "sum": "sum(x)", "mean": "mean(x)", "min": "min(x)", "max": "max(x)", "last": "last(x)",
	"exp2": "exp2(x)", "linear": "linear(x, min, width, n)", "buckets": "buckets(x, [b0, b1])",
	"quantiles": "quantiles(x)", "distinct": "distinct(x)", "top": "top(x, n)",
}

// The most that a cell may have.
const (
	MaxBuckets = 512  // buckets of linear and buckets, without the outer ones
	MaxTop     = 1000 // values of top
)

// CompileCell checks a cell: count(), sum(size), exp2(latency), linear(x, 0,
// 10, 20), buckets(x, [1, 2]), top(path, 10). It is nil when there are mistakes.
func CompileCell(src Source, vars []Var) (*CellExpr, diag.List) {
	c := newChecker(src, vars)
	tree := c.parse()
	if tree == nil {
		return nil, c.mistake
	}
	cell := c.cell(tree)
	if c.mistake.Len() > 0 {
		return nil, c.mistake
	}
	return cell, c.mistake
}

func (c *checker) cell(e ast.Expr) *CellExpr {
	names := sortedKeys(cells)
	if e.Kind() != ast.CallKind || e.AsCall().IsMemberFunction() || !isName(e.AsCall().FunctionName()) {
		c.wrong(c.start(e), "a cell is one of count() sum(x) mean(x) min(x) max(x) last(x) exp2(x) linear(x, min, width, n) buckets(x, [b0, b1]) quantiles(x) distinct(x) top(x, n)")
		return nil
	}
	call := e.AsCall()
	f, args, at := call.FunctionName(), call.Args(), c.callee(e)
	kind, ok := cells[f]
	if !ok {
		c.wrong(at, "there is no cell %s%s", f, diag.DidYouMean(f, names))
		return nil
	}
	want := map[string]int{"count": 0, "linear": 4, "buckets": 2, "top": 2}
	n, ok := want[f]
	if !ok {
		n = 1
	}
	if len(args) != n {
		c.wrong(at, "write %s", arguments[f])
		return nil
	}
	cell := &CellExpr{Kind: kind, Agent: f == "quantiles" || f == "distinct" || f == "top"}
	if f == "count" {
		return cell
	}
	wanted := WantNumber
	if f == "distinct" || f == "top" {
		wanted = WantValue
	}
	arg := c.want(args[0], wanted)
	if arg != nil {
		cell.Arg = &Expr{arg, argument(c.src.Text, c.start(args[0]))}
		if arg.kind == kNum {
			cell.Signed, cell.Bits = arg.typ.Signed, 8*arg.typ.Size
		}
	}
	switch f {
	case "top":
		n, _ := c.constant(args[1], "how many values top keeps", 1, MaxTop)
		cell.N = int(n)
	case "linear":
		c.linear(cell, arg, args)
	case "buckets":
		c.bounds(cell, arg, args[1])
	}
	return cell
}

// bound is a number that an argument is compared with, in its unit.
func (c *checker) bound(e ast.Expr, arg *node) (int64, bool) {
	n := c.check(e, Type{})
	if n == nil {
		return 0, false
	}
	if n.op != opLit || n.lit[0].Cmp(n.lit[1]) != 0 {
		c.wrong(c.start(e), "a bound is a number that is known when the grain is generated")
		return 0, false
	}
	t, name := intType, ""
	if arg != nil {
		t, name = arg.typ, nameOf(arg)
	}
	if n = c.adapt(n, t, name); n == nil {
		return 0, false
	}
	return int64(n.num[0]), true
}

func (c *checker) linear(cell *CellExpr, arg *node, args []ast.Expr) {
	start, ok := c.bound(args[1], arg)
	width, ok2 := c.bound(args[2], arg)
	n, ok3 := c.constant(args[3], "the number of buckets", 1, MaxBuckets)
	if !ok || !ok2 || !ok3 {
		return
	}
	if width <= 0 {
		c.wrong(c.start(args[2]), "a bucket is at least 1 wide")
		return
	}
	end := new(big.Int).Mul(big.NewInt(width), big.NewInt(n))
	from := big.NewInt(start)
	if arg != nil && !arg.typ.Signed {
		from.SetUint64(uint64(start))
	}
	end.Add(end, from)
	if fits := end.IsInt64() || arg != nil && !arg.typ.Signed && end.IsUint64(); !fits {
		c.wrong(c.start(args[3]), "the last bucket would end at %s, which does not fit in 64 bits", end)
		return
	}
	cell.Start, cell.Width, cell.N = start, width, int(n)
}

func (c *checker) bounds(cell *CellExpr, arg *node, e ast.Expr) {
	if e.Kind() != ast.ListKind {
		c.wrong(c.start(e), "buckets takes a list of bounds, as in buckets(x, [1, 10, 100])")
		return
	}
	elements := e.AsList().Elements()
	if len(elements) == 0 || len(elements) > MaxBuckets {
		c.wrong(c.at(e), "buckets takes 1 to %d bounds, and here are %d", MaxBuckets, len(elements))
		return
	}
	for _, element := range elements {
		b, ok := c.bound(element, arg)
		if !ok {
			continue
		}
		if n := len(cell.Bounds); n > 0 {
			before := cell.Bounds[n-1]
			rises := before < b
			if arg != nil && !arg.typ.Signed {
				rises = uint64(before) < uint64(b)
			}
			if !rises {
				c.wrong(c.start(element), "bounds rise, and this is no more than the one before")
				continue
			}
		}
		cell.Bounds = append(cell.Bounds, b)
	}
}

// argument is the text of the first argument, which begins at from.
func argument(text string, from int) string {
	depth := 0
	for i := from; i < len(text); i++ {
		switch text[i] {
		case '"', '\'':
			i = stringEnd(text, i, false) - 1
		case '(', '[':
			depth++
		case ')', ']', ',':
			if depth == 0 {
				return trimmed(text[from:i])
			}
			if text[i] != ',' {
				depth--
			}
		}
	}
	return trimmed(text[from:])
}

func sortedKeys(m map[string]string) []string {
	var all []string
	for k := range m {
		all = append(all, k)
	}
	slices.Sort(all)
	return all
}
