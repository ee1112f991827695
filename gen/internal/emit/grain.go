// SPDX-License-Identifier: Apache-2.0

package emit

import (
	"fmt"
	"time"

	"github.com/dave/jennifer/jen"

	"github.com/redsift/ingraind/gen/internal/model"
)

// Grain is the Go of a grain: New, which is the YAML as a Go value, and for
// each event a struct, a view on its bytes, and its encoder.
func Grain(importPath string, g *model.Grain) ([]byte, error) {
	f := file(importPath, g.Name, g.YAML)
	f.PackageComment(fmt.Sprintf("Package %s is the grain %s: %s", g.Name, g.Name, g.Help))
	f.Add(newGrain(g))
	for _, e := range g.Events {
		event(f, importPath, g.Name, e)
	}
	for _, p := range patterns(g) {
		f.Add(p)
	}
	for _, t := range g.Tables {
		if !t.Kernel {
			f.Add(agentTable(t))
		}
	}
	for _, s := range g.Structs {
		f.Commentf("%s is struct %s of bpf/%s.bpf.c.", s.Go, s.Name, g.Name)
		f.Type().Id(s.Go).Struct(fieldsOf(s.Fields)...)
	}
	for _, e := range g.Enums {
		f.Add(enumName(e))
	}
	return render(f)
}

// newGrain is the grain as a value:
//
//	func New() *runtime.Grain {
//		return &runtime.Grain{
//			Name: "exec",
//			...
//			Load: loadExec,
//		}
//	}
func newGrain(g *model.Grain) jen.Code {
	var params, probes, events []jen.Code
	for _, p := range g.Params {
		params = append(params, param(p))
	}
	for _, p := range g.Probes {
		probes = append(probes, probe(p))
	}
	for _, e := range g.Events {
		events = append(events, eventValue(e))
	}
	fields := []jen.Code{
		key("Name", jen.Lit(g.Name)),
		key("Help", jen.Lit(g.Help)),
	}
	if len(params) > 0 {
		fields = append(fields, key("Params", list(rt("Param"), params)))
	}
	fields = append(fields,
		key("Probes", list(rt("Probe"), probes)),
		key("Events", list(rt("Event"), events)),
	)
	if len(g.Tables) > 0 {
		var tables []jen.Code
		for _, t := range g.Tables {
			tables = append(tables, tableValue(t))
		}
		fields = append(fields, key("Tables", list(rt("Table"), tables)))
	}
	fields = append(fields,
		key("Load", jen.Id(Loader(g.Name))),
	)
	return jen.Commentf("New describes the grain as %s does.", g.YAML).Line().
		Func().Id("New").Params().Op("*").Add(rt("Grain")).Block(
		jen.Return(jen.Op("&").Add(rt("Grain")).Add(record(fields...))),
	).Line()
}

// paramTypes are runtime's names of param types.
var paramTypes = map[string]string{"integer": "Integer", "bytes": "Bytes", "duration": "Duration", "bool": "Bool", "syscalls": "Syscalls", "paths": "Paths"}

func param(p model.Param) jen.Code {
	fields := []jen.Code{
		key("Name", jen.Lit(p.Name)),
		key("Help", jen.Lit(p.Help)),
		key("Type", rt(paramTypes[p.Type])),
		key("Default", jen.Lit(int(p.Default))),
	}
	if p.Type == "paths" {
		fields[3] = key("Paths", stringList(p.Paths))
	}
	if p.Min != 0 || p.Max != 0 {
		fields = append(fields, key("Min", jen.Lit(int(p.Min))), key("Max", jen.Lit(int(p.Max))))
	}
	return record(fields...)
}

func probe(p model.Probe) jen.Code {
	var points []jen.Code
	for _, at := range p.Points {
		points = append(points, point(at))
	}
	fields := []jen.Code{key("Name", jen.Lit(p.Name))}
	if len(p.Unless) > 0 {
		fields = append(fields, key("Unless", stringList(p.Unless)))
	}
	if p.Optional {
		fields = append(fields, key("Optional", jen.True()))
	}
	if p.Decides {
		fields = append(fields, key("Decides", jen.True()))
	}
	if len(p.Params) > 0 {
		var names []string
		for _, a := range p.Params {
			names = append(names, a.Name)
		}
		fields = append(fields, key("Args", stringList(names)))
	}
	return record(append(fields, key("Points", list(rt("Point"), points)))...)
}

