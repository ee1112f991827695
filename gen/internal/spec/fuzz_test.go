// SPDX-License-Identifier: Apache-2.0

package spec

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/redsift/ingraind/gen/internal/diag"
)

func FuzzParseGrain(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, src string) {
		g, mistakes := ParseGrain("x.yaml", []byte(src))
		if g == nil && mistakes.Len() == 0 {
			t.Error("got neither a grain nor a mistake")
		}
		checkPlaces(t, src, reflect.ValueOf(g), mistakes)
		if mistakes.Len() == 0 && (g.Name.Text != "x" || !g.Help.Given() || len(g.Probes) == 0 || len(g.Events) == 0) {
			t.Errorf("got no mistake in %+v", g)
		}
	})
}

func FuzzParseAgent(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, src string) {
		a, mistakes := ParseAgent("x.yaml", []byte(src))
		if a == nil && mistakes.Len() == 0 {
			t.Error("got neither an agent nor a mistake")
		}
		checkPlaces(t, src, reflect.ValueOf(a), mistakes)
		if mistakes.Len() == 0 && (!a.Name.Given() || !a.Help.Given() || len(a.Grains) == 0 || len(a.Sinks) == 0) {
			t.Errorf("got no mistake in %+v", a)
		}
	})
}

// seed adds all testdata, each grain with the name that the fuzzed file has.
func seed(f *testing.F) {
	good, err := filepath.Glob("testdata/good/*.yaml")
	if err != nil || len(good) == 0 {
		f.Fatalf("testdata/good holds %d YAML files, error %v; want some", len(good), err)
	}
	for _, file := range append(good, mistakeFiles(f)...) {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		f.Add(strings.Replace(read(f, file), "grain: "+name, "grain: x", 1))
	}
}

// checkPlaces fails when a mistake or a value of v stands outside of src.
func checkPlaces(t *testing.T, src string, v reflect.Value, mistakes diag.List) {
	lines := strings.Split(src, "\n")
	within := func(pos diag.Pos, what string) {
		if pos.File != "x.yaml" || pos.Line < 1 || pos.Line > len(lines) || pos.Col < 1 || pos.Col > len(lines[pos.Line-1])+1 {
			t.Errorf("%q is at %s, outside of the file", what, pos)
		}
	}
	for _, m := range mistakes.Mistakes() {
		within(m.Pos, m.Msg)
		if strings.ContainsAny(m.Msg, "\n\r") {
			t.Errorf("%q has more than one line", m.Msg)
		}
	}
	eachValue(v, func(v Value) { within(v.Pos, v.Text) })
}
