// SPDX-License-Identifier: Apache-2.0

package emit

import (
	"strings"

	"github.com/dave/jennifer/jen"

	"github.com/redsift/ingraind/gen/internal/model"
)

const binary = "encoding/binary"

// event is all of one event.
func event(f *jen.File, importPath, grain string, e *model.Event) {
	f.Commentf("%s is the event %s in memory of its own: %s", e.Go, e.Name, e.Help)
	f.Type().Id(e.Go).Struct(append([]jen.Code{jen.Id("Time").Qual("time", "Time")}, members(e)...)...)

	f.Commentf("%sView reads the event %s where it lies, in a record's body.", e.Go, e.Name)
	f.Type().Id(e.Go+"View").Struct(
		jen.Id("fixed").Op("*").Index(jen.Lit(e.Whole())).Byte(),
		jen.Id("tail").Index().Byte(),
	)
	f.Add(makeView(e))
	for leaf := range model.Leaves(e.Fields) {
		f.Add(accessor(e, leaf))
	}
	if e.Parse != nil {
		f.Add(parsed(e))
	}
	f.Add(copyEvent(e))
	f.Add(check(e))
	if e.Parse != nil {
		dir := besidePath(importPath, e)
		f.ImportAlias(dir, "beside")
		f.Add(parser(dir, e))
	}
	if len(e.Where) > 0 {
		f.Add(where(e))
	}
	f.Add(appendJSON(grain, e))
	f.Add(appendValues(e))
}

// members are the fields of an event's Go struct.
func members(e *model.Event) []jen.Code {
	out := fieldsOf(e.Fields)
	if e.Parse != nil {
		out = append(out, jen.Id("Parsed").Bool().Comment("// "+parsedHelp(e)))
	}
	return out
}

// fieldsOf are the fields of a Go struct.
func fieldsOf(fields []*model.Field) []jen.Code {
	var out []jen.Code
	for _, f := range fields {
		m := jen.Id(f.Go).Add(goType(f))
		if f.Help != "" {
			m = m.Comment("// " + f.Help)
		}
		out = append(out, m)
	}
	return out
}

func goType(f *model.Field) jen.Code {
	switch {
	case f.Struct != nil && f.Struct.Shared:
		return rt("Who")
	case f.Struct != nil:
		return jen.Id(f.Struct.Go)
	case f.Leaf == nil:
		return jen.Index(jen.Lit(len(f.Fields))).Add(goType(f.Fields[0]))
	}
	switch f.Leaf.Type {
	case "TypeString":
		return jen.String()
	case "TypeText", "TypeRaw":
		return rt("Text")
	case "TypeWords":
		return rt("Words")
	case "TypeIP", "TypeIP4":
		return jen.Qual("net/netip", "Addr")
	case "TypeDuration":
		return jen.Qual("time", "Duration")
	case "TypeMoment":
		return jen.Qual("time", "Time")
	case "TypeHex", "TypeMAC":
		return jen.Index(jen.Lit(f.Leaf.Size)).Byte()
	}
	return jen.Id(numberType(f.Leaf))
}

// numberType is the Go type of a leaf that is a number.
func numberType(l *model.Leaf) string {
	if l.Type == "TypeBool" {
		return "bool"
	}
	name := map[int]string{1: "int8", 2: "int16", 4: "int32", 8: "int64"}[l.Size]
	if l.Signed {
		return name
	}
	return "u" + name
}

