// SPDX-License-Identifier: Apache-2.0

package spec

import (
	"go/token"
	"regexp"
	"slices"
	"strings"
)

var (
	namePattern      = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	grainNamePattern = regexp.MustCompile(`^[a-z][a-z0-9_]{0,30}$`)
	agentNamePattern = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,30}$`)
	dottedPattern    = regexp.MustCompile(`^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$`)
	pathPattern      = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$`)
	importPattern    = regexp.MustCompile(`^[A-Za-z0-9_~-][A-Za-z0-9_.~-]*(/[A-Za-z0-9_~-][A-Za-z0-9_.~-]*)+$`)
)

// words splits a list that is easier to read as one line.
func words(s string) []string { return strings.Fields(s) }

// cWords cannot be identifiers in the C of a grain: C23's words and clang's own.
var cWords = words(`alignas alignof asm auto bool break case char const constexpr
	continue default do double else enum extern false float for goto if inline int
	long nullptr register restrict return short signed sizeof static static_assert
	struct switch thread_local true typedef typeof typeof_unqual union unsigned
	void volatile while`)

// takenNames mean something else as a directory or a package of Go, or as the
// file agent.yaml.
var takenNames = words(`agent init internal main runtime testdata vendor`)

// goSuffixes after the last _ of its name keep a Go file out of some builds.
var goSuffixes = words(`test aix android darwin dragonfly freebsd illumos ios js
	linux netbsd openbsd plan9 solaris wasip1 windows 386 amd64 arm arm64 loong64
	mips mips64 mips64le mipsle ppc64 ppc64le riscv64 s390x sparc64 unix wasm`)

// checkName says whether v can name a param, a probe or an event, each of
// which is an identifier in C.
func (p *parser) checkName(v Value, noun string) {
	switch {
	case !namePattern.MatchString(v.Text):
		p.mistakes.Add(v.Pos, "%s %q must be lower-case letters, digits and _, and start with a letter", noun, v.Text)
	case slices.Contains(cWords, v.Text):
		p.mistakes.Add(v.Pos, "%s %q cannot be named so: it is a word of C", noun, v.Text)
	}
}

// checkGrainName says whether v can name a grain, which is a package and a
// file of Go, and whether the grain's file is named after it.
func (p *parser) checkGrainName(v Value) {
	suffix := v.Text[strings.LastIndexByte(v.Text, '_')+1:]
	switch base := p.file[strings.LastIndexByte(p.file, '/')+1:]; {
	case !grainNamePattern.MatchString(v.Text):
		p.mistakes.Add(v.Pos, "grain %q must be lower-case letters, digits and _, start with a letter, and have at most 31 of them", v.Text)
	case token.IsKeyword(v.Text):
		p.mistakes.Add(v.Pos, "grain %q cannot be named so: it is a word of Go", v.Text)
	case slices.Contains(takenNames, v.Text):
		p.mistakes.Add(v.Pos, "grain %q cannot be named so: the name is taken", v.Text)
	case suffix != v.Text && slices.Contains(goSuffixes, suffix):
		p.mistakes.Add(v.Pos, "grain %q cannot be named so: Go builds files that end in _%s only sometimes", v.Text, suffix)
	case base != v.Text+".yaml":
		p.mistakes.Add(v.Pos, "grain %q must have the name of its file %s", v.Text, base)
	}
}

// checkAgentName says whether v can name an agent, which is a binary and a
// directory of Go.
func (p *parser) checkAgentName(v Value) {
	switch {
	case !agentNamePattern.MatchString(v.Text):
		p.mistakes.Add(v.Pos, "agent %q must be lower-case letters, digits, _ and -, start with a letter, and have at most 31 of them", v.Text)
	case slices.Contains([]string{"internal", "testdata", "vendor"}, v.Text):
		p.mistakes.Add(v.Pos, "agent %q cannot be named so: the name is taken", v.Text)
	}
}

// checkImport says whether v is a bare name or the import path of a package.
func (p *parser) checkImport(v Value, noun string) {
	if !namePattern.MatchString(v.Text) && !importPattern.MatchString(v.Text) {
		p.mistakes.Add(v.Pos, "%s %q must be a name, or an import path such as example.org/mod/%s", noun, v.Text, noun)
	}
}
