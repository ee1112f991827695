// SPDX-License-Identifier: Apache-2.0

package spec

import (
	"fmt"
	"unicode/utf8"

	"github.com/redsift/ingraind/gen/internal/diag"
	"gopkg.in/yaml.v3"
)

// parser reads the nodes of one file and collects what is wrong with them.
type parser struct {
	file     string
	lines    []string
	mistakes diag.List
}

// mistake records a mistake where n stands.
func (p *parser) mistake(n *yaml.Node, format string, args ...any) {
	p.mistakes.Add(p.pos(n), format, args...)
}

// pos is where n stands. yaml.v3 counts columns in characters, diag in bytes.
func (p *parser) pos(n *yaml.Node) diag.Pos {
	line := min(max(n.Line, 1), len(p.lines))
	text, col := p.lines[line-1], 0
	for range n.Column - 1 {
		if col >= len(text) {
			break
		}
		_, size := utf8.DecodeRuneInString(text[col:])
		col += size
	}
	return diag.Pos{File: p.file, Line: line, Col: col + 1}
}

// follow returns the node that an alias stands for, so that the rest of a file
// can be checked although aliases are refused.
func follow(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// isMerge says whether a key is YAML's <<.
func isMerge(key *yaml.Node) bool { return key.Tag == "!!merge" }

// isNull says whether nothing is written, or null or ~.
func isNull(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Tag == "!!null" && n.Style == 0
}

// isQuoted says whether a scalar is text whatever it looks like.
func isQuoted(n *yaml.Node) bool {
	return n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0
}

// describe says what a node is, to end "must be a list, not ...".
func describe(n *yaml.Node) string {
	switch {
	case isNull(n), n.Kind != yaml.ScalarNode && len(n.Content) == 0:
		return "empty"
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case isQuoted(n):
		return "quoted text"
	}
	return fmt.Sprintf("%q", n.Value)
}
