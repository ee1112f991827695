// SPDX-License-Identifier: Apache-2.0

package model

import (
	"fmt"
	"slices"
	"strings"

	"github.com/redsift/ingraind/gen/internal/diag"
	"github.com/redsift/ingraind/gen/internal/expr"
	"github.com/redsift/ingraind/gen/internal/spec"
)

const (
	mostKernelKey = 128     // bytes of a key in the kernel: it stands on a program's stack
	mostDense     = 4096    // keys of a table that is an array
	mostSyscalls  = 512     // numbers of system calls are below it, on both architectures
	mostWords     = 32 << 7 // of a table's cells: a per-CPU value has at most 32 KiB
)

// table makes the model of a table.
func (b *binder) table(t spec.Table) {
	i := slices.IndexFunc(b.grain.Events, func(e *Event) bool { return e.Name == t.Of.Text })
	if i < 0 {
		return // spec, or event, has said so
	}
	event := b.grain.Events[i]
	table := &Table{
		Name: t.Name.Text, Go: goName(t.Name.Text), Help: t.Help.Text, Measure: t.Measure.Text,
		Event: event, Every: t.Every.Duration, Idle: t.Idle.Duration, Max: t.Max.Number,
	}
	for _, s := range t.Sinks {
		table.Sinks = append(table.Sinks, s.Text)
	}
	taken := map[string]bool{}
	for _, name := range []string{"time", "grain", "table", "interval", "overflow"} {
		taken[name] = true
	}
	free := func(c spec.Column) {
		if taken[c.Label.Text] {
			b.mistake.Add(c.Label.Pos, "every row of a table has a %q; take another label", c.Label.Text)
		}
	}
	vars, whole := b.vars(event), true
	for _, k := range t.Key {
		free(k)
		column := b.column(k, vars)
		whole = whole && column != nil
		if column != nil {
			table.Key = append(table.Key, column)
		}
	}
	table.Words = 1
	for _, c := range t.Cells {
		free(c)
		cell := b.cell(c, vars)
		whole = whole && cell != nil
		if cell != nil {
			cell.Word, table.Words = table.Words, table.Words+cell.Words
			table.Cells = append(table.Cells, cell)
		}
	}
	if !whole {
		return
	}
	findSums(table.Cells)
	table.KeySize = placeKey(table.Key)
	b.place(t, table)
	event.Tables = append(event.Tables, table)
	b.grain.Tables = append(b.grain.Tables, table)
}

// column compiles an expression whose values are those of a key's column.
func (b *binder) column(c spec.Column, vars []expr.Var) *Column {
	e, mistakes := expr.Compile(expr.Source{Text: c.Text, Pos: c.Place}, vars, expr.WantValue)
	b.mistake.Join(mistakes)
	if e == nil || mistakes.Len() > 0 {
		return nil
	}
	leaf := b.leafFor(e)
	return &Column{Label: c.Label.Text, Expr: e, Leaf: leaf, Count: smallCount(leaf)}
}

// cell compiles what a table counts.
func (b *binder) cell(c spec.Column, vars []expr.Var) *Cell {
	e, mistakes := expr.CompileCell(expr.Source{Text: c.Text, Pos: c.Place}, vars)
	b.mistake.Join(mistakes)
	if e == nil || mistakes.Len() > 0 {
		return nil
	}
	cell := &Cell{Label: c.Label.Text, Text: strings.TrimSpace(c.Text), Expr: e, Words: wordsOf(e)}
	if e.Arg != nil {
		cell.Leaf = b.leafFor(e.Arg)
	}
	return cell
}

// findSums finds what cells of a table add up that others tell the distribution
// of. The word of a mean is a sum as well.
func findSums(cells []*Cell) {
	for _, c := range cells {
		for _, other := range cells {
			adds := other.Expr.Kind == "Sum" || other.Expr.Kind == "Mean"
			spreads := slices.Contains([]string{"Exp2", "Linear", "Buckets", "Quantiles"}, c.Expr.Kind)
			if adds && spreads && other.Expr.Arg.String() == c.Expr.Arg.String() {
				c.Sum = other.Word
			}
		}
	}
}

