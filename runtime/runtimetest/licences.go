// SPDX-License-Identifier: Apache-2.0

package runtimetest

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Licences is what a Part says in its Licences: the texts of the modules that pkg
// links and no package of beside does, as they came with the versions that go.mod
// names. A text that several have is there once.
func Licences(t testing.TB, pkg string, beside ...string) string {
	t.Helper()
	known := map[string]bool{}
	for _, b := range beside {
		for _, module := range modulesOf(t, b) {
			known[module[0]] = true
		}
	}
	var texts []string
	names := map[string][]string{} // by text
	for _, module := range modulesOf(t, pkg) {
		if known[module[0]] {
			continue
		}
		var found []string
		for _, pattern := range []string{"LICENSE*", "NOTICE*", "PATENTS*"} {
			files, err := filepath.Glob(filepath.Join(module[1], pattern))
			if err != nil {
				t.Fatal(err)
			}
			found = append(found, files...)
		}
		if len(found) == 0 {
			t.Fatalf("%s has no licence", module[0])
		}
		for _, file := range found {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			key := strings.TrimSpace(string(text))
			if names[key] == nil {
				texts = append(texts, key)
			}
			name := module[0]
			if base := filepath.Base(file); !strings.HasPrefix(base, "LICENSE") {
				name += " " + strings.TrimSuffix(base, ".txt")
			}
			names[key] = append(names[key], name)
		}
	}
	all := ""
	for _, text := range texts {
		all += "\n==== " + strings.Join(names[text], ", ") + " ====\n\n" + text + "\n"
	}
	return all
}

// modulesOf is the path and the folder of each module that a package links.
func modulesOf(t testing.TB, pkg string) (modules [][2]string) {
	t.Helper()
	out, err := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}} {{.Dir}}{{end}}{{end}}", pkg).Output()
	if err != nil {
		t.Fatalf("go list -deps %s: %v", pkg, err)
	}
	for line := range strings.Lines(string(out)) {
		if path, dir, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			modules = append(modules, [2]string{path, dir})
		}
	}
	slices.SortFunc(modules, func(a, b [2]string) int { return strings.Compare(a[0], b[0]) })
	return slices.Compact(modules)
}
