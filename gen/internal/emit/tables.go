// SPDX-License-Identifier: Apache-2.0

package emit

import (
	"path"
	"strings"
	"time"
	"unicode"

	"github.com/dave/jennifer/jen"

	"github.com/redsift/ingraind/gen/internal/expr"
	"github.com/redsift/ingraind/gen/internal/model"
)

// Agg is the import path of what tables count with.
const Agg = Runtime + "/agg"

func ag(name string) *jen.Statement { return jen.Qual(Agg, name) }

// code is an expression of Go that package expr has printed, its packages
// imported.
func code(printed expr.GoCode) *jen.Statement {
	out, text := jen.Null(), printed.Code
	for {
		first, name, importPath := len(text), "", ""
		for _, p := range printed.Imports {
			if i := strings.Index(text, path.Base(p)+"."); i >= 0 && i < first {
				first, importPath = i, p
			}
		}
		if importPath == "" {
			return out.Op(text)
		}
		rest := text[first+len(path.Base(importPath))+1:]
		name = rest[:strings.IndexFunc(rest+" ", func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })]
		out.Op(text[:first]).Qual(importPath, name)
		text = rest[len(name):]
	}
}

// store is the statement with which an expression writes its value to bytes.
func store(e *expr.Expr, dst string) *jen.Statement { return code(e.StoreGo(dst)) }

// where is the part of an event's condition that the agent tells:
//
//	func wantsOpen(r *runtime.Record, params []int64) bool {
//		v := OpenView{(*[56]byte)(r.Body), r.Body[56:]}
//		return runtime.Contains(v.Path(), "secret")
//	}
func where(e *model.Event) jen.Code {
	all := jen.Null()
	for i, part := range e.Where {
		if i > 0 {
			all.Op("&&").Line()
		}
		all.Add(code(part.Go()))
	}
	return doc("wants"+e.Go+" reports whether an event is wanted, as far as the kernel could not tell.").
		Func().Id("wants"+e.Go).Params(jen.Id("r").Op("*").Add(rt("Record")), jen.Id("params").Index().Int64()).Bool().Block(
		jen.Id("v").Op(":=").Add(viewOf(e, jen.Id("r").Dot("Body"))),
		jen.Return(all),
	).Line()
}

// patterns are the regular expressions of all conditions, each once:
//
//	var pattern1 = regexp.MustCompile("^a")
func patterns(g *model.Grain) []jen.Code {
	var all []jen.Code
	seen := map[string]bool{}
	for _, e := range g.Events {
		for _, part := range e.Where {
			for _, p := range part.Go().Patterns {
				if !seen[p.Name] {
					seen[p.Name] = true
					all = append(all, jen.Var().Id(p.Name).Op("=").Qual("regexp", "MustCompile").Call(jen.Lit(p.RE2)).Line())
				}
			}
		}
	}
	return all
}

// tableValue is a table in New:
//
//	{
//		Name:  "by_peer",
//		Event: 3,
//		Every: 10 * time.Second,
//		...
//	}
func tableValue(t *model.Table) jen.Code {
	var key, cells []jen.Code
	for _, c := range t.Key {
		values := []jen.Code{
			jen.Id("Field").Op(":").Add(fieldValue(c.Label, c.Leaf.Type, c.Expr.String(), c.Leaf.Enum)),
			jen.Id("Offset").Op(":").Lit(c.Offset), jen.Id("Size").Op(":").Lit(c.Leaf.Size),
		}
		if c.Leaf.Signed {
			values = append(values, jen.Id("Signed").Op(":").True())
		}
		if t.Dense > 0 {
			values = append(values, jen.Id("Count").Op(":").Lit(c.Count))
		}
		key = append(key, jen.Values(values...))
	}
	for _, c := range t.Cells {
		cells = append(cells, cellValue(c))
	}
	fields := []jen.Code{keyed("Name", jen.Lit(t.Name)), keyed("Help", jen.Lit(t.Help))}
	if t.Measure != "" {
		fields = append(fields, keyed("Measurement", jen.Lit(t.Measure)))
	}
	fields = append(fields, keyed("Event", jen.Lit(t.Event.Index)), keyed("Every", duration(t.Every)))
	if t.Idle > 0 {
		fields = append(fields, keyed("Idle", duration(t.Idle)))
	}
	fields = append(fields, keyed("Max", jen.Lit(t.Max)))
	if len(t.Sinks) > 0 {
		fields = append(fields, keyed("Sinks", stringList(t.Sinks)))
	}
	if len(key) > 0 {
		fields = append(fields, keyed("Key", list(rt("KeyColumn"), key)), keyed("KeySize", jen.Lit(t.KeySize)))
	}
	fields = append(fields, keyed("Cells", list(rt("Cell"), cells)))
	if t.Kernel {
		fields = append(fields, keyed("Map", jen.Lit(t.Name)))
		if t.Dense > 0 {
			fields = append(fields, keyed("Dense", jen.Lit(t.Dense)))
		}
	} else {
		fields = append(fields, keyed("New", jen.Id("new"+t.Go)))
	}
	return record(fields...)
}

