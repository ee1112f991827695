// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/redsift/ingraind/runtime"
)

const root = "../.."

// names are those of the grains that a folder declares.
func declared(t *testing.T, folder string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, folder, "*.yaml"))
	if err != nil || len(files) < 3 {
		t.Fatalf("got %q and error %v", files, err)
	}
	var names []string
	for _, f := range files {
		if name := strings.TrimSuffix(filepath.Base(f), ".yaml"); name != "agent" {
			names = append(names, name)
		}
	}
	return names
}

func names(grains []*runtime.Grain) []string {
	var all []string
	for _, g := range grains {
		all = append(all, g.Name)
	}
	slices.Sort(all)
	return all
}

func TestNoGrainIsLeftOut(t *testing.T) {
	if got, want := names(stock()), declared(t, "grains"); !slices.Equal(got, want) {
		t.Errorf("stock grains: got %q, want %q", got, want)
	}
	if got, want := names(examples()), declared(t, "examples/grains/grains"); !slices.Equal(got, want) {
		t.Errorf("examples: got %q, want %q", got, want)
	}
	page, err := os.ReadFile(filepath.Join(root, "docs/kernels.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(names(stock()), names(examples())...) {
		if !strings.Contains(string(page), "| `"+name+"` |") {
			t.Errorf("docs/kernels.md has no row of %s: go run ./bench/matrix -kernels .cache/kernels -write docs/kernels.md", name)
		}
	}
}

// What runs here runs as the page says, if it has this kernel.
func TestThisKernelRunsWhatItCan(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Fatal("grains are loaded: run this as root")
	}
	f, err := look()
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range f.Grains {
		if runs := g.Why == ""; runs != (len(g.Mechanisms) > 0) || runs != (g.Instructions > 0) {
			t.Errorf("%s: got %+v", g.Grain, g)
		}
		if slices.Contains(names(stock()), g.Grain) && g.Why != "" {
			t.Errorf("the stock grain %s cannot run: %s", g.Grain, g.Why)
		}
	}
}

func TestThePageHasARowForEachGrainAndAReasonForEachNo(t *testing.T) {
	grains := func(why string) (all []ran) {
		for range len(stock()) + len(examples()) {
			all = append(all, ran{Grain: "g", Mechanisms: []string{"tp_btf", "fexit"}, Why: why, Instructions: 12, Verified: 34, Load: 56e6})
		}
		return all
	}
	page := string(appendPage(nil, []found{{"5.10.0-46-cloud-amd64", "x86_64", 1, grains("")}, {"6.12.1", "aarch64", 2, grains("it lacks x")}}))
	for _, want := range []string{"| grain | 5.10 | 6.12 arm64 |\n", "| `g` | tp_btf, fexit | no (1) |\n", "\n1. it lacks x\n", "| `g` | 12 / 34, 56 ms |  |\n", "| 6.12.1 | aarch64 | 2 |\n"} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is missing in\n%s", want, page)
		}
	}
	if n := strings.Count(page, "no (1)"); n != len(stock())+len(examples()) {
		t.Errorf("got %d times no (1)", n)
	}
}

func TestReleasesAreInOrder(t *testing.T) {
	releases := []string{"6.12.1", "5.10.0-46", "7.3.4", "6.1.0"}
	slices.SortFunc(releases, compareReleases)
	if want := []string{"5.10.0-46", "6.1.0", "6.12.1", "7.3.4"}; !slices.Equal(releases, want) {
		t.Errorf("got %q", releases)
	}
}
