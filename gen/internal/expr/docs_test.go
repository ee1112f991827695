// SPDX-License-Identifier: Apache-2.0

package expr_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/redsift/ingraind/gen/internal/expr"
)

// documented are the names that docs/expressions.md speaks of.
func documented() []expr.Var {
	var all []expr.Var
	for _, f := range []field{
		str("who.comm", 16), num("pid", "TypePID", "", 4, true), num("peer_port", "TypePort", "", 2, false), other("peer", "TypeIP", "", 16, 4),
		num("latency", "TypeDuration", "", 8, false), num("begun", "TypeMoment", "", 8, false), num("ended", "TypeMoment", "", 8, false),
		num("size", "TypeBytes", "", 8, false), num("bytes", "TypeUint", "", 8, false), num("sizes.0", "TypeUint", "", 2, false),
		num("flags", "TypeInt", "", 4, true), num("mode", "TypeUint", "", 2, false), num("family", "TypeUint", "", 2, false),
		num("error", "TypeErrno", "", 4, true), num("signal", "TypeSignal", "", 4, true), num("nr", "TypeSyscall", "", 4, true),
		num("color", "TypeEnum", "", 4, false), text("path", 256), other("hw", "TypeMAC", "", 6, 1),
		num("params.min_bytes", "TypeBytes", "", 8, true),
	} {
		all = append(all, f.Var)
	}
	return all
}

var block = regexp.MustCompile("(?s)<!-- (expressions|cells) -->\n```cel\n(.*?)```")

func TestExamplesOfTheDocumentCompile(t *testing.T) {
	page, err := os.ReadFile("../../../docs/expressions.md")
	if err != nil {
		t.Fatal(err)
	}
	n := map[string]int{}
	for _, found := range block.FindAllStringSubmatch(string(page), -1) {
		kind := strings.TrimSuffix(found[1], "s")
		for line := range strings.Lines(found[2]) {
			line = strings.TrimSpace(line)
			if _, _, mistakes := compiled(kind, expr.Source{Text: line}, documented()); mistakes.Len() > 0 {
				t.Errorf("%s: got %v, want no mistake", line, mistakes.Err())
			}
			n[kind]++
		}
	}
	if n["expression"] < 20 || n["cell"] != 12 {
		t.Errorf("got %v, want 20 expressions or more and 12 cells", n)
	}
	for _, f := range []string{"int", "uint", "size", "ip", "cidr", "mac", "startsWith", "endsWith", "contains", "matches", "containsIP", "bits.has", "bits.any", "bits.and"} {
		if !regexp.MustCompile(`(?m)^\|.*\b` + regexp.QuoteMeta(f) + `\(`).Match(page) {
			t.Errorf("the table of functions lacks %s", f)
		}
	}
}
