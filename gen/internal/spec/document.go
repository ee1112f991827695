// SPDX-License-Identifier: Apache-2.0

package spec

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strings"

	"github.com/redsift/ingraind/gen/internal/diag"
	"gopkg.in/yaml.v3"
)

// document reads src as one YAML document of plain mappings, lists and
// scalars, and returns its top node, or nil with at least one mistake when
// there is none. what names the document for mistakes: "a grain".
func (p *parser) document(src []byte, what string) *yaml.Node {
	p.lines = strings.Split(string(src), "\n")
	if !p.checkText() {
		return nil
	}
	top, more, problem := decode(src)
	if problem != "" {
		p.syntax(problem)
		return nil
	}
	if top == nil || isNull(top) {
		p.mistakes.Add(diag.Pos{File: p.file, Line: 1, Col: 1}, "the file is empty; it must hold %s", what)
		return nil
	}
	if more != nil {
		p.mistake(more, "a second document starts here; a file holds one")
	}
	p.checkPlain(top)
	return follow(top)
}

var linePrefix = regexp.MustCompile(`^yaml: (line \d+: )?`)

// decode returns the first document's top node, the second document when there
// is one, and what YAML has against the text.
func decode(src []byte) (top, more *yaml.Node, problem string) {
	defer func() { // yaml.v3 panics on some broken comments and documents
		if r := recover(); r != nil {
			top, more, problem = nil, nil, "not understood"
		}
	}()
	decoder := yaml.NewDecoder(bytes.NewReader(src))
	var docs []*yaml.Node
	for len(docs) < 2 {
		var doc yaml.Node
		err := decoder.Decode(&doc)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, nil, linePrefix.ReplaceAllString(err.Error(), "")
		}
		docs = append(docs, &doc)
	}
	if len(docs) > 0 && len(docs[0].Content) == 1 {
		top = docs[0].Content[0]
	}
	if len(docs) == 2 {
		more = docs[1]
	}
	return top, more, ""
}

// checkPlain refuses the parts of YAML that would let a value stand in another
// place than where it is used, or mean something else than it says.
func (p *parser) checkPlain(n *yaml.Node) {
	if n.Kind == yaml.AliasNode {
		p.mistake(n, "aliases are not used here; write out what *%s stands for", n.Value)
		return
	}
	if n.Anchor != "" {
		p.mistake(n, "anchors are not used here: &%s", n.Anchor)
	}
	if n.Style&yaml.TaggedStyle != 0 {
		p.mistake(n, "tags are not used here: %q", n.Tag)
	}
	for i, child := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 && isMerge(child) {
			p.mistake(child, "merge keys are not used here; write the values out")
		}
		p.checkPlain(child)
	}
}
