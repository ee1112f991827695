// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// anything stands in a pattern for any text, also none.
const anything = '\x00'

var word = regexp.MustCompile(`[A-Za-z][a-z']+`)

// pattern is a message with what varies in it left open: one of the code, where
// verbs and values vary, or one of the page, where words in capitals and "..." do.
type pattern struct {
	where string // file:line
	raw   string // as it stands there
	text  string
	words []string // those that do not vary
}

func newPattern(where, raw, text string) pattern {
	return pattern{where, raw, text, word.FindAllString(text, -1)}
}

// letters is how many the words have.
func letters(words []string) int { return len(strings.Join(words, "")) }

// covers reports whether an entry is about a message: there is a text that both
// are, and the entry has each of the message's own words, so that one finds it;
// half of them when it says itself that it leaves something out.
func (entry pattern) covers(message pattern) bool {
	missing := slices.DeleteFunc(slices.Clone(message.words), func(w string) bool {
		return slices.ContainsFunc(entry.words, func(e string) bool { return strings.HasPrefix(e, w) })
	})
	if strings.Contains(entry.raw, "...") && 2*letters(missing) <= letters(message.words) {
		missing = nil
	}
	return len(missing) == 0 && meet(entry.text, message.text)
}

// meet reports whether there is a text that both patterns are.
func meet(a, b string) bool {
	row := make([]bool, len(b)+1) // of the beginnings of b that meet the beginning of a
	row[0] = true
	for j := range len(b) {
		row[j+1] = row[j] && b[j] == anything
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = diagonal && a[i] == anything
		for j := range len(b) {
			open := a[i] == anything && (row[j] || row[j+1]) || b[j] == anything && (row[j] || row[j+1])
			diagonal, row[j+1] = row[j+1], open || diagonal && (a[i] == b[j] || a[i] == anything || b[j] == anything)
		}
	}
	return row[len(b)]
}

// spoken are the functions and variables whose text becomes a part of messages
// without being made an error there.
var spoken = map[string][]string{
	"runtime/agent/ledger.go":     {"appendLedger"},
	"runtime/code.go":             {"noneOf"},
	"runtime/explain.go":          {"explain"},
	"runtime/perfevent.go":        {"perfEvents"},
	"runtime/recording_reader.go": {"Error"},
	"runtime/plan.go":             {"decide", "giveUp", "place"},
	"runtime/verifier.go":         {"refusal"},
	"runtime/sink/s3/judge.go":    {"hint"},
	"gen/cmd/ingrain/vet.go":      {"vet"},
	"gen/internal/expr/parse.go":  {"plainly"},
	"gen/internal/model/table.go": {"keptOut"},
}

// texts collects the messages of a file.
type texts struct {
	files  *token.FileSet
	name   string
	consts map[string]string
	found  []pattern
}

// text is what a string expression is, as far as it is known.
func (t *texts) text(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		if text, err := strconv.Unquote(e.Value); err == nil && e.Kind == token.STRING {
			return text
		}
	case *ast.Ident:
		if text, ok := t.consts[e.Name]; ok {
			return text
		}
	case *ast.BinaryExpr:
		if e.Op == token.ADD {
			return t.text(e.X) + t.text(e.Y)
		}
	case *ast.CallExpr:
		if name(e.Fun) == "Sprintf" {
			return formatted(t.text(e.Args[0]))
		}
	}
	return string(anything)
}

var verb = regexp.MustCompile(`%[-+# 0]*[0-9]*(?:\.[0-9]+)?[a-zA-Z]`)

// formatted is a format with its verbs left open.
func formatted(text string) string {
	return strings.ReplaceAll(verb.ReplaceAllString(text, string(anything)), "%%", "%")
}

func name(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}

var (
	endsOne   = regexp.MustCompile(`^([ :;,(]|is )`)
	beginsOne = regexp.MustCompile(`: ?$`)
)

// add adds a message, or what begins or ends one.
func (t *texts) add(e ast.Expr, format bool) {
	text := t.text(e)
	if format {
		text = formatted(text)
	}
	raw := strings.ReplaceAll(text, string(anything), "*")
	text = strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", " ")
	if endsOne.MatchString(text) {
		text = string(anything) + text
	}
	if beginsOne.MatchString(text) {
		text += string(anything)
	}
	if p := newPattern(fmt.Sprintf("%s:%d", t.name, t.files.Position(e.Pos()).Line), raw, text); len(p.words) > 0 {
		t.found = append(t.found, p)
	}
}