// makeView is the only way to a view from bytes that nobody has checked:
//
//	func NewExecView(body []byte) (ExecView, bool) {
//		if len(body) < 104 {
//			return ExecView{}, false
//		}
//		v := ExecView{(*[104]byte)(body), body[104:]}
//		return v, runtime.TailOK(v.tail, v.fixed[56:64]) && ...
//	}
func makeView(e *model.Event) jen.Code {
	ok := jen.True()
	for leaf := range model.Leaves(e.Fields) {
		if leaf.Leaf.Room == 0 {
			continue
		}
		one := rt("TailOK").Call(jen.Id("v").Dot("tail"), fixed(leaf))
		if ok.GoString() == "true" {
			ok = one
		} else {
			ok = ok.Op("&&").Line().Add(one)
		}
	}
	about := []string{"New" + e.Go + "View is a view on body, which is what follows the head of a record;", "false when that is not a whole event."}
	if e.Parse != nil {
		about[0] = "New" + e.Go + "View is a view on body, which is what runtime.Event.Whole returns;"
	}
	return doc(about...).Func().Id("New"+e.Go+"View").Params(jen.Id("body").Index().Byte()).Params(jen.Id(e.Go+"View"), jen.Bool()).Block(
		jen.If(jen.Len(jen.Id("body")).Op("<").Lit(e.Whole())).Block(
			jen.Return(jen.Id(e.Go+"View").Values(), jen.False()),
		),
		jen.Id("v").Op(":=").Add(viewOf(e, jen.Id("body"))),
		jen.Return(jen.Id("v"), ok),
	).Line()
}

// viewOf is ExecView{(*[104]byte)(body), body[104:]}.
func viewOf(e *model.Event, body jen.Code) *jen.Statement {
	return jen.Id(e.Go+"View").Values(
		jen.Parens(jen.Op("*").Index(jen.Lit(e.Whole())).Byte()).Parens(body),
		jen.Add(body).Index(jen.Lit(e.Whole()), jen.Empty()),
	)
}

// fixed is v.fixed[offset:end] of a leaf.
func fixed(f *model.Field) *jen.Statement {
	return jen.Id("v").Dot("fixed").Index(jen.Lit(f.Offset), jen.Lit(f.Offset+f.Leaf.Size))
}

// accessorName is the Go path of a leaf in one word: WhoPID.
func accessorName(e *model.Event, leaf *model.Field) string {
	var name strings.Builder
	for _, f := range pathTo(e.Fields, leaf) {
		name.WriteString(f.Go)
	}
	return name.String()
}

// pathTo are the fields from the event's member to leaf.
func pathTo(fields []*model.Field, leaf *model.Field) []*model.Field {
	for _, f := range fields {
		if f == leaf {
			return []*model.Field{f}
		}
		if rest := pathTo(f.Fields, leaf); rest != nil {
			return append([]*model.Field{f}, rest...)
		}
	}
	return nil
}

// accessor reads one leaf:
//
//	func (v ExecView) WhoPID() int32 { return int32(binary.LittleEndian.Uint32(v.fixed[24:28])) }
func accessor(e *model.Event, leaf *model.Field) jen.Code {
	name := accessorName(e, leaf)
	about := name + " is " + leaf.Path + "."
	if leaf.Help != "" {
		about = name + " is " + leaf.Path + ": " + leaf.Help
	}
	method := func(result jen.Code, value jen.Code) jen.Code {
		return doc(about).Func().Params(jen.Id("v").Id(e.Go + "View")).Id(name).Params().Add(result).Block(jen.Return(value)).Line()
	}
	switch leaf.Leaf.Type {
	case "TypeString":
		return method(jen.Index().Byte(), rt("CString").Call(fixed(leaf)))
	case "TypeText", "TypeWords", "TypeRaw":
		return method(jen.Params(jen.Index().Byte(), rt("TailState")), rt("Tail").Call(jen.Id("v").Dot("tail"), fixed(leaf)))
	case "TypeIP", "TypeIP4", "TypeHex", "TypeMAC":
		return method(jen.Index().Byte(), fixed(leaf))
	case "TypeBool":
		return method(jen.Bool(), jen.Id("v").Dot("fixed").Index(jen.Lit(leaf.Offset)).Op("!=").Lit(0))
	}
	var value *jen.Statement
	switch leaf.Leaf.Size {
	case 1:
		value = jen.Id("v").Dot("fixed").Index(jen.Lit(leaf.Offset))
	case 2:
		value = jen.Qual(binary, "LittleEndian").Dot("Uint16").Call(fixed(leaf))
	case 4:
		value = jen.Qual(binary, "LittleEndian").Dot("Uint32").Call(fixed(leaf))
	default:
		value = jen.Qual(binary, "LittleEndian").Dot("Uint64").Call(fixed(leaf))
	}
	if leaf.Leaf.Signed {
		value = jen.Id(numberType(leaf.Leaf)).Call(value)
	}
	return method(jen.Id(numberType(leaf.Leaf)), value)
}

