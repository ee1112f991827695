// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// listedField is a field, a key's column or a cell, as `list -o json` has it.
type listedField struct{ Name, Type, Help string }

// listedGrain is a grain as `list -o json` has it.
type listedGrain struct {
	Name, Help string
	Params     []struct{ Name, Type, Default, Min, Max, Help string }
	Probes     []struct {
		Name   string
		Unless any
		Points []string
	}
	Events []struct {
		Name, Help, Where string
		Stream            bool
		Sample, Limit     int
		Fields            []listedField
	}
	Tables []struct {
		Name, Help, Of, In, Every string
		Max                       int
		Key, Cells                []listedField
	}
}

// TestPagesOfGrainsListWhatTheyHave: of a page of docs/grains everything from
// "## Events" to "## Sample" follows from the grain. -update writes it.
func TestPagesOfGrainsListWhatTheyHave(t *testing.T) {
	agent := build(t, "./generated/ingraind")
	pages, err := filepath.Glob("grains/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatalf("got pages %q, %v, want some", pages, err)
	}
	lists := regexp.MustCompile(`(?s)\n## Events\n.*?\n## Sample\n`)
	for _, page := range pages {
		name := strings.TrimSuffix(path.Base(page), ".md")
		out, err := exec.Command(agent, "list", "-o", "json", name).Output()
		if err != nil {
			t.Fatal(err)
		}
		var listed struct{ Grains []listedGrain }
		if err := json.Unmarshal(out, &listed); err != nil || len(listed.Grains) != 1 {
			t.Fatalf("%s: got %d grains, %v, want 1", name, len(listed.Grains), err)
		}
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		if want := "# The grain " + name + "\n\n" + listed.Grains[0].Help + "\n"; !strings.HasPrefix(string(text), want) {
			t.Errorf("docs/%s: want it to begin with\n%s", page, want)
		}
		got, want := lists.FindString(string(text)), listed.Grains[0].lists()
		if got == "" {
			t.Errorf("docs/%s has no part from ## Events to ## Sample", page)
		}
		if diff := cmp.Diff(want, got); diff != "" && !*update {
			t.Errorf("docs/%s: -want +got:\n%s", page, diff)
		}
		if *update {
			if err := os.WriteFile(page, []byte(strings.Replace(string(text), got, want, 1)), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// lists are the parts of a page that follow from the grain.
func (g *listedGrain) lists() string {
	b := &strings.Builder{}
	line := func(format string, args ...any) { fmt.Fprintf(b, format+"\n", args...) }
	line("\n## Events")
	for _, e := range g.Events {
		line("\n### %s\n\n%s%s", e.Name, e.Help, map[bool]string{false: " It is counted in tables, and has no rows of its own."}[e.Stream])
		if e.Where != "" {
			line("\nOnly where `%s`.", e.Where)
		}
		if e.Limit > 0 {
			line("\nAt most %d a second; the next row has the weight of those that were left out.", e.Limit)
		}
		line("\n| field | type | meaning |\n|---|---|---|")
		for _, f := range e.Fields {
			line("| `%s` | %s | %s |", f.Name, unit(f.Type), f.Help)
		}
	}
	if len(g.Tables) > 0 {
		line("\n## Tables")
	}
	for _, t := range g.Tables {
		line("\n### %s\n\n%s Of `%s`, every %s, in the %s, at most %d keys.", t.Name, t.Help, t.Of, t.Every, t.In, t.Max)
		line("\n| column | type | of |\n|---|---|---|")
		for _, f := range t.Key {
			line("| `%s`, key | %s | `%s` |", f.Name, unit(f.Type), f.Help)
		}
		for _, f := range t.Cells {
			line("| `%s` | %s | `%s` |", f.Name, unit(f.Type), f.Help)
		}
	}
	if len(g.Params) > 0 {
		line("\n## Params\n\n| param | type | default | meaning |\n|---|---|---|---|")
		for _, p := range g.Params {
			limits := ""
			if p.Min != "" || p.Max != "" {
				limits = fmt.Sprintf(", %s to %s", p.Min, p.Max)
			}
			line("| `%s` | %s%s | `%s` | %s |", p.Name, p.Type, limits, p.Default, p.Help)
		}
	}
	line("\n## Probes\n\n| probe | at | unless |\n|---|---|---|")
	for _, p := range g.Probes {
		unless := ""
		if p.Unless != nil {
			unless = strings.Trim(fmt.Sprint(p.Unless), "[]") + " runs"
		}
		line("| `%s` | `%s` | %s |", p.Name, strings.Join(p.Points, "`, `"), unless)
	}
	line("\n## Sample")
	return b.String()
}

// unit is a type, and the unit of its numbers.
func unit(kind string) string {
	if kind == "duration" {
		return "duration, ns"
	}
	return kind
}
