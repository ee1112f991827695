// SPDX-License-Identifier: Apache-2.0

package emit

import (
	"strconv"

	"github.com/dave/jennifer/jen"

	"github.com/redsift/ingraind/gen/internal/model"
)

// keyWords is the key of an event, word by word, and what has to be done
// before. Numbers and bytes of the event go from registers to registers: the
// processor waits for what is stored in parts and loaded as a whole.
//
//	comm0, ended := agg.Text8(agg.Load8(v.fixed[8:]))
//	comm1 := uint64(0)
//	if !ended {
//		comm1, _ = agg.Text8(agg.Load8(v.fixed[16:]))
//	}
//	k := [3]uint64{comm0, comm1, uint64(v.WhoUID()) | uint64(v.Port())<<32}
func keyWords(t *model.Table, words int) (before, values []jen.Code) {
	parts := make([][]jen.Code, words)
	for _, c := range t.Key {
		source := bytesOf(t.Event, c)
		switch {
		case source != nil && isText(c) && c.Offset%8 == 0 && c.Leaf.Size%8 == 0:
			before = append(before, textWords(c, *source)...)
			for i := range c.Leaf.Size / 8 {
				parts[c.Offset/8+i] = append(parts[c.Offset/8+i], jen.Id(textWord(c, i)))
			}
		case source != nil && !isText(c):
			pieces(parts, c, *source)
		case c.Expr.WordGo().Code != "":
			parts[c.Offset/8] = append(parts[c.Offset/8], shifted(code(c.Expr.WordGo()), c.Offset%8))
		default:
			name := lowerFirst(exported(c.Label)) + "Bytes"
			before = append(before, jen.Var().Id(name).Index(jen.Lit(c.Leaf.Size)).Byte(), store(c.Expr, name+"[:]"))
			pieces(parts, c, bytesAt{jen.Id(name), 0})
		}
	}
	for _, p := range parts {
		if len(p) == 0 {
			values = append(values, jen.Lit(0))
			continue
		}
		word := jen.Add(p[0])
		for _, more := range p[1:] {
			word.Op("|").Add(more)
		}
		values = append(values, word)
	}
	return before, values
}

// bytesAt are bytes from some place on in a slice or an array.
type bytesAt struct {
	in   *jen.Statement
	from int
}

func (b bytesAt) slice(from, n int) jen.Code {
	return jen.Add(b.in).Index(jen.Lit(b.from+from), jen.Lit(b.from+from+n))
}

// bytesOf is where in an event the bytes of a column are, if they are no
// number and there as they are in the key.
func bytesOf(e *model.Event, c *model.Column) *bytesAt {
	path, plain := c.Expr.Field()
	if !plain || c.Expr.WordGo().Code != "" {
		return nil
	}
	for leaf := range model.Leaves(e.Fields) {
		if leaf.Path == path && leaf.Leaf.Type == c.Leaf.Type && leaf.Leaf.Size == c.Leaf.Size && leaf.Leaf.Room == 0 {
			return &bytesAt{jen.Id("v").Dot("fixed"), leaf.Offset}
		}
	}
	return nil
}

func isText(c *model.Column) bool { return c.Leaf.Type == "TypeString" }

func textWord(c *model.Column, i int) string {
	return lowerFirst(exported(c.Label)) + strconv.Itoa(i)
}

// textWords are the words of a text, and what follows its first NUL zeroed.
func textWords(c *model.Column, source bytesAt) []jen.Code {
	ended := lowerFirst(exported(c.Label)) + "Ended"
	word := func(i int) jen.Code { return ag("Text8").Call(ag("Load8").Call(source.slice(8*i, 8))) }
	n := c.Leaf.Size / 8
	first := jen.List(jen.Id(textWord(c, 0)), jen.Id(ended))
	if n == 1 {
		first = jen.List(jen.Id(textWord(c, 0)), jen.Id("_"))
	}
	all := []jen.Code{first.Op(":=").Add(word(0))}
	for i := 1; i < n; i++ {
		end := ended
		if i == n-1 {
			end = "_"
		}
		all = append(all,
			jen.Id(textWord(c, i)).Op(":=").Uint64().Call(jen.Lit(0)),
			jen.If(jen.Op("!").Id(ended)).Block(jen.List(jen.Id(textWord(c, i)), jen.Id(end)).Op("=").Add(word(i))),
		)
	}
	return all
}

// pieces adds the bytes of a column to the words that they are in.
func pieces(parts [][]jen.Code, c *model.Column, source bytesAt) {
	for done := 0; done < c.Leaf.Size; {
		at := c.Offset + done
		n := 8
		for n > c.Leaf.Size-done || n > 8-at%8 {
			n /= 2
		}
		var load *jen.Statement
		switch n {
		case 8:
			load = ag("Load8").Call(source.slice(done, 8))
		case 1:
			load = jen.Uint64().Call(jen.Add(source.in).Index(jen.Lit(source.from + done)))
		default:
			load = jen.Uint64().Call(jen.Qual(binary, "LittleEndian").Dot("Uint" + strconv.Itoa(8*n)).Call(source.slice(done, n)))
		}
		parts[at/8] = append(parts[at/8], shifted(load, at%8))
		done += n
	}
}

func shifted(value *jen.Statement, bytes int) jen.Code {
	if bytes == 0 {
		return value
	}
	return jen.Add(value).Op("<<").Lit(8 * bytes)
}