func keyed(name string, value jen.Code) jen.Code { return key(name, value) }

func fieldValue(name, kind, help string, enum *model.Enum, more ...jen.Code) *jen.Statement {
	values := []jen.Code{keyed("Name", jen.Lit(name)), keyed("Type", rt(kind)), keyed("Help", jen.Lit(help))}
	if enum != nil {
		values = append(values, keyed("Enum", jen.Id(enumFunc(enum))))
	}
	return rt("Field").Values(append(values, more...)...)
}

// duration is d in its largest whole unit: 10 * time.Second.
func duration(d time.Duration) jen.Code {
	for _, unit := range []struct {
		name string
		size time.Duration
	}{{"Hour", time.Hour}, {"Minute", time.Minute}, {"Second", time.Second}, {"Millisecond", time.Millisecond}, {"Microsecond", time.Microsecond}} {
		if d%unit.size == 0 {
			return jen.Lit(int(d/unit.size)).Op("*").Qual("time", unit.name)
		}
	}
	return jen.Lit(int(d))
}

func exported(label string) string { return model.GoName(label) }

// typeName is what the Go type of a table is called.
func typeName(t *model.Table) string { return lowerFirst(t.Go) + "Table" }

func lowerFirst(name string) string { return strings.ToLower(name[:1]) + name[1:] }

// cellValue is a cell in New:
//
//	{Field: runtime.Field{Name: "bytes", Type: runtime.TypeBytes, Help: "sum(size)"}, State: agg.Cell{Kind: agg.Sum}, Word: 1}
func cellValue(c *model.Cell) jen.Code {
	kind := "TypeUint"
	var enum *model.Enum
	if c.Leaf != nil && c.Expr.Kind != "Distinct" {
		kind, enum = c.Leaf.Type, c.Leaf.Enum
	}
	state := []jen.Code{keyed("Kind", ag(c.Expr.Kind))}
	if c.Leaf != nil && c.Leaf.Signed {
		state = append(state, keyed("Signed", jen.True()))
	}
	switch strings.ToLower(c.Expr.Kind) {
	case "exp2":
		state = append(state, keyed("Bits", jen.Lit(c.Words-1)))
	case "linear":
		state = append(state, keyed("Start", jen.Lit(int(c.Expr.Start))), keyed("Width", jen.Lit(int(c.Expr.Width))), keyed("N", jen.Lit(c.Expr.N)))
	case "buckets":
		var bounds []jen.Code
		for _, b := range c.Expr.Bounds {
			bounds = append(bounds, jen.Lit(int(b)))
		}
		state = append(state, keyed("Bounds", jen.Index().Int64().Values(bounds...)))
	case "top":
		state = append(state, keyed("N", jen.Lit(c.Expr.N)))
	}
	var more []jen.Code
	if c.Sum > 0 {
		more = append(more, keyed("Sum", jen.Lit(c.Sum)))
	}
	values := []jen.Code{
		keyed("Field", fieldValue(c.Label, kind, c.Text, enum, more...)),
		keyed("State", ag("Cell").Values(state...)),
	}
	if c.Words > 0 {
		values = append(values, keyed("Word", jen.Lit(c.Word)))
	}
	return jen.Values(values...)
}

