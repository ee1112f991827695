// SPDX-License-Identifier: Apache-2.0

// Package source reads a grain's C file for its names and where they stand:
// probes, structs and their members. Layouts come later, from BTF, which knows
// neither a line nor what a probe's arguments are called.
//
// It sees the file as it is written, before the preprocessor: macros are not
// expanded and every branch of an #if is read, except what #if 0 and the #else
// of #if 1 leave out.
package source

import "github.com/redsift/ingraind/gen/internal/diag"

// File is what one C file defines, each list in the order of the file.
type File struct {
	Name     string
	Includes []Include // those in quotes; <...> is the compiler's affair
	Probes   []Probe   // those that have a name, each once
	Structs  []Struct  // those that have a name, also when defined inside another
	Funcs    []Func    // those with a body

	// Words are the identifiers and keywords of the file, those of #define
	// and #if too, and where each stands first.
	Words map[string]diag.Pos
}

// Include is one #include "path". Pos is that of the opening quote.
type Include struct {
	Path string
	Pos  diag.Pos
}

// Probe is one PROBE(name, type name, ...) { ... }. Pos is that of its name.
type Probe struct {
	Name    string
	Pos     diag.Pos
	Params  []Param
	Calls   []Call
	Decides bool // written DECIDE: its return value is the verdict
}

// Func is one function with a body. Pos is that of its name.
type Func struct {
	Name  string
	Pos   diag.Pos
	Calls []Call
}

// Call is an identifier in front of parentheses, in a body: a function's or a
// macro's name. Each body has a name once, where it stands first.
type Call struct {
	Name string
	Pos  diag.Pos
}

// Param is one parameter of a probe: "struct sock *sk" has the name "sk" and
// the type "struct sock *". Pos is that of the name.
type Param struct {
	Name string
	Type string
	Pos  diag.Pos
}

// Struct is one struct with a body. Pos is that of its name.
type Struct struct {
	Name    string
	Pos     diag.Pos
	Members []Member
}

// Member is one name inside a struct. Those of a nested struct or union
// without a name stand beside the others, as in C; those of one that only has
// a member's name, as in struct { int a; } in, follow it as "in.a".
type Member struct {
	Name string
	Pos  diag.Pos
	Kind MemberKind
}

// MemberKind tells the members that an event cannot carry from those it may. A
// typedef hides what it stands for: Plain promises nothing.
type MemberKind int

const (
	Plain       MemberKind = iota
	Bitfield               // unsigned a : 3
	Union                  // a union, or a member of one that has no name
	Pointer                // char *p, int (*p)[4]
	FuncPointer            // int (*f)(void)
)

// Scan reads the C file called name. It returns what it understood together
// with the mistakes it met, for the caller to add its own before it gives up;
// what it does not understand it leaves to the compiler.
func Scan(name string, src []byte) (*File, diag.List) {
	l := lexer{src: string(src), line: 1, lineStart: true, file: &File{Name: name, Words: map[string]diag.Pos{}}}
	l.run()
	p := parser{tokens: l.tokens, file: l.file, mistakes: l.mistakes, cut: l.mistakes.Len() > 0}
	p.pair()
	p.parse()
	return p.file, p.mistakes
}

// Probe returns the probe of that name, or nil.
func (f *File) Probe(name string) *Probe {
	for i := range f.Probes {
		if f.Probes[i].Name == name {
			return &f.Probes[i]
		}
	}
	return nil
}

// Func returns the function of that name, or nil.
func (f *File) Func(name string) *Func {
	for i := range f.Funcs {
		if f.Funcs[i].Name == name {
			return &f.Funcs[i]
		}
	}
	return nil
}

// Struct returns the first struct of that name, or nil.
func (f *File) Struct(name string) *Struct {
	for i := range f.Structs {
		if f.Structs[i].Name == name {
			return &f.Structs[i]
		}
	}
	return nil
}

// Member returns the first member of that name, or nil.
func (s *Struct) Member(name string) *Member {
	for i := range s.Members {
		if s.Members[i].Name == name {
			return &s.Members[i]
		}
	}
	return nil
}
