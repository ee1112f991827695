// SPDX-License-Identifier: Apache-2.0

package source

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/redsift/ingraind/gen/internal/diag"
)

// at is a place in a.c, the file of these tests.
func at(line, col int) diag.Pos { return diag.Pos{File: "a.c", Line: line, Col: col} }

// scan fails the test when src has mistakes.
func scan(t *testing.T, src string) *File {
	t.Helper()
	f, mistakes := Scan("a.c", []byte(src))
	if err := mistakes.Err(); err != nil {
		t.Errorf("%q: got mistakes %v, want none", src, err)
	}
	return f
}

func TestScanReadsAGrain(t *testing.T) {
	got := scan(t, `// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// TCP connections; PROBE(not, this one)
#include <linux/bpf.h>
#include "ingrain.h"

enum direction { OUT, IN };

struct _data_volume {
	struct who who; // filled by emit_
	ip_t peer;
	enum direction direction;
	text(4096) path;
};

#include "tcp.grain.h"

static int helper(struct sock *sk) { return "struct x {"[0] == '}'; }

PROBE(sent, struct sock *sk, size_t size, int ret)
{
	struct local { int a; };
	if (ret <= 0) return;
}

DECIDE(gate, struct __sk_buff *skb) { return 1; }
PROBE(none) {}
`)
	want := &File{
		Name:     "a.c",
		Funcs:    []Func{{Name: "helper", Pos: at(17, 12)}},
		Includes: []Include{{"ingrain.h", at(4, 10)}, {"tcp.grain.h", at(15, 10)}},
		Probes: []Probe{
			{Name: "sent", Pos: at(19, 7), Params: []Param{
				{"sk", "struct sock *", at(19, 26)}, {"size", "size_t", at(19, 37)}, {"ret", "int", at(19, 47)},
			}},
			{Name: "gate", Pos: at(25, 8), Params: []Param{{"skb", "struct __sk_buff *", at(25, 32)}}, Decides: true},
			{Name: "none", Pos: at(26, 7)},
		},
		Structs: []Struct{{Name: "_data_volume", Pos: at(8, 8), Members: []Member{
			{"who", at(9, 13), Plain}, {"peer", at(10, 7), Plain}, {"direction", at(11, 17), Plain}, {"path", at(12, 13), Plain},
		}}},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(File{}, "Words")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestNamesAreFoundOrNil(t *testing.T) {
	f := scan(t, "struct a { int x; };\nPROBE(p) {}\n")
	if s := f.Struct("a"); s == nil || s.Pos != at(1, 8) {
		t.Errorf("Struct(a): got %v, want it at 1:8", s)
	} else if m := s.Member("x"); m == nil || m.Pos != at(1, 16) {
		t.Errorf("Member(x): got %v, want it at 1:16", m)
	} else if m := s.Member("y"); m != nil {
		t.Errorf("Member(y): got %v, want nil", m)
	}
	if s := f.Struct("b"); s != nil {
		t.Errorf("Struct(b): got %v, want nil", s)
	}
	if p := f.Probe("p"); p == nil || p.Pos != at(2, 7) {
		t.Errorf("Probe(p): got %v, want it at 2:7", p)
	}
	if p := f.Probe("q"); p != nil {
		t.Errorf("Probe(q): got %v, want nil", p)
	}
}

func TestParametersAreTypeAndName(t *testing.T) {
	for text, want := range map[string][]Param{
		"":                                     nil,
		", void":                               nil,
		", int a":                              {{Name: "a", Type: "int"}},
		", const char *const *argv":            {{Name: "argv", Type: "const char *const *"}},
		", struct sock*sk":                     {{Name: "sk", Type: "struct sock *"}},
		",\n\tunsigned  long\tx, u8 y":         {{Name: "x", Type: "unsigned long"}, {Name: "y", Type: "u8"}},
		", void * /* the kernel's */ data":     {{Name: "data", Type: "void *"}},
		", int a __attribute__((unused))":      {{Name: "a", Type: "int"}},
		", __attribute__((x)) int a, \\\n u b": {{Name: "a", Type: "int"}, {Name: "b", Type: "u"}},
		", enum kind kind, union u *u":         {{Name: "kind", Type: "enum kind"}, {Name: "u", Type: "union u *"}},
		", struct a **b, struct c *const d":    {{Name: "b", Type: "struct a **"}, {Name: "d", Type: "struct c *const"}},
	} {
		f := scan(t, "PROBE(p"+text+") {}")
		if len(f.Probes) != 1 {
			t.Errorf("%q: got %d probes, want 1", text, len(f.Probes))
			continue
		}
		got := f.Probes[0].Params
		for i := range got {
			got[i].Pos = diag.Pos{}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
}

func TestMembersAreFoundInEveryDeclaration(t *testing.T) {
	for text, want := range map[string][]Member{
		"":                                        nil,
		"__u32 a, b;":                             {{"a", at(1, 18), Plain}, {"b", at(1, 21), Plain}},
		"char comm[16];":                          {{"comm", at(1, 17), Plain}},
		"char grid[2][N + 1], *p;":                {{"grid", at(1, 17), Plain}, {"p", at(1, 34), Pointer}},
		"__u32 a : 3, : 0, b:5;":                  {{"a", at(1, 18), Bitfield}, {"b", at(1, 30), Bitfield}},
		"unsigned long long n;":                   {{"n", at(1, 31), Plain}},
		"const char *const p;":                    {{"p", at(1, 30), Pointer}},
		"int (*f)(void *, int);":                  {{"f", at(1, 18), FuncPointer}},
		"int (*fs[4])(void), n;":                  {{"fs", at(1, 18), FuncPointer}, {"n", at(1, 32), Plain}},
		"int (*row)[4];":                          {{"row", at(1, 18), Pointer}},
		"struct sock *sk;":                        {{"sk", at(1, 25), Pointer}},
		"struct who who;":                         {{"who", at(1, 23), Plain}},
		"union u u;":                              {{"u", at(1, 20), Union}},
		"union u *u;":                             {{"u", at(1, 21), Pointer}},
		"text(4096) path; words(16384) args;":     {{"path", at(1, 23), Plain}, {"args", at(1, 42), Plain}},
		"__u64 t __attribute__((aligned(8)));":    {{"t", at(1, 18), Plain}},
		"__attribute__((x)) __u64 t, u;":          {{"t", at(1, 37), Plain}, {"u", at(1, 40), Plain}},
		"__u8 a[4] __packed;":                     {{"a", at(1, 17), Plain}},
		"_Alignas(8) int x;":                      {{"x", at(1, 28), Plain}},
		"typeof(*p) x; __typeof__(int) y;":        {{"x", at(1, 23), Plain}, {"y", at(1, 42), Plain}},
		"enum { A, B = (1, 2) } kind;":            {{"kind", at(1, 35), Plain}},
		"enum e kind;":                            {{"kind", at(1, 19), Plain}},
		";; int a;":                               {{"a", at(1, 19), Plain}},
		"int a; int b":                            {{"a", at(1, 16), Plain}, {"b", at(1, 23), Plain}},
		"__uint(type, 1); __type(key, int);":      nil,
		"_Static_assert(sizeof(int) == 4, \"\");": nil,

		"struct { int a; }; int b;":           {{"a", at(1, 25), Plain}, {"b", at(1, 35), Plain}},
		"union { int a; struct { u8 b; }; };": {{"a", at(1, 24), Union}, {"b", at(1, 39), Union}},
		"struct { int a, *b; } in;":           {{"in", at(1, 34), Plain}, {"in.a", at(1, 25), Plain}, {"in.b", at(1, 29), Pointer}},
		"union { int a; } u;":                 {{"u", at(1, 29), Union}, {"u.a", at(1, 24), Union}},
		"struct { struct { int a; }; } in;":   {{"in", at(1, 42), Plain}, {"in.a", at(1, 34), Plain}},
	} {
		f := scan(t, "struct s { "+text+" };")
		if len(f.Structs) != 1 || f.Structs[0].Name != "s" {
			t.Errorf("%q: got structs %v, want s", text, f.Structs)
			continue
		}
		if diff := cmp.Diff(want, f.Structs[0].Members); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
}

func TestStructsWithANameAreFoundWhereverTheyAreDefined(t *testing.T) {
	for text, want := range map[string][]string{
		"struct a; struct b *p; struct c f(void);":     nil,
		"struct { int a; } map SEC(\".maps\");":        nil,
		"typedef struct a { int x; } a_t;":             {"a"},
		"static const struct a { int x; } y = { 1 };":  {"a"},
		"struct __attribute__((packed)) a { int x; };": {"a"},
		"struct a { struct b { int x; } b; };":         {"a", "b"},
		"union u { struct a { int x; } a; };":          {"a"},
		"struct a { };\nstruct b { };":                 {"a", "b"},
		"void f(void) { struct a { int x; }; }":        nil,
	} {
		var got []string
		for _, s := range scan(t, text).Structs {
			got = append(got, s.Name)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
}

func TestOnlyCodeIsRead(t *testing.T) {
	for text, want := range map[string]diag.Pos{
		"/* PROBE(b) { */ PROBE(a) {}":                           at(1, 24),
		"// PROBE(b) { \\\n PROBE(c) {\nPROBE(a) {}":             at(3, 7),
		"#define X PROBE(b) { \\\n (\nPROBE(a) {}":               at(3, 7),
		"#define X /* \n { */ (\nPROBE(a) {}":                    at(3, 7),
		"#define GLOB \"/*\"\nPROBE(a) {}":                       at(2, 7),
		"#error don't\nPROBE(a) {}":                              at(2, 7),
		"char *s = \"PROBE(b) {\\\"\";\nPROBE(a) {}":             at(2, 7),
		"char *s = \"a \\\n b\";\nPROBE(a) {}":                   at(3, 7),
		"char c = '\\'', d = '\"';\nPROBE(a) {}":                 at(2, 7),
		"#if 0\nPROBE(b) { don't\n#endif\nPROBE(a) {}":           at(4, 7),
		"#if 0 // off\n{\n#else\nPROBE(a) {}\n#endif":            at(4, 7),
		"#if 1\nPROBE(a) {}\n#else\nPROBE(b) {}\n#endif":         at(2, 7),
		"#if 0\n#if 1\n{\n#else\n{\n#endif\n#endif\nPROBE(a) {}": at(8, 7),
		"#ifdef X\nPROBE(a) {}\n#endif":                          at(2, 7),
		"#pragma once\r\nPROBE(a) {}\r\n":                        at(2, 7),
		"void f() { g(\"\xff\"); }\tPROBE(a) {}":                 at(1, 28),
		"int é; PROBE(a) {}":                                     at(1, 15),
	} {
		f := scan(t, text)
		if len(f.Probes) != 1 || f.Probes[0].Name != "a" || f.Probes[0].Pos != want {
			t.Errorf("%q: got probes %v, want a at %v", text, f.Probes, want)
		}
	}
}

func TestIncludesAreThoseInQuotes(t *testing.T) {
	f := scan(t, "#include <a.h>\n  #  include /* x */ \"b.h\" // c\n#include X\n#if 0\n#include \"d.h\"\n#endif\n#include \"e.h\"")
	want := []Include{{"b.h", at(2, 22)}, {"e.h", at(7, 10)}}
	if diff := cmp.Diff(want, f.Includes); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
