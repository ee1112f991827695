// SPDX-License-Identifier: Apache-2.0

package emit

import (
	"strings"

	"github.com/dave/jennifer/jen"

	"github.com/redsift/ingraind/gen/internal/model"
)

// objects are the cells of a table that are more than words: sketches, which
// packages of their own keep, so that only agents that have them link them.
func objects(t *model.Table) []*model.Cell {
	var all []*model.Cell
	for _, c := range t.Cells {
		switch strings.ToLower(c.Expr.Kind) {
		case "quantiles", "distinct", "top":
			all = append(all, c)
		}
	}
	return all
}

func sketch(c *model.Cell) *jen.Statement {
	return jen.Op("*").Qual(Agg+"/"+strings.ToLower(c.Expr.Kind), "Sketch")
}

// objectCells is the type of the cells of a table that has objects:
//
//	type slowestCells struct {
//		words   [6]uint64
//		latency *quantiles.Sketch
//	}
func objectCells(t *model.Table) jen.Code {
	fields := []jen.Code{jen.Id("words").Index(jen.Lit(t.Words)).Uint64()}
	for _, c := range objects(t) {
		fields = append(fields, jen.Id("of"+exported(c.Label)).Add(sketch(c)))
	}
	return jen.Type().Id(lowerFirst(t.Go) + "Cells").Struct(fields...).Line().Line()
}

// pools are the fields of a table that keep its objects, and how they begin.
func pools(t *model.Table) (fields, values []jen.Code) {
	for _, c := range objects(t) {
		name := "of" + exported(c.Label)
		var fresh jen.Code = jen.New(jen.Qual(Agg+"/"+strings.ToLower(c.Expr.Kind), "Sketch"))
		if c.Expr.Kind == "Top" {
			fresh = jen.Qual(Agg+"/top", "New").Call(jen.Lit(c.Expr.N), jen.Lit(c.Leaf.Size))
		}
		pool := ag("Pool").Types(sketch(c))
		fields = append(fields, jen.Id(name).Add(pool))
		values = append(values, jen.Id(name).Op(":").Add(pool).Values(jen.Id("New").Op(":").Func().Params().Add(sketch(c)).Block(jen.Return(fresh))))
	}
	if len(fields) > 0 {
		fields = append(fields, jen.Id("row").Index().Uint64().Comment("// the words of the row that is being read"))
	}
	return fields, values
}

// addObject counts an event in an object:
//
//	if c.ofLatency == nil {
//		c.ofLatency = t.ofLatency.Take()
//	}
//	c.ofLatency.Add(uint64(v.Latency()), n, false)
func addObject(c *model.Cell) []jen.Code {
	name := "of" + exported(c.Label)
	at := jen.Id("c").Dot(name)
	out := []jen.Code{jen.If(jen.Add(at).Op("==").Nil()).Block(jen.Add(at).Op("=").Id("t").Dot(name).Dot("Take").Call())}
	add := jen.Add(at).Dot("Add")
	if c.Expr.Kind == "Quantiles" {
		value := code(c.Expr.Arg.Go())
		if c.Leaf.Signed {
			value = jen.Uint64().Call(value)
		}
		return append(out, add.Call(value, jen.Id("n"), jen.Lit(c.Leaf.Signed)))
	}
	value := "value" + exported(c.Label)
	whole := jen.Id(value).Index(jen.Empty(), jen.Empty())
	out = append(out, jen.Var().Id(value).Index(jen.Lit(c.Leaf.Size)).Byte(), store(c.Expr.Arg, value+"[:]"))
	if c.Leaf.Type == "TypeString" || c.Leaf.Type == "TypeText" {
		whole = rt("CString").Call(whole)
	}
	hash := jen.Id("s").Dot("HashBytes").Call(whole)
	if c.Expr.Kind == "Top" {
		return append(out, add.Call(hash, whole, jen.Id("n")))
	}
	return append(out, add.Call(hash))
}

// readObjects is the method that makes the words of a row of a key's cells.
func readObjects(t *model.Table) jen.Code {
	body := []jen.Code{jen.Id("t").Dot("row").Op("=").Append(jen.Id("t").Dot("row").Index(jen.Empty(), jen.Lit(0)), jen.Id("c").Dot("words").Index(jen.Empty(), jen.Empty()).Op("..."))}
	row := jen.Id("t").Dot("row")
	for _, c := range objects(t) {
		at := jen.Id("c").Dot("of" + exported(c.Label))
		some := jen.If(jen.Add(at).Op("!=").Nil())
		if c.Expr.Kind == "Top" {
			body = append(body, some.Block(
				jen.Add(row).Index(jen.Lit(c.Word)).Op("=").Uint64().Call(jen.Len(row)),
				jen.Add(row).Op("=").Add(at).Dot("Append").Call(row),
			))
			continue
		}
		body = append(body, some.Block(jen.Add(at).Dot("Read").Call(jen.Add(row).Index(jen.Lit(c.Word), jen.Lit(c.Word+c.Words)))))
	}
	return doc("read is the words of a row.").
		Func().Params(jen.Id("t").Op("*").Id(typeName(t))).Id("read").Params(jen.Id("c").Op("*").Id(lowerFirst(t.Go) + "Cells")).Index().Uint64().
		Block(append(body, jen.Return(row))...).Line().Line()
}

// resetObjects is the method that gives all objects back.
func resetObjects(t *model.Table, key jen.Code) jen.Code {
	var give []jen.Code
	for _, c := range objects(t) {
		name := "of" + exported(c.Label)
		give = append(give, jen.If(jen.Id("c").Dot(name).Op("!=").Nil()).Block(jen.Id("t").Dot(name).Dot("Give").Call(jen.Id("c").Dot(name))))
	}
	cells := jen.Op("*").Id(lowerFirst(t.Go) + "Cells")
	return doc("Reset forgets all keys and keeps the memory.").
		Func().Params(jen.Id("t").Op("*").Id(typeName(t))).Id("Reset").Params().Block(
		jen.Id("give").Op(":=").Func().Params(jen.Id("_").Op("*").Add(key), jen.Id("c").Add(cells)).Block(give...),
		jen.Id("t").Dot("Table").Dot("Each").Call(jen.Id("give")),
		jen.List(jen.Id("past"), jen.Id("_")).Op(":=").Id("t").Dot("Overflow").Call(),
		jen.Id("give").Call(jen.Nil(), jen.Id("past")),
		jen.Id("t").Dot("Table").Dot("Reset").Call(),
	).Line().Line()
}
