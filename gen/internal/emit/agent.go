// SPDX-License-Identifier: Apache-2.0

package emit

import (
	"path"
	"slices"

	"github.com/dave/jennifer/jen"
)

// Agent is an agent's main: a list of what it holds.
type Agent struct {
	Name, Help, YAML string
	Grains           []string // import paths
	Optional         []string // names of those that run only when they are asked for
	Sinks            []string // import paths
	Observe          bool     // others can look at it over HTTP
}

// Main prints it:
//
//	func main() {
//		agent.Main(agent.Agent{
//			Name:   "ingraind",
//			Grains: []*runtime.Grain{conn.New(), exec.New()},
//			Sinks:  []runtime.Part{console.Part(), file.Part()},
//		})
//	}
func Main(importPath string, a Agent) ([]byte, error) {
	f := file(importPath, "main", a.YAML)
	f.ImportName(Runtime+"/agent", "agent")
	for _, p := range slices.Concat(a.Grains, a.Sinks) {
		f.ImportName(p, path.Base(p))
	}
	f.PackageComment("Command " + a.Name + ": " + a.Help)
	agent := func(name string) *jen.Statement { return jen.Qual(Runtime+"/agent", name) }
	calls := func(paths []string, name string) []jen.Code {
		var out []jen.Code
		for _, p := range paths {
			out = append(out, jen.Qual(p, name).Call())
		}
		return out
	}
	fields := []jen.Code{
		key("Name", jen.Lit(a.Name)),
		key("Help", jen.Lit(a.Help)),
		key("Grains", list(jen.Op("*").Add(rt("Grain")), calls(a.Grains, "New"))),
	}
	if len(a.Optional) > 0 {
		fields = append(fields, key("Optional", stringList(a.Optional)))
	}
	fields = append(fields, key("Sinks", list(rt("Part"), calls(a.Sinks, "Part"))))
	if a.Observe {
		fields = append(fields, key("Observer", jen.Qual(Runtime+"/observe", "Part").Call()))
	}
	f.Func().Id("main").Params().Block(agent("Main").Call(agent("Agent").Add(record(fields...))))
	return render(f)
}
