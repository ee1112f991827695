// SPDX-License-Identifier: Apache-2.0

package emit

import (
	"strings"

	"github.com/dave/jennifer/jen"

	"github.com/redsift/ingraind/gen/internal/model"
)

// jsonWriter collects the statements that append an event's JSON. Literal text
// between two values becomes one append.
type jsonWriter struct {
	grain string
	event *model.Event
	text  strings.Builder
	body  []jen.Code
	tails int // variable parts so far
}

// appendJSON is the event as one JSON object:
//
//	func appendExecJSON(dst []byte, r runtime.Record) []byte {
//		v := ExecView{(*[104]byte)(r.Body), r.Body[104:]}
//		dst = append(dst, `{"time":`...)
//		dst = runtime.AppendTime(dst, r.Time)
//		dst = append(dst, `,"grain":"exec","event":"exec","who":{"cgroup":`...)
//		dst = runtime.AppendUint(dst, v.WhoCgroup())
//		...
//		return append(dst, '}')
//	}
func appendJSON(grain string, e *model.Event) jen.Code {
	w := &jsonWriter{grain: grain, event: e}
	w.text.WriteString(`{"time":`)
	w.value(rt("AppendTime").Call(jen.Id("dst"), jen.Id("r").Dot("Time")))
	w.text.WriteString(`,"grain":"` + w.grain + `","event":"` + e.Name + `"`)
	fromC, fromGo := split(e)
	w.members(fromC, false)
	if len(fromGo) > 0 {
		w.unparsed(fromGo)
	}
	w.members(fromGo, false)
	w.value(rt("AppendWeight").Call(jen.Id("dst"), jen.Id("r").Dot("Weight")))
	w.body = append(w.body, jen.Return(jen.Append(jen.Id("dst"), jen.LitRune('}'))))
	return jen.Func().Id("append"+e.Go+"JSON").Params(jen.Id("dst").Index().Byte(), jen.Id("r").Add(rt("Record"))).Index().Byte().Block(
		append([]jen.Code{jen.Id("v").Op(":=").Add(viewOf(e, jen.Id("r").Dot("Body")))}, w.body...)...,
	).Line()
}

// value flushes the text before it and appends a value.
func (w *jsonWriter) value(code jen.Code) {
	w.flush()
	w.body = append(w.body, set(code))
}

func (w *jsonWriter) flush() {
	if w.text.Len() > 0 {
		w.body = append(w.body, appendText(w.text.String()))
		w.text.Reset()
	}
}

// unparsed is what stands for fields of an event that could not be parsed:
//
//	if !v.Parsed() {
//		dst = append(dst, `,"first":null,"count":null`...)
//		dst = runtime.AppendWeight(dst, r.Weight)
//		return append(dst, '}')
//	}
func (w *jsonWriter) unparsed(fields []*model.Field) {
	w.flush()
	nulls := ""
	for _, f := range fields {
		nulls += `,"` + f.Name + `":null`
	}
	w.body = append(w.body, jen.If(jen.Op("!").Id("v").Dot("Parsed").Call()).Block(
		appendText(nulls),
		set(rt("AppendWeight").Call(jen.Id("dst"), jen.Id("r").Dot("Weight"))),
		jen.Return(jen.Append(jen.Id("dst"), jen.LitRune('}'))),
	))
}

// split are the fields that rows show, those of the C struct and those that a
// function of Go gives.
func split(e *model.Event) (fromC, fromGo []*model.Field) {
	for _, f := range e.Fields {
		switch {
		case f.Hidden:
		case f.Parsed:
			fromGo = append(fromGo, f)
		default:
			fromC = append(fromC, f)
		}
	}
	return fromC, fromGo
}

// members writes "name":value for each field, with a comma in front of all but
// a first one.
func (w *jsonWriter) members(fields []*model.Field, first bool) {
	for _, f := range fields {
		if f.Hidden {
			continue
		}
		if !first {
			w.text.WriteString(",")
		}
		first = false
		w.text.WriteString(`"` + f.Name + `":`)
		w.field(f)
	}
}

func (w *jsonWriter) field(f *model.Field) {
	switch {
	case f.Struct != nil:
		w.text.WriteString("{")
		w.members(f.Fields, true)
		w.text.WriteString("}")
	case f.Leaf == nil:
		w.text.WriteString("[")
		for i, element := range f.Fields {
			if i > 0 {
				w.text.WriteString(",")
			}
			w.field(element)
		}
		w.text.WriteString("]")
	default:
		w.leaf(f)
	}
}