// agentTable is a table in the agent: what counts an event in it, and what
// reads it.
//
//	type byPeerTable struct {
//		*agg.Table[[5]uint64, [3]uint64]
//		seed   agg.Seed
//		params []int64
//	}
func agentTable(t *model.Table) jen.Code {
	name := typeName(t)
	words := max(t.KeySize/8, 1)
	width := max(t.Words, 7-words) // hash, key and cells fill a cache line
	key, cells := jen.Index(jen.Lit(words)).Uint64(), jen.Index(jen.Lit(width)).Uint64()
	withObjects := len(objects(t)) > 0
	words0 := jen.Id("cells").Index(jen.Empty(), jen.Empty())
	if width > t.Words {
		words0 = jen.Id("cells").Index(jen.Empty(), jen.Lit(t.Words))
	}
	if withObjects {
		cells, words0 = jen.Id(lowerFirst(t.Go)+"Cells"), jen.Id("t").Dot("read").Call(jen.Id("cells"))
	}
	made := []jen.Code{jen.Id("Table").Op(":").Id("table"), jen.Id("seed").Op(":").Id("table").Dot("Seed").Call()}
	param := jen.Id("_")
	params, values := pools(t)
	made = append(made, values...)
	if t.Params() {
		param, params, made = jen.Id("params"), append(params, jen.Id("params").Index().Int64()), append(made, jen.Id("params").Op(":").Id("params"))
	}
	method := func(name, about string, params, result jen.Code, body ...jen.Code) jen.Code {
		return doc(about).Func().Params(jen.Id("t").Op("*").Id(typeName(t))).Id(name).Params(params).Add(result).Block(body...).Line()
	}
	return jen.Add(
		doc(name+" is the table "+t.Name+" in the agent: "+t.Help),
		jen.Type().Id(name).Struct(append([]jen.Code{jen.Op("*").Add(ag("Table")).Types(key, cells), jen.Id("seed").Add(ag("Seed"))}, params...)...).Line().Line(),
		jen.Func().Id("new"+t.Go).Params(jen.Id("max").Int(), param.Index().Int64()).Add(rt("Group")).Block(
			jen.Id("table").Op(":=").Add(ag("New").Types(key, cells).Call(jen.Id("max"))),
			jen.Return(jen.Op("&").Id(name).Add(record(made...))),
		).Line().Line(),
		method("Update", "Update counts one event.", jen.Id("r").Op("*").Add(rt("Record")), jen.Null(), update(t, words)...),
		method("Each", "Each calls row with each key and its cells.",
			jen.Id("row").Func().Params(jen.Id("key").Index().Byte(), jen.Id("words").Index().Uint64(), jen.Id("past").Bool()), jen.Null(),
			jen.Var().Id("b").Index(jen.Lit(8*words)).Byte(),
			jen.Id("t").Dot("Table").Dot("Each").Call(jen.Func().Params(jen.Id("key").Op("*").Add(key), jen.Id("cells").Op("*").Add(cells)).Block(
				jen.For(jen.List(jen.Id("i"), jen.Id("word")).Op(":=").Range().Id("key")).Block(
					jen.Qual(binary, "LittleEndian").Dot("PutUint64").Call(jen.Id("b").Index(jen.Lit(8).Op("*").Id("i"), jen.Empty()), jen.Id("word")),
				),
				jen.Id("row").Call(jen.Id("b").Index(jen.Empty(), jen.Lit(t.KeySize)), words0, jen.False()),
			)),
			jen.If(jen.List(jen.Id("cells"), jen.Id("some")).Op(":=").Id("t").Dot("Overflow").Call(), jen.Id("some")).Block(
				jen.Id("row").Call(jen.Nil(), words0, jen.True()),
			),
		),
		objectMethods(t, key),
	)
}

func objectMethods(t *model.Table, key jen.Code) jen.Code {
	if len(objects(t)) == 0 {
		return jen.Null()
	}
	return jen.Add(objectCells(t), readObjects(t), resetObjects(t, key))
}

