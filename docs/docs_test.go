// SPDX-License-Identifier: Apache-2.0

// Package docs holds the documents to the tree: what they quote is there, what
// they name exists, what they tell a reader to do works. A comment in front of
// a fenced block says what it is:
//
//	<!-- from FILE -->       it stands so in that file
//	<!-- file NAME -->       the reader writes that file
//	<!-- run -->             the reader runs it, in the order of the page
//	<!-- install -->         the reader runs it, on any machine
//	<!-- commands -->        each line is a command that exists
//	<!-- config -->          a configuration file that ingraind takes
//	<!-- printed -->         what `ingraind config` prints, of an agent with everything
//	<!-- rows of EVENT.. --> what an agent printed, a row for each event named
//	<!-- s3 -->              the reader runs it; tests of the sink s3 do
//	<!-- questions -->       SQL, asked by tests of the sink s3 of what that agent put
//	<!-- folders -->         the folders of the tree
//	<!-- expressions -->     each line is a condition that package expr takes
//	<!-- cells -->           each line is a cell that package expr takes
package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// root is where the tree is, seen from this package.
const root = ".."

// document is one page.
type document struct {
	name   string // relative to root
	prose  string // what is in no block
	blocks []block
}

// block is a fenced block.
type block struct {
	line int
	kind string // "sh", "c", "yaml" ...
	mark string // "from", "run" ...; "" when nothing says what it is
	arg  string // what follows the mark
	text string
}

// documents are all pages of the project.
func documents(t *testing.T) []document {
	t.Helper()
	var names []string
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/*/*.md"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, found...)
	}
	if len(names) < 6 {
		t.Fatalf("got pages %q, want at least 6", names)
	}
	var all []document
	for _, name := range names {
		all = append(all, read(t, strings.TrimPrefix(name, root+"/")))
	}
	return all
}

var mark = regexp.MustCompile(`^<!-- (\w+)(?: (?:of )?(.*))? -->$`)

// read takes a page apart.
func read(t *testing.T, name string) document {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	d := document{name: name}
	var inside *block
	var said []string // by the line before
	for n, line := range strings.Split(string(text), "\n") {
		switch kind, fence := strings.CutPrefix(line, "```"); {
		case inside != nil && fence:
			d.blocks = append(d.blocks, *inside)
			inside = nil
		case inside != nil:
			inside.text += line + "\n"
		case fence:
			inside = &block{line: n + 1, kind: kind}
			if said != nil {
				inside.mark, inside.arg = said[1], said[2]
			}
		default:
			d.prose += line + "\n"
		}
		said = mark.FindStringSubmatch(line)
	}
	if inside != nil {
		t.Fatalf("%s:%d: this block does not end", name, inside.line)
	}
	return d
}

// marked are the blocks of a page with a mark.
func (d document) marked(marks ...string) []block {
	return slices.DeleteFunc(slices.Clone(d.blocks), func(b block) bool { return !slices.Contains(marks, b.mark) })
}

// spans are what the prose sets in back quotes.
func (d document) spans() []string {
	var spans []string
	for _, found := range regexp.MustCompile("`([^`\n]+)`").FindAllStringSubmatch(d.prose, -1) {
		spans = append(spans, found[1])
	}
	return spans
}

func TestBlocksSayWhatTheyAre(t *testing.T) {
	marks := strings.Fields("from file run install commands config rows folders expressions cells s3 questions printed")
	for _, d := range documents(t) {
		for _, b := range d.blocks {
			free := b.mark == "" && b.kind == "text" // a drawing
			if !free && !slices.Contains(marks, b.mark) {
				t.Errorf("%s:%d: got a block of %q marked %q, want one of %q before it", d.name, b.line, b.kind, b.mark, marks)
			}
		}
	}
}

func TestQuotesStandInTheirFiles(t *testing.T) {
	for _, d := range documents(t) {
		for _, b := range d.marked("from") {
			text, err := os.ReadFile(filepath.Join(root, b.arg))
			if err != nil {
				t.Errorf("%s:%d: %v", d.name, b.line, err)
				continue
			}
			if !strings.Contains("\n"+string(text), "\n"+b.text) {
				t.Errorf("%s:%d: this does not stand in %s:\n%s", d.name, b.line, b.arg, b.text)
			}
		}
	}
}
