// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

func TestLinksLeadSomewhere(t *testing.T) {
	anchors := map[string][]string{}
	for _, d := range documents(t) {
		anchors[d.name] = d.anchors()
	}
	for _, d := range documents(t) {
		for _, found := range link.FindAllStringSubmatch(d.prose, -1) {
			to, anchor, _ := strings.Cut(found[1], "#")
			if strings.Contains(to, "://") {
				continue
			}
			target := d.name
			if to != "" {
				target = path.Join(path.Dir(d.name), to)
			}
			if _, err := os.Stat(filepath.Join(root, target)); err != nil {
				t.Errorf("%s: the link %s leads nowhere", d.name, found[1])
			}
			if anchor != "" && !slices.Contains(anchors[target], anchor) {
				t.Errorf("%s: got no heading #%s in %s, want one of %q", d.name, anchor, target, anchors[target])
			}
		}
	}
}

// anchors are what links to headings are called.
func (d document) anchors() []string {
	var all []string
	for line := range strings.Lines(d.prose) {
		if heading, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); ok && strings.HasPrefix(line, "#") {
			kept := regexp.MustCompile(`[^\w -]`).ReplaceAllString(strings.ToLower(strings.TrimSpace(heading)), "")
			all = append(all, strings.ReplaceAll(kept, " ", "-"))
		}
	}
	return all
}

// places begin the names of files and folders of the tree.
var places = regexp.MustCompile(`^(\.ci|bench|bpf|docs|examples|gen|generated|grains|runtime)/[\w./*-]+$`)

func TestFilesThatAreNamedExist(t *testing.T) {
	for _, d := range documents(t) {
		for _, name := range d.spans() {
			if !places.MatchString(name) || regexp.MustCompile(`\bX\b`).MatchString(name) { // X stands for any name
				continue
			}
			if found, err := filepath.Glob(filepath.Join(root, name)); err != nil || len(found) == 0 {
				if !madeByReaders(t, name) {
					t.Errorf("%s: there is no %s", d.name, name)
				}
			}
		}
	}
}

// madeByReaders reports whether a file is one that the README has its reader write.
func madeByReaders(t *testing.T, name string) bool {
	return slices.ContainsFunc(read(t, "README.md").marked("file"), func(b block) bool { return b.arg == name })
}

func TestTheFoldersAreThoseOfTheTree(t *testing.T) {
	blocks := read(t, "ARCHITECTURE.md").marked("folders")
	if len(blocks) != 1 {
		t.Fatalf("got %d lists of folders, want 1", len(blocks))
	}
	listed := folders(blocks[0].text)
	for _, name := range listed {
		if info, err := os.Stat(filepath.Join(root, name)); err != nil || !info.IsDir() {
			t.Errorf("ARCHITECTURE.md lists %s, which is no folder", name)
		}
	}
	for _, name := range sources(t) {
		if !slices.ContainsFunc(listed, func(l string) bool { return name == l || strings.HasPrefix(name, l+"/") && whole(l) }) {
			t.Errorf("ARCHITECTURE.md does not list %s, which holds sources", name)
		}
	}
}

// whole reports whether a folder is listed once for all that it holds.
func whole(name string) bool {
	return slices.Contains([]string{"generated", "bench", "examples/grains", "examples/ship", "docs"}, name)
}

// folders reads a list: a folder stands two spaces further than the one it is
// in, several on a line have commas between, a line without one continues.
func folders(text string) []string {
	var names, above []string
	for line := range strings.Lines(text) {
		depth := (len(line) - len(strings.TrimLeft(line, " "))) / 2
		words := strings.Fields(line)
		if !strings.HasSuffix(strings.TrimSuffix(words[0], ","), "/") || depth > len(above) {
			continue
		}
		above = above[:depth]
		for _, word := range words {
			name, comma := strings.CutSuffix(word, ",")
			names = append(names, path.Join(append(slices.Clone(above), name)...))
			if !comma {
				break
			}
		}
		above = append(above, words[0])
	}
	return names
}

// sources are the folders that hold Go, C or YAML, test data left out.
func sources(t *testing.T) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel := strings.TrimPrefix(strings.TrimPrefix(name, root), "/")
		if d.IsDir() {
			if slices.Contains([]string{".git", ".cache", "bin", "testdata"}, d.Name()) && rel != ".ci" {
				return fs.SkipDir
			}
			return nil
		}
		dir := path.Dir(rel)
		if slices.Contains([]string{".go", ".c", ".h", ".yaml"}, path.Ext(rel)) && dir != "." && !slices.Contains(names, dir) {
			names = append(names, dir)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// hosts are whom documents may send a reader to; names below example.com are nobody's,
// 127.0.0.1 is the reader's own machine, and rows is a bucket.
var hosts = []string{"docs.github.com", "keepachangelog.com", "semver.org", "rows"}

func TestDocumentsNameNoStrangeHostAndNoMachine(t *testing.T) {
	url := regexp.MustCompile(`\w+://([^/\s)]+)`)
	absolute := regexp.MustCompile("(?:^|[\\s\"`(=])(/[a-z]\\w*)[/\\w.]*")
	known := []string{"/bin", "/boot", "/dev", "/etc", "/proc", "/run", "/sys", "/usr", "/var", // of a machine
		"/debug", "/healthz", "/metrics", "/readyz"} // of docs/observe.md
	for _, d := range documents(t) {
		text := d.prose
		for _, b := range d.blocks {
			if b.mark != "printed" { // what sinks say of themselves
				text += b.text
			}
		}
		for _, found := range url.FindAllStringSubmatch(text, -1) {
			if !slices.Contains(hosts, found[1]) && !strings.HasSuffix(found[1], ".example.com") && !strings.HasPrefix(found[1], "127.0.0.1:") {
				t.Errorf("%s: got host %s, want one of %q", d.name, found[1], hosts)
			}
		}
		for _, found := range absolute.FindAllStringSubmatch(text, -1) {
			if !slices.Contains(known, found[1]) {
				t.Errorf("%s: got path %s, want one below %q", d.name, found[0], known)
			}
		}
	}
}