// update finds the cells of an event's key, and counts it in them.
func update(t *model.Table, words int) []jen.Code {
	in := jen.Id("c") // where the words are
	if len(objects(t)) > 0 {
		in = jen.Id("c").Dot("words")
	}
	body := []jen.Code{
		jen.Id("v").Op(":=").Add(viewOf(t.Event, jen.Id("r").Dot("Body"))),
	}
	if t.Params() {
		body = append(body, jen.Id("params").Op(":=").Id("t").Dot("params"))
	}
	before, all := keyWords(t, words)
	body = append(body, before...)
	body = append(body,
		jen.Id("k").Op(":=").Index(jen.Lit(words)).Uint64().Values(all...),
		jen.Id("s").Op(":=").Id("t").Dot("seed"),
		jen.Id("h").Op(":=").Add(hash(words)),
		jen.Id("near").Op(":=").Id("t").Dot("Near").Call(jen.Id("h")),
		jen.Id("c").Op(":=").Op("&").Id("near").Dot("Cells"),
		jen.If(jen.Op("!").Id("near").Dot("Holds").Call(jen.Id("h"), jen.Op("&").Id("k"))).Block(
			jen.Id("c").Op("=").Id("t").Dot("At").Call(jen.Id("h"), jen.Op("&").Id("k")),
		),
		jen.Id("n").Op(":=").Uint64().Call(jen.Id("r").Dot("Weight")),
		jen.Add(in).Index(jen.Lit(0)).Op("+=").Id("n"),
	)
	for _, c := range t.Cells {
		body = append(body, counted(c, in)...)
	}
	return append([]jen.Code{}, body...)
}

// hash is s.End(s.Mix(s.Mix(s.Start(), k[0], k[1]), k[2], 0)).
func hash(words int) jen.Code {
	h := jen.Id("s").Dot("Start").Call()
	for i := 0; i < words; i += 2 {
		second := jen.Lit(0)
		if i+1 < words {
			second = jen.Id("k").Index(jen.Lit(i + 1))
		}
		h = jen.Id("s").Dot("Mix").Call(h, jen.Id("k").Index(jen.Lit(i)), second)
	}
	return jen.Id("s").Dot("End").Call(h)
}

// counted counts an event in one cell.
func counted(c *model.Cell, in *jen.Statement) []jen.Code {
	at := jen.Add(in).Index(jen.Lit(c.Word))
	address := jen.Op("&").Add(at)
	var value *jen.Statement
	signed := false
	if c.Expr.Arg != nil {
		switch strings.ToLower(c.Expr.Kind) {
		case "quantiles", "distinct", "top":
			return addObject(c)
		}
		value, signed = code(c.Expr.Arg.Go()), c.Leaf.Signed
		if signed {
			value = jen.Uint64().Call(value)
		}
	}
	bucket := func(n jen.Code) []jen.Code {
		return []jen.Code{jen.Add(in).Index(jen.Lit(c.Word).Op("+").Add(n)).Op("+=").Id("n")}
	}
	switch strings.ToLower(c.Expr.Kind) {
	case "sum", "mean":
		return []jen.Code{jen.Add(at).Op("+=").Id("n").Op("*").Add(value)}
	case "min":
		return []jen.Code{ag("RaiseMin").Call(address, value, jen.Lit(signed))}
	case "max":
		return []jen.Code{ag("RaiseMax").Call(address, value, jen.Lit(signed))}
	case "last":
		return []jen.Code{ag("SetLast").Call(address, jen.Op("&").Add(in).Index(jen.Lit(c.Word+1)), jen.Uint64().Call(jen.Id("r").Dot("Time").Op("-").Id("r").Dot("Offset")), value)}
	case "exp2":
		return bucket(ag("Exp2Bucket").Call(value, jen.Lit(signed)))
	case "linear":
		return bucket(ag("LinearBucket").Call(value, bits(c.Expr.Start), bits(c.Expr.Width), jen.Lit(c.Expr.N), jen.Lit(signed)))
	case "buckets":
		var bounds []jen.Code
		for _, b := range c.Expr.Bounds {
			bounds = append(bounds, jen.Lit(int(b)))
		}
		return bucket(ag("BoundsBucket").Call(value, jen.Index().Int64().Values(bounds...), jen.Lit(signed)))
	}
	return nil
}

// bits is a number as the uint64 of its bits, which Go's constants are not
// converted to.
func bits(n int64) jen.Code { return jen.Lit(uint64(n)) }
