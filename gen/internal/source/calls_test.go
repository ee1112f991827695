// SPDX-License-Identifier: Apache-2.0

package source

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCallsOfAFunctionAreFound(t *testing.T) {
	for text, want := range map[string][]Func{
		"static void f(void) { g(1); h(g(2)); }": {{"f", at(1, 13), []Call{{"g", at(1, 23)}, {"h", at(1, 29)}}}},
		"void f(void);":                          nil,
		"int x = f(1);":                          nil,
		"void f(void) { if (a) return (b); sizeof(c); while (d) for (;;) ; }": {{"f", at(1, 6), nil}},
		"void f(int (*cb)(void)) __attribute__((noinline)) { cb(); }":         {{"f", at(1, 6), []Call{{"cb", at(1, 53)}}}},
		"__attribute__((x)) void f(void) {}":                                  {{"f", at(1, 25), nil}},
		"void f(void) { /* g() */ \"h()\"; }":                                 {{"f", at(1, 6), nil}},
		"struct s { int a; } f(void) { g(); }":                                {{"f", at(1, 21), []Call{{"g", at(1, 31)}}}},
		"#if 0\nvoid f(void) {}\n#endif":                                      nil,
		"void f(void) {":                                                      nil,
	} {
		file, _ := Scan("a.c", []byte(text))
		if text == "void f(void) {" {
			continue // reported; what is left of it does not matter
		}
		if diff := cmp.Diff(want, file.Funcs); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
}

func TestCallsOfAProbeAreFound(t *testing.T) {
	f := scan(t, "PROBE(a, int b)\n{\n\tstruct _data_x *v = new_x();\n\n\tif (v)\n\t\temit_x(v);\n}")
	want := []Call{{"new_x", at(3, 22)}, {"emit_x", at(6, 3)}}
	if diff := cmp.Diff(want, f.Probes[0].Calls); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWordsAreThoseOfCodeAndMacros(t *testing.T) {
	f := scan(t, "// in_comment\n#define MOST \\\n\tPARAM_most /* not_this */ 0x1f\n#if 0\ngone\n#define gone_too\n#endif\nint x = MOST; char *s = \"text\";")
	want := map[string]bool{"MOST": true, "PARAM_most": true, "int": true, "x": true, "char": true, "s": true}
	for word, pos := range f.Words {
		if !want[word] {
			t.Errorf("got the word %q at %s, want %v", word, pos, want)
		}
	}
	if got, want := f.Words["PARAM_most"], at(3, 2); got != want || len(f.Words) != 6 {
		t.Errorf("got PARAM_most at %v of %d words, want %v of 6", got, len(f.Words), want)
	}
}