// leafFor is the leaf whose values are those of an expression.
func (b *binder) leafFor(e *expr.Expr) *Leaf {
	t := e.Type()
	l := &Leaf{Type: t.Type, Size: t.Size, Signed: t.Signed}
	if t.Type != "TypeEnum" {
		return l
	}
	for _, enum := range b.grain.Enums {
		if slices.Equal(enumValues(enum), t.Enum) {
			l.Enum = enum
		}
	}
	return l
}

// wordsOf is how many 64-bit words a cell keeps for a key (runtime/agg).
func wordsOf(e *expr.CellExpr) int {
	switch e.Kind {
	case "Count":
		return 0
	case "Last":
		return 2
	case "Exp2":
		return e.Bits + 1
	case "Linear":
		return e.N + 2
	case "Buckets":
		return len(e.Bounds) + 1
	case "Quantiles":
		return 4
	}
	return 1
}

// cellInC is why programs cannot count a cell, nil when they can.
func cellInC(e *expr.CellExpr) error {
	switch {
	case e.Agent:
		return fmt.Errorf("%s is counted by the agent", strings.ToLower(e.Kind))
	case e.Arg != nil:
		return e.Arg.InC()
	}
	return nil
}

// smallCount is how many values a leaf has, from 0 on, when they are few.
func smallCount(l *Leaf) int {
	switch {
	case l.Type == "TypeBool":
		return 2
	case l.Type == "TypeSyscall":
		return mostSyscalls
	case l.Type == "TypeEnum":
		last := len(l.Enum.Values) - 1
		if last >= 0 && l.Enum.Values[0].Value >= 0 && l.Enum.Values[last].Value < mostDense {
			return int(l.Enum.Values[last].Value) + 1
		}
	case (l.Type == "TypeUint" || l.Type == "TypePort") && l.Size == 1:
		return 256
	}
	return 0
}

// placeKey lays columns out as a C compiler does, and returns the size of the
// whole, a multiple of 8.
func placeKey(columns []*Column) int {
	at := 0
	for _, c := range columns {
		align := c.align()
		c.Offset = (at + align - 1) / align * align
		at = c.Offset + c.Leaf.Size
	}
	return (at + 7) / 8 * 8
}

// align is what a column's offset is a multiple of: that of its type in C, and
// 8 for strings of whole words, which are then copied as such.
func (c *Column) align() int {
	if c.Leaf.Type == "TypeString" && c.Leaf.Size%8 == 0 {
		return 8
	}
	return c.Expr.Type().Align()
}

// place decides where a table lives.
func (b *binder) place(t spec.Table, table *Table) {
	why, at := b.keptOut(t, table)
	table.Why = why
	table.Kernel = why == "" && t.In.Text != spec.InAgent
	if why != "" && t.In.Text == spec.InKernel {
		b.mistake.Add(at, "table %s cannot be in the kernel: %s", table.Name, why)
	}
	if !table.Kernel {
		return
	}
	keys := 1
	for _, c := range table.Key {
		keys *= max(c.Count, 0)
		if c.Count == 0 || keys > mostDense {
			return
		}
	}
	if t.Max.Given() && t.Max.Number < keys {
		return // a smaller table was asked for
	}
	table.Dense = keys
}

// keptOut says why a table cannot be in the kernel, and where the file says
// what is in its way.
func (b *binder) keptOut(t spec.Table, table *Table) (string, diag.Pos) {
	if len(table.Event.Where) > 0 {
		at := b.spec.Events[table.Event.Index].Where
		return fmt.Sprintf("of the condition of event %s the agent has to tell a part: %v", table.Event.Name, table.Event.Where[0].InC()), at.Pos
	}
	for i, c := range table.Key {
		if err := c.Expr.InC(); err != nil {
			return fmt.Sprintf("%s: %v", c.Label, err), t.Key[i].Pos
		}
	}
	if table.KeySize > mostKernelKey {
		return fmt.Sprintf("its key has %d bytes, more than the %d of one in the kernel", table.KeySize, mostKernelKey), t.Name.Pos
	}
	for i, c := range table.Cells {
		if err := cellInC(c.Expr); err != nil {
			return fmt.Sprintf("%s: %v", c.Label, err), t.Cells[i].Pos
		}
	}
	if table.Words > mostWords {
		return fmt.Sprintf("its cells have %d words, more than the %d of a value in the kernel", table.Words, mostWords), t.Name.Pos
	}
	return "", diag.Pos{}
}