func point(at model.Point) jen.Code {
	var ways []jen.Code
	for _, w := range at.Ways {
		var programs []string
		for _, p := range w.Programs {
			programs = append(programs, p.Name)
		}
		ways = append(ways, jen.Values(
			key("Mechanism", rt(w.Mechanism)),
			key("Target", jen.Lit(w.Target)),
			key("Programs", stringList(programs)),
		))
	}
	fields := []jen.Code{key("At", jen.Lit(at.At))}
	if at.Bind != "" {
		fields = append(fields, key("Bind", jen.Lit(at.Bind)))
	}
	if at.Find != "" {
		fields = append(fields, key("Find", rt(at.Find)))
	}
	if at.Returns {
		fields = append(fields, key("Returns", jen.True()))
	}
	if len(at.Except) > 0 {
		fields = append(fields, key("Except", stringList(at.Except)))
	}
	if len(at.On) > 0 {
		fields = append(fields, key("On", stringList(at.On)))
	}
	if at.Every > 0 {
		fields = append(fields, key("Every", duration(time.Duration(at.Every))))
	}
	return record(append(fields, key("Ways", list(rt("Way"), ways)))...)
}

func eventValue(e *model.Event) jen.Code {
	var fields []jen.Code
	for leaf := range model.Leaves(e.Fields) {
		if leaf.Hidden {
			continue
		}
		values := []jen.Code{key("Name", jen.Lit(leaf.Path)), key("Type", rt(leaf.Leaf.Type))}
		if leaf.Help != "" {
			values = append(values, key("Help", jen.Lit(leaf.Help)))
		}
		if leaf.Leaf.Enum != nil {
			values = append(values, key("Enum", jen.Id(enumFunc(leaf.Leaf.Enum))))
		}
		fields = append(fields, jen.Values(values...))
	}
	items := []jen.Code{key("Name", jen.Lit(e.Name)), key("Help", jen.Lit(e.Help))}
	if e.Stream {
		items = append(items, key("Stream", jen.True()))
	}
	if e.Sample > 0 {
		items = append(items, key("Sample", jen.Lit(int(e.Sample))))
	}
	if e.Limit > 0 {
		items = append(items, key("Limit", jen.Lit(int(e.Limit))))
	}
	if e.Condition != "" {
		items = append(items, key("Condition", jen.Lit(e.Condition)))
	}
	if len(e.Where) > 0 {
		items = append(items, key("Where", jen.Id("wants"+e.Go)))
	}
	if len(e.Sinks) > 0 {
		items = append(items, key("Sinks", stringList(e.Sinks)))
	}
	items = append(items,
		key("Fields", list(rt("Field"), fields)),
		key("Check", jen.Id("check"+e.Go)))
	if e.Parse != nil {
		items = append(items, key("Parse", jen.New(jen.Id(parserName(e))).Dot("parse")))
	}
	return record(append(items,
		key("AppendJSON", jen.Id("append"+e.Go+"JSON")),
		key("AppendValues", jen.Id("append"+e.Go+"Values")),
	)...)
}

// Loader is the name of the function that bpf2go generates to load the object.
func Loader(grain string) string { return "load" + string(grain[0]-'a'+'A') + grain[1:] }

func enumFunc(e *model.Enum) string { return "name" + e.Go }

// enumName is the constant's name of a value of an enum, "" without one:
//
//	func nameDirection(value int64) string {
//		switch value {
//		case 0:
//			return "OUT"
//		}
//		return ""
//	}
func enumName(e *model.Enum) jen.Code {
	var cases []jen.Code
	for _, v := range e.Values {
		cases = append(cases, jen.Case(jen.Lit(int(v.Value))).Block(jen.Return(jen.Lit(v.Name))))
	}
	return jen.Commentf("%s is the name of a value of enum %s.", enumFunc(e), e.Name).Line().
		Func().Id(enumFunc(e)).Params(jen.Id("value").Int64()).String().Block(
		jen.Switch(jen.Id("value")).Block(cases...),
		jen.Return(jen.Lit("")),
	)
}
