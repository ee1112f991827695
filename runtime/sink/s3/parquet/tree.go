// SPDX-License-Identifier: Apache-2.0

package parquet

import (
	"slices"
	"strconv"
	"strings"

	"github.com/parquet-go/parquet-go"
)

// node is a part of a file's schema: a column, or what has several, by the
// paths of their names.
type node struct {
	name   string
	column *column // nil: it has parts
	parts  []*node
}

const (
	mostColumns = 4096
	mostDepth   = 16
)

// treeOf is the root of columns. Those that share a part of their path stand
// beside each other.
func treeOf(columns []column) (*node, error) {
	root := &node{}
	if len(columns) > mostColumns {
		return nil, errDamaged
	}
	for i := range columns {
		path := strings.Split(columns[i].Name, ".")
		if len(path) > mostDepth {
			return nil, errDamaged
		}
		at := root
		for depth, name := range path {
			next := at.part(name)
			switch last := depth == len(path)-1; {
			case name == "", at.column != nil, next != nil && (last || next != at.parts[len(at.parts)-1]):
				return nil, errDamaged
			case next == nil:
				next = &node{name: name}
				at.parts = append(at.parts, next)
			}
			at = next
		}
		at.column = &columns[i]
	}
	return root, nil
}

func (n *node) part(name string) *node {
	if i := slices.IndexFunc(n.parts, func(p *node) bool { return p.name == name }); i >= 0 {
		return n.parts[i]
	}
	return nil
}

// isList reports whether the parts are 0, 1, 2 ... and alike: an array.
func (n *node) isList() bool {
	for i, p := range n.parts {
		if p.name != strconv.Itoa(i) || !alike(p, n.parts[0]) {
			return false
		}
	}
	return len(n.parts) > 0
}

// alike reports whether values of a and b can be in the same columns of a file.
func alike(a, b *node) bool {
	if a.column != nil && b.column != nil {
		x, y := a.column, b.column
		return x.Kind == y.Kind && x.Of == y.Of && x.Null == y.Null
	}
	if a.column != nil || b.column != nil || len(a.parts) != len(b.parts) {
		return false
	}
	for i := range a.parts {
		if a.parts[i].name != b.parts[i].name || !alike(a.parts[i], b.parts[i]) {
			return false
		}
	}
	return true
}

// parquet is the node as the library has it.
func (n *node) parquet() parquet.Node {
	switch {
	case n.column != nil:
		return n.column.parquet()
	case n.isList():
		return parquet.List(n.parts[0].parquet())
	}
	return n.group()
}

func (n *node) group() parquet.Node {
	var fields []parquet.Field
	for _, p := range n.parts {
		fields = append(fields, field(p.name, p.parquet()))
	}
	return groupOf(fields...)
}

// parquet is the column as the library has it.
func (c *column) parquet() parquet.Node {
	var n parquet.Node
	switch c.Kind {
	case words:
		n = parquet.List(leaf(text))
	case buckets:
		n = parquet.List(groupOf(field("le", parquet.Optional(leaf(c.Of))), field("n", leaf(unsigned))))
	case quantiles:
		var fields []parquet.Field
		for _, name := range probabilities {
			fields = append(fields, field(name, parquet.Optional(leaf(float))))
		}
		n = groupOf(fields...)
	case top:
		n = parquet.List(groupOf(field("value", parquet.Optional(leaf(c.Of))), field("n", leaf(unsigned)), field("over", leaf(unsigned))))
	default:
		n = leaf(c.Kind)
	}
	if c.Null {
		return parquet.Optional(n)
	}
	return n
}

// leaf is a column of a file. Values that come again and again, as most do, are
// kept once.
func leaf(k kind) parquet.Node {
	switch k {
	case moment:
		return parquet.Encoded(parquet.Timestamp(parquet.Nanosecond), &parquet.DeltaBinaryPacked)
	case unsigned:
		return parquet.Encoded(parquet.Uint(64), &parquet.RLEDictionary)
	case signed:
		return parquet.Encoded(parquet.Int(64), &parquet.RLEDictionary)
	case boolean:
		return parquet.Leaf(parquet.BooleanType)
	case float:
		return parquet.Leaf(parquet.DoubleType)
	}
	return parquet.Encoded(parquet.String(), &parquet.RLEDictionary)
}

// group is the library's, but with its fields in their order.
type group struct {
	parquet.Group
	fields []parquet.Field
}

// Fields are those of the group.
func (g group) Fields() []parquet.Field { return g.fields }

func groupOf(fields ...parquet.Field) group { return group{fields: fields} }

func field(name string, n parquet.Node) parquet.Field { return parquet.Group{name: n}.Fields()[0] }