func (w *jsonWriter) leaf(f *model.Field) {
	get := jen.Id("v").Dot(accessorName(w.event, f)).Call()
	dst := jen.Id("dst")
	switch f.Leaf.Type {
	case "TypeText", "TypeWords":
		w.body = append(w.body, appendText(w.text.String()), readTail(w.tails, get))
		w.text.Reset()
		w.tails++
		w.value(rt("Append"+strings.TrimPrefix(f.Leaf.Type, "Type")).Call(dst, jen.Id("part"), jen.Id("state")))
		w.value(rt("AppendCut").Call(dst, raw(`,"`+f.Name+`_cut":true`), jen.Id("state")))
	case "TypeString":
		w.value(rt("AppendCString").Call(dst, get))
	case "TypeIP", "TypeIP4", "TypeMAC", "TypeHex", "TypeBool":
		w.value(rt("Append"+strings.TrimPrefix(f.Leaf.Type, "Type")).Call(dst, get))
	case "TypeErrno", "TypeSignal":
		w.value(rt("Append"+strings.TrimPrefix(f.Leaf.Type, "Type")).Call(dst, widen(f, get, "int32")))
	case "TypeSyscall":
		w.value(rt("AppendSyscall").Call(dst, widen(f, get, "int32"), rt("SyscallName").Call(widen(f, get, "int32"))))
	case "TypeMoment":
		w.value(rt("AppendMoment").Call(dst, get, jen.Id("r").Dot("Offset")))
	case "TypeEnum":
		wide := widen(f, get, "int64")
		w.value(rt("AppendEnum").Call(dst, jen.Id(enumFunc(f.Leaf.Enum)).Call(wide), wide))
	default:
		if f.Leaf.Signed {
			w.value(rt("AppendInt").Call(dst, widen(f, get, "int64")))
			return
		}
		w.value(rt("AppendUint").Call(dst, widen(f, get, "uint64")))
	}
}

// readTail is part, state := v.Path(), and = in place of := after the first.
func readTail(before int, get jen.Code) *jen.Statement {
	op := ":="
	if before > 0 {
		op = "="
	}
	return jen.List(jen.Id("part"), jen.Id("state")).Op(op).Add(get)
}

// widen converts a number to a type, unless it has it.
func widen(f *model.Field, get *jen.Statement, to string) jen.Code {
	if numberType(f.Leaf) == to {
		return get
	}
	return jen.Id(to).Call(get)
}

// nulls is what stands for fields of an event that could not be parsed:
//
//	if !v.Parsed() {
//		return append(dst, runtime.NullValue(runtime.TypeText), ...)
//	}
func nulls(fields []*model.Field) jen.Code {
	values := []jen.Code{jen.Id("dst")}
	for _, f := range fields {
		values = append(values, rt("NullValue").Call(rt(f.Leaf.Type)))
	}
	return jen.If(jen.Op("!").Id("v").Dot("Parsed").Call()).Block(jen.Return(jen.Append(values...)))
}

// appendValues is the event's leaves one by one, for encodings other than
// JSON.
func appendValues(e *model.Event) jen.Code {
	body := []jen.Code{jen.Id("v").Op(":=").Add(viewOf(e, jen.Id("r").Dot("Body")))}
	tails := 0
	_, fromGo := split(e)
	for f := range model.Leaves(e.Fields) {
		if f.Hidden {
			continue
		}
		if len(fromGo) > 0 && f == fromGo[0] {
			body = append(body, nulls(fromGo))
		}
		get := jen.Id("v").Dot(accessorName(e, f)).Call()
		kind := rt(f.Leaf.Type)
		var value jen.Code
		switch f.Leaf.Type {
		case "TypeText", "TypeWords":
			body = append(body, readTail(tails, get))
			tails++
			value = rt("TailValue").Call(kind, jen.Id("part"), jen.Id("state"))
		case "TypeString", "TypeIP", "TypeIP4", "TypeMAC", "TypeHex":
			value = rt("BytesValue").Call(kind, get)
		case "TypeBool":
			value = rt("NumValue").Call(kind, rt("BoolNum").Call(get))
		case "TypeMoment":
			value = rt("MomentValue").Call(get, jen.Id("r").Dot("Offset"))
		default:
			value = rt("NumValue").Call(kind, widen(f, get, "uint64"))
		}
		body = append(body, set(jen.Append(jen.Id("dst"), value)))
	}
	return jen.Func().Id("append"+e.Go+"Values").Params(jen.Id("dst").Index().Add(rt("Value")), jen.Id("r").Add(rt("Record"))).Index().Add(rt("Value")).Block(
		append(body, jen.Return(jen.Id("dst")))...,
	).Line()
}
