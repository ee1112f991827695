// SPDX-License-Identifier: Apache-2.0

package emit

import (
	"path"

	"github.com/dave/jennifer/jen"

	"github.com/redsift/ingraind/gen/internal/model"
)

func parsedHelp(e *model.Event) string {
	return e.Parse.Func + " could read " + e.Parse.Raw.Member + "; else what it gives is null."
}

// parsed is the accessor of whether an event's bytes could be read:
//
//	func (v WordView) Parsed() bool { return v.fixed[76] != 0 }
func parsed(e *model.Event) jen.Code {
	return doc("Parsed says: " + parsedHelp(e)).
		Func().Params(jen.Id("v").Id(e.Go + "View")).Id("Parsed").Params().Bool().Block(
		jen.Return(jen.Id("v").Dot("fixed").Index(jen.Lit(e.Whole() - 1)).Op("!=").Lit(0)),
	).Line()
}

// checkRaw is the check of an event as programs send it, before it is parsed:
//
//	func checkWord(body []byte) bool {
//		return len(body) >= 48 && runtime.TailOK(body[48:], body[40:48])
//	}
func checkRaw(e *model.Event) jen.Code {
	whole := jen.Len(jen.Id("body")).Op(">=").Lit(e.Size)
	for leaf := range model.Leaves(e.Fields) {
		if leaf.Leaf.Room > 0 && !leaf.Parsed {
			whole.Op("&&").Line().Add(rt("TailOK").Call(
				jen.Id("body").Index(jen.Lit(e.Size), jen.Empty()),
				jen.Id("body").Index(jen.Lit(leaf.Offset), jen.Lit(leaf.Offset+leaf.Leaf.Size)),
			))
		}
	}
	return jen.Func().Id("check" + e.Go).Params(jen.Id("body").Index().Byte()).Bool().Block(jen.Return(whole)).Line()
}

func parserName(e *model.Event) string { return lowerFirst(e.Go) + "Parser" }

// besidePath is the import path of the Go beside the grain that is generated
// at importPath.
func besidePath(importPath string, e *model.Event) string {
	return path.Join(path.Dir(path.Dir(importPath)), e.Parse.Dir)
}

// parser is the method that puts behind an event's struct what the function of
// Go gives, in the order of the YAML, and 1:
//
//	type wordParser struct{ to beside.Said }
//
//	func (p *wordParser) parse(dst, body []byte) ([]byte, bool) {
//		dst = runtime.Extend(dst, body, 48, 29)
//		b, state := runtime.Tail(body[48:], body[40:48])
//		if state.Null() || !beside.Word(b, &p.to) {
//			return dst, false
//		}
//		dst[48] = p.to.Count
//		dst = runtime.AppendPart(dst, 49, 77, p.to.First, 16)
//		dst[76] = 1
//		return dst, true
//	}
//
// dir is the import path of the function's package.
func parser(dir string, e *model.Event) jen.Code {
	raw := e.Parse.Raw
	body := []jen.Code{
		set(rt("Extend").Call(jen.Id("dst"), jen.Id("body"), jen.Lit(e.Size), jen.Lit(e.Parse.Size))),
		jen.List(jen.Id("b"), jen.Id("state")).Op(":=").Add(rt("Tail")).Call(
			jen.Id("body").Index(jen.Lit(e.Size), jen.Empty()),
			jen.Id("body").Index(jen.Lit(raw.Offset), jen.Lit(raw.Offset+raw.Leaf.Size)),
		),
		jen.If(jen.Id("state").Dot("Null").Call().Op("||").Op("!").Qual(dir, e.Parse.Func).Call(jen.Id("b"), jen.Op("&").Id("p").Dot("to"))).Block(
			jen.Return(jen.Id("dst"), jen.False()),
		),
	}
	for _, field := range e.Parse.Fields {
		body = append(body, put(e, field))
	}
	return jen.Add(
		doc(parserName(e)+" is what "+e.Parse.Func+" fills, with each event anew."),
		jen.Type().Id(parserName(e)).Struct(jen.Id("to").Qual(dir, e.Parse.Struct)).Line().Line(),
		doc("parse appends to dst the event in body with what "+e.Parse.Func+" reads in its "+raw.Member+"."),
		jen.Func().Params(jen.Id("p").Op("*").Id(parserName(e))).Id("parse").Params(jen.List(jen.Id("dst"), jen.Id("body")).Index().Byte()).Params(jen.Index().Byte(), jen.Bool()).Block(
			append(body, jen.Id("dst").Index(jen.Lit(e.Whole()-1)).Op("=").Lit(1), jen.Return(jen.Id("dst"), jen.True()))...,
		).Line(),
	)
}

// put is the statement that puts one field into dst.
func put(e *model.Event, f *model.Field) jen.Code {
	value := jen.Id("p").Dot("to").Dot(f.Go)
	at, size := f.Offset, f.Leaf.Size
	to := jen.Id("dst").Index(jen.Lit(at), jen.Lit(at+size))
	switch f.Leaf.Type {
	case "TypeText":
		return set(rt("AppendPart").Call(jen.Id("dst"), jen.Lit(at), jen.Lit(e.Whole()), value, jen.Lit(f.Leaf.Room)))
	case "TypeWords":
		return set(rt("AppendWordsPart").Call(jen.Id("dst"), jen.Lit(at), jen.Lit(e.Whole()), value, jen.Lit(f.Leaf.Room)))
	case "TypeIP", "TypeIP4", "TypeMAC":
		return jen.Copy(to, jen.Add(value).Index(jen.Empty(), jen.Empty()))
	case "TypeBool":
		return jen.Id("dst").Index(jen.Lit(at)).Op("=").Add(rt("Bit")).Call(value)
	}
	if f.Leaf.Signed {
		value = jen.Id("u" + numberType(f.Leaf)).Call(value)
	}
	switch size {
	case 1:
		return jen.Id("dst").Index(jen.Lit(at)).Op("=").Add(value)
	case 2:
		return jen.Qual(binary, "LittleEndian").Dot("PutUint16").Call(to, value)
	case 4:
		return jen.Qual(binary, "LittleEndian").Dot("PutUint32").Call(to, value)
	}
	return jen.Qual(binary, "LittleEndian").Dot("PutUint64").Call(to, value)
}