// made looks at what makes errors, mistakes, warnings, and answers of HTTP.
func (t *texts) made(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.CallExpr:
		at, format := -1, true
		switch name(n.Fun) {
		case "Errorf", "again", "lack":
			at = 0
		case "New":
			if s, ok := n.Fun.(*ast.SelectorExpr); ok && name(s.X) == "errors" {
				at, format = 0, false
			}
		case "Warn", "Error":
			at, format = 0, false
			if s, ok := n.Fun.(*ast.SelectorExpr); ok && name(s.X) == "http" {
				at = 1
			}
		case "Add", "mistake", "wrong":
			at = 1
		}
		if at >= 0 && at < len(n.Args) {
			t.add(n.Args[at], format)
		}
	case *ast.KeyValueExpr:
		if name(n.Key) == "Reason" {
			t.add(n.Value, false)
		}
	}
	return true
}

// said looks at all text of a function or variable.
func (t *texts) said(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.BinaryExpr:
		t.sentence(n)
		return false
	case *ast.BasicLit:
		t.sentence(n)
	case *ast.CallExpr:
		switch name(n.Fun) {
		case "Errorf", "New":
			return false
		}
		if strings.HasSuffix(name(n.Fun), "printf") || strings.HasSuffix(name(n.Fun), "Appendf") {
			for _, arg := range n.Args {
				if _, ok := arg.(*ast.BasicLit); ok {
					t.add(arg, true)
				}
			}
			return false
		}
	}
	return true
}

func (t *texts) sentence(e ast.Expr) {
	if strings.Contains(strings.Trim(t.text(e), " \n"), " ") {
		t.add(e, false)
	}
}

// messages are those of the agent and of the generator.
func messages(t *testing.T) []pattern {
	t.Helper()
	var all []pattern
	left := []string{"runtime/runtimetest", "runtime/sinktest", "runtime/testdata", "gen/vm", "gen/testdata", "gen/internal/syscalls/mksyscalls"}
	for _, dir := range []string{"runtime", "gen"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(file string, d fs.DirEntry, err error) error {
			rel := strings.TrimPrefix(file, root+"/")
			switch {
			case err != nil:
				return err
			case slices.Contains(left, rel):
				return fs.SkipDir
			case d.IsDir() || !strings.HasSuffix(rel, ".go") || strings.HasSuffix(rel, "_test.go"):
				return nil
			}
			found, err := messagesOf(file, rel)
			all = append(all, found...)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(all) < 700 {
		t.Fatalf("got %d messages, want at least 700: the code makes them in a way that this test does not see", len(all))
	}
	return all
}

func messagesOf(file, rel string) ([]pattern, error) {
	t := texts{files: token.NewFileSet(), name: rel, consts: map[string]string{}}
	f, err := parser.ParseFile(t.files, file, nil, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	ast.Inspect(f, t.constants)
	ast.Inspect(f, t.made)
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if slices.Contains(spoken[rel], d.Name.Name) {
				ast.Inspect(d.Body, t.said)
			}
		case *ast.GenDecl:
			for _, s := range d.Specs {
				if v, ok := s.(*ast.ValueSpec); ok && slices.Contains(spoken[rel], v.Names[0].Name) {
					ast.Inspect(v.Values[0], t.said)
				}
			}
		}
	}
	return t.found, nil
}

// constants notes constants that are text, but those of one name that differ.
func (t *texts) constants(n ast.Node) bool {
	v, ok := n.(*ast.ValueSpec)
	if !ok {
		return true
	}
	for i, name := range v.Names {
		if i < len(v.Values) {
			if lit, ok := v.Values[i].(*ast.BasicLit); ok && lit.Kind == token.STRING {
				text := t.text(lit)
				if before, twice := t.consts[name.Name]; twice && before != text {
					text = string(anything)
				}
				t.consts[name.Name] = text
			}
		}
	}
	return true
}