// copyEvent makes an event of its own memory from a record.
func copyEvent(e *model.Event) jen.Code {
	fields := []jen.Code{key("Time", jen.Qual("time", "Unix").Call(jen.Lit(0), jen.Id("r").Dot("Time")))}
	fields = append(fields, copies(e, e.Fields)...)
	if e.Parse != nil {
		fields = append(fields, key("Parsed", jen.Id("v").Dot("Parsed").Call()))
	}
	return doc(
		"Decode"+e.Go+" copies the event out of a record; false when that does not hold a",
		"whole one.",
	).Func().Id("Decode"+e.Go).Params(jen.Id("r").Add(rt("Record"))).Params(jen.Id(e.Go), jen.Bool()).Block(
		jen.List(jen.Id("v"), jen.Id("ok")).Op(":=").Id("New"+e.Go+"View").Call(jen.Id("r").Dot("Body")),
		jen.If(jen.Op("!").Id("ok")).Block(jen.Return(jen.Id(e.Go).Values(), jen.False())),
		jen.Return(jen.Id(e.Go).Add(record(fields...)), jen.True()),
	).Line()
}

func copies(e *model.Event, fields []*model.Field) []jen.Code {
	var out []jen.Code
	for _, f := range fields {
		out = append(out, key(f.Go, copyOf(e, f)))
	}
	return out
}

// copyOf is a field in memory of its own.
func copyOf(e *model.Event, f *model.Field) jen.Code {
	if f.Leaf == nil {
		return jen.Add(goType(f)).Add(parts(e, f))
	}
	get := jen.Id("v").Dot(accessorName(e, f)).Call()
	switch f.Leaf.Type {
	case "TypeString":
		return jen.String().Call(get)
	case "TypeText", "TypeRaw":
		return rt("CopyText").Call(get)
	case "TypeWords":
		return rt("CopyWords").Call(get)
	case "TypeIP", "TypeIP4":
		return rt("Addr").Call(get)
	case "TypeDuration":
		return jen.Qual("time", "Duration").Call(get)
	case "TypeMoment":
		return rt("Moment").Call(get, jen.Id("r").Dot("Offset"))
	case "TypeHex", "TypeMAC":
		return jen.Index(jen.Lit(f.Leaf.Size)).Byte().Call(get)
	}
	return get
}

// parts is a struct or an array without its type, which its elements need not
// repeat.
func parts(e *model.Event, f *model.Field) jen.Code {
	if f.Struct != nil {
		return record(copies(e, f.Fields)...)
	}
	var elements []jen.Code
	nested := false
	for _, element := range f.Fields {
		if element.Leaf != nil {
			elements = append(elements, copyOf(e, element))
			continue
		}
		nested = true
		elements = append(elements, parts(e, element))
	}
	if nested {
		return record(elements...)
	}
	return jen.Values(elements...)
}

func check(e *model.Event) jen.Code {
	if e.Parse != nil {
		return checkRaw(e)
	}
	return jen.Func().Id("check"+e.Go).Params(jen.Id("body").Index().Byte()).Bool().Block(
		jen.List(jen.Id("_"), jen.Id("ok")).Op(":=").Id("New"+e.Go+"View").Call(jen.Id("body")),
		jen.Return(jen.Id("ok")),
	).Line()
}
