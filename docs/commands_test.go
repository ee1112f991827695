// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// tool is a binary of the project: its verbs, and the flags of each. Those
// of "" are what it takes without a verb.
type tool struct {
	verbs []string
	flags map[string][]string
}

var (
	verbLine = regexp.MustCompile(`(?m)^  ([a-z]+)  `)
	flagLine = regexp.MustCompile(`(?m)^  (-[a-z]+)\b`)
)

// build builds a command of the tree and returns its file.
func build(t *testing.T, pkg string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), filepath.Base(pkg))
	cmd := exec.Command("go", "build", "-o", file, pkg)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build %s: %v\n%s", pkg, err, out)
	}
	return file
}

// help reads the help pages of a tool.
func help(t *testing.T, file string) tool {
	t.Helper()
	page := func(args ...string) string {
		out, err := exec.Command(file, args...).Output()
		if err != nil {
			t.Fatalf("%s %q: %v", filepath.Base(file), args, err)
		}
		return string(out)
	}
	flags := func(page string) []string {
		all := []string{"--help"}
		for _, found := range flagLine.FindAllStringSubmatch(page, -1) {
			all = append(all, found[1])
		}
		return all
	}
	first := page("--help")
	tl := tool{flags: map[string][]string{"": flags(first)}}
	_, verbs, _ := strings.Cut(first, "Verbs:\n")
	verbs, _, _ = strings.Cut(verbs, "\n\n")
	for _, found := range verbLine.FindAllStringSubmatch(verbs, -1) {
		tl.verbs = append(tl.verbs, found[1])
		tl.flags[found[1]] = flags(page("help", found[1]))
	}
	if len(tl.verbs) < 4 {
		t.Fatalf("%s: got verbs %q from its help, want some", filepath.Base(file), tl.verbs)
	}
	return tl
}

// knows reports whether any verb takes a flag.
func (tl tool) knows(flag string) bool {
	for _, flags := range tl.flags {
		if slices.Contains(flags, flag) {
			return true
		}
	}
	return false
}

// check says what of a command's words the tool does not know.
func (tl tool) check(words []string) string {
	verb := ""
	if len(words) > 0 && !strings.HasPrefix(words[0], "-") {
		if verb = words[0]; !slices.Contains(tl.verbs, verb) {
			return fmt.Sprintf("got no verb %s, want one of %q", verb, tl.verbs)
		}
	}
	for _, word := range words {
		if strings.HasPrefix(word, "-") && !slices.Contains(tl.flags[verb], word) {
			return fmt.Sprintf("got no flag %s, want one of %q", word, tl.flags[verb])
		}
	}
	return ""
}

// targets are what `make` lists.
func targets(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, found := range regexp.MustCompile(`(?m)^([a-z-]+):.*## `).FindAllStringSubmatch(string(text), -1) {
		all = append(all, found[1])
	}
	return all
}

// commands are the lines of a page that a reader may type, without sudo.
func (d document) commands() []string {
	lines := d.spans()
	for _, b := range d.marked("commands", "run", "install") {
		lines = append(lines, strings.Split(b.text, "\n")...)
	}
	for i, line := range lines {
		line, _, _ = strings.Cut(line, "#")
		line, _, _ = strings.Cut(line, " | ")
		lines[i] = strings.TrimPrefix(strings.TrimSpace(line), "sudo ")
	}
	return lines
}

func TestCommandsExist(t *testing.T) {
	watched := help(t, build(t, "./examples/ship/generated/ship")) // has the flags of an observer
	ingraind, ingrain := help(t, build(t, "./generated/ingraind")), help(t, build(t, "./gen/cmd/ingrain"))
	tools := map[string]tool{
		"ingraind": ingraind, "bin/ingraind": ingraind, "~/go/bin/ingraind": ingraind, "./watch": ingraind,
		"ingrain": ingrain, "go tool ingrain": ingrain, "go run ./gen/cmd/ingrain": ingrain,
	}
	make := targets(t)
	for _, d := range documents(t) {
		for _, line := range d.commands() {
			if target, ok := strings.CutPrefix(line, "make "); ok && !slices.Contains(make, target) {
				t.Errorf("%s: %s: got no such target, want one of %q", d.name, line, make)
			}
			name := longest(tools, line)
			if name == "" {
				continue
			}
			if wrong := tools[name].check(strings.Fields(strings.TrimPrefix(line, name))); wrong != "" {
				t.Errorf("%s: %s: %s", d.name, line, wrong)
			}
		}
		for _, span := range d.spans() {
			flag, _, _ := strings.Cut(span, " ")
			ofGo := flag == "-update"
			if regexp.MustCompile(`^-[a-z]+$`).MatchString(flag) && !ofGo && !ingraind.knows(flag) && !watched.knows(flag) && !ingrain.knows(flag) {
				t.Errorf("%s: neither ingraind nor ingrain takes %s", d.name, flag)
			}
		}
	}
}

// longest finds the tool that a line begins with; "" when it is none.
func longest(tools map[string]tool, line string) (name string) {
	for n := range tools {
		if (line == n || strings.HasPrefix(line, n+" ")) && len(n) > len(name) {
			name = n
		}
	}
	return name
}

func TestConfigurationsAreTaken(t *testing.T) {
	ingraind := build(t, "./generated/ingraind")
	n := 0
	for _, d := range documents(t) {
		for _, b := range d.marked("config") {
			file := filepath.Join(t.TempDir(), "config.yaml")
			if err := os.WriteFile(file, []byte(b.text), 0o644); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(ingraind, "check", "-config", file)
			if out, _ := cmd.CombinedOutput(); cmd.ProcessState.ExitCode() == 2 {
				t.Errorf("%s:%d: ingraind does not take it: %s", d.name, b.line, out)
			}
			n++
		}
	}
	if n == 0 {
		t.Error("got no configuration file in the documents, want one")
	}
}

func TestKernelsAreThoseOfTheTests(t *testing.T) {
	script, err := os.ReadFile(filepath.Join(root, ".ci/test"))
	if err != nil {
		t.Fatal(err)
	}
	readme := read(t, "README.md").prose
	lists := regexp.MustCompile(`kernels\+?=\(([^)]*)\)`).FindAllStringSubmatch(string(script), -1)
	if len(lists) < 2 {
		t.Fatalf("got %q, want two lists of kernels in .ci/test", lists)
	}
	for _, list := range lists {
		for _, kernel := range strings.Fields(list[1]) {
			version, _, _ := strings.Cut(kernel, "-")
			if !regexp.MustCompile(`\b` + regexp.QuoteMeta(version) + `\b`).MatchString(readme) {
				t.Errorf("README.md does not say that kernel %s is tested", kernel)
			}
		}
	}
}
