// SPDX-License-Identifier: Apache-2.0

package parquet

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/parquet-go/parquet-go"
)

// plan is how rows of a schema become a file's columns.
type plan struct {
	file   *parquet.Schema
	head   string
	places []place // of each column of the schema
	leaves int     // columns of the file
}

// place is where a column's values go: into one of the file's columns, or, of a
// kind that has several, also into those that follow. Since arrays are of a
// fixed length, the levels of a value are the same in each row. (What levels are:
// parquet-format, "Nested Encoding".)
type place struct {
	column
	same  []byte // of a constant
	leaf  int
	rep   int // repetition level of a row's first value here
	def   int // definition level of a value that is null
	depth int // how many arrays it is in
}

var errDamaged = errors.New("the batch is damaged, and cannot be made a file")

// parsePlan reads a head that may be damaged. Without constants it leaves those
// out, which are not in rows either: some engines take no column that is a folder
// as well.
func parsePlan(head []byte, withoutConstants bool) (*plan, error) {
	var s schema
	if err := json.Unmarshal(head, &s); err != nil {
		return nil, fmt.Errorf("%w: %w", errDamaged, err)
	}
	isConstant := func(c column) bool { return c.Kind == constant }
	rest := slices.DeleteFunc(slices.Clone(s.Columns), isConstant)
	// Each row takes bytes, so that they come to an end.
	if len(rest) == 0 || slices.ContainsFunc(s.Columns, column.isWrong) {
		return nil, errDamaged
	}
	if withoutConstants {
		s.Columns = rest
	}
	root, err := treeOf(s.Columns)
	if err != nil {
		return nil, err
	}
	p := &plan{head: string(head), file: parquet.NewSchema(s.Name, root.group())}
	p.place(root, place{}, false)
	return p, nil
}

// isWrong reports whether rows cannot have such a column.
func (c column) isWrong() bool {
	switch c.Kind {
	case 0:
		return true
	case buckets:
		return c.Of != unsigned && c.Of != signed
	case top:
		return !slices.Contains([]kind{boolean, unsigned, signed, float, moment, text}, c.Of)
	}
	return c.Of != 0
}

// leaves is how many columns of a file it becomes.
func (c *column) leaves() int {
	switch c.Kind {
	case buckets:
		return 2
	case quantiles:
		return len(probabilities)
	case top:
		return 3
	}
	return 1
}

// place gives the columns of n, and of what is in it, their places from at on.
// Elements of an array have the same.
func (p *plan) place(n *node, at place, list bool) (next int) {
	if n.column != nil {
		at.column, at.same = *n.column, []byte(n.column.Same)
		p.places = append(p.places, at)
		at.leaf += at.leaves()
		p.leaves = max(p.leaves, at.leaf)
		return at.leaf
	}
	for i, part := range n.parts {
		in := at
		if list {
			in.def, in.depth = at.def+1, at.depth+1
			if i > 0 {
				in.rep = in.depth
			}
		}
		next = p.place(part, in, part.isList())
		if !list {
			at.leaf = next
		}
	}
	return next
}
