// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
)

// arrows are ARCHITECTURE.md's: what a package and all below it may import of
// this module. The first that fits holds.
var arrows = []struct {
	from string
	to   []string
}{
	{"generated/dns", []string{"runtime", "runtime/agg", "runtime/agg/", "grains/dns"}},
	{"generated/ingraind", []string{"generated/", "runtime", "runtime/agent", "runtime/sink/"}},
	{"generated/", []string{"runtime", "runtime/agg", "runtime/agg/"}},
	{"runtime/agent", []string{"runtime"}},
	{"runtime/observe", []string{"runtime"}},
	{"runtime/sink/s3/parquet", []string{"runtime", "runtime/sink/s3"}},
	{"runtime/sink/", []string{"runtime", "runtime/sink/internal/"}},
	{"runtime/runtimetest", []string{"runtime"}},
	{"runtime/sinktest", []string{"generated/", "runtime", "runtime/agg"}},
	{"runtime/agg", []string{"runtime/agg"}},
	{"runtime", []string{"runtime/agg", "runtime/internal/"}},
	{"gen", []string{"gen", "gen/", "bpf/include"}},
}

func TestArrowsAreThoseOfTheArchitecture(t *testing.T) {
	out, err := in(root, exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...")).Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		from := strings.TrimPrefix(words[0], module+"/")
		i := slices.IndexFunc(arrows, func(a struct {
			from string
			to   []string
		}) bool {
			return from == strings.TrimSuffix(a.from, "/") || strings.HasPrefix(from, strings.TrimSuffix(a.from, "/")+"/")
		})
		if i < 0 {
			continue
		}
		for _, to := range words[1:] {
			to, own := strings.CutPrefix(to, module+"/")
			allowed := slices.ContainsFunc(arrows[i].to, func(a string) bool {
				return to == a || strings.HasSuffix(a, "/") && strings.HasPrefix(to, a)
			})
			if own && !allowed {
				t.Errorf("%s imports %s, want only %q", from, to, arrows[i].to)
			}
		}
	}
}

// SECURITY.md says that programs of stock grains only observe.
func TestProgramsOnlyObserve(t *testing.T) {
	for _, g := range everything().Grains {
		for _, p := range g.Probes {
			if p.Decides {
				t.Errorf("%s.%s decides", g.Name, p.Name)
			}
		}
	}
	acts := []asm.BuiltinFunc{asm.FnOverrideReturn, asm.FnProbeWriteUser, asm.FnSendSignal, asm.FnSendSignalThread}
	objects, err := filepath.Glob(filepath.Join(root, "generated/*/*.o"))
	if err != nil || len(objects) < 4 {
		t.Fatalf("got objects %q, %v, want at least 4", objects, err)
	}
	for _, object := range objects {
		spec, err := ebpf.LoadCollectionSpec(object)
		if err != nil {
			t.Fatal(err)
		}
		for name, program := range spec.Programs {
			for _, ins := range program.Instructions {
				if ins.IsBuiltinCall() && slices.Contains(acts, asm.BuiltinFunc(ins.Constant)) {
					t.Errorf("%s: %s calls %v, want a program that only observes", object, name, asm.BuiltinFunc(ins.Constant))
				}
			}
		}
	}
}
