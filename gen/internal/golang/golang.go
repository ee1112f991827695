// SPDX-License-Identifier: Apache-2.0

// Package golang reads the Go package beside a grain: the functions that read
// an event's bytes, the structs that they fill, and where they stand. It sees
// the files as they are written and checks no types: that is the compiler's
// affair.
package golang

import (
	"go/ast"
	"go/build"
	"go/parser"
	"go/scanner"
	"go/token"
	"go/types"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/redsift/ingraind/gen/internal/diag"
)

// Package is the Go of one folder, without its tests.
type Package struct {
	Dir     string // as positions have it: "grains/dns"
	Name    string
	Pos     diag.Pos // of its name, in the first file
	Broken  bool     // there were mistakes
	Funcs   []Func   // those without a receiver and without type parameters
	Structs []Struct // those that have a name
}

// Func is one function. Pos is that of its name.
type Func struct {
	Name    string
	Pos     diag.Pos
	Params  []string // their types, as they are written
	Results []string
}

// Struct is one struct. Pos is that of its name.
type Struct struct {
	Name   string
	Pos    diag.Pos
	Fields []Field
}

// Field is one name inside a struct, its type as it is written.
type Field struct {
	Name string
	Type string
	Pos  diag.Pos
}

// Read reads the package in the folder dir below root; nil when there is no Go
// in it. It returns what it understood together with the mistakes.
func Read(root, dir string) (*Package, diag.List, error) {
	var mistakes diag.List
	entries, err := os.ReadDir(filepath.Join(root, dir))
	if os.IsNotExist(err) {
		return nil, mistakes, nil
	}
	if err != nil {
		return nil, mistakes, err
	}
	r := &reader{pkg: &Package{Dir: dir}, files: token.NewFileSet(), mistakes: &mistakes}
	for _, e := range entries {
		name := e.Name()
		if e.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		if built, err := build.Default.MatchFile(filepath.Join(root, dir), name); err == nil && !built {
			continue
		}
		code, err := os.ReadFile(filepath.Join(root, dir, name))
		if err != nil {
			return nil, mistakes, err
		}
		r.file(path.Join(dir, name), code)
	}
	if r.pkg.Name == "" {
		return nil, mistakes, nil
	}
	r.pkg.Broken = mistakes.Len() > 0
	return r.pkg, mistakes, nil
}

// reader reads files into one package.
type reader struct {
	pkg      *Package
	files    *token.FileSet
	mistakes *diag.List
}

func (r *reader) file(name string, code []byte) {
	f, err := parser.ParseFile(r.files, name, code, parser.SkipObjectResolution)
	if list, ok := err.(scanner.ErrorList); ok {
		list.RemoveMultiples() // of a line: what follows from the first
		for _, e := range list {
			r.mistakes.Add(diag.Pos{File: e.Pos.Filename, Line: e.Pos.Line, Col: e.Pos.Column}, "%s", e.Msg)
		}
	}
	if f == nil || f.Name == nil {
		return
	}
	if r.pkg.Name == "" {
		r.pkg.Name, r.pkg.Pos = f.Name.Name, r.pos(f.Name)
		if r.pkg.Name == "main" {
			r.mistakes.Add(r.pos(f.Name), "package main cannot be imported; the functions of a grain are in package %s", path.Base(r.pkg.Dir))
		}
	}
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil && d.Type.TypeParams == nil {
				r.pkg.Funcs = append(r.pkg.Funcs, Func{d.Name.Name, r.pos(d.Name), typesOf(d.Type.Params), typesOf(d.Type.Results)})
			}
		case *ast.GenDecl:
			for _, s := range d.Specs {
				if t, ok := s.(*ast.TypeSpec); ok && t.TypeParams == nil {
					r.structure(t)
				}
			}
		}
	}
}

func (r *reader) structure(t *ast.TypeSpec) {
	body, ok := t.Type.(*ast.StructType)
	if !ok {
		return
	}
	s := Struct{Name: t.Name.Name, Pos: r.pos(t.Name)}
	for _, f := range body.Fields.List {
		for _, name := range f.Names {
			s.Fields = append(s.Fields, Field{name.Name, types.ExprString(f.Type), r.pos(name)})
		}
	}
	r.pkg.Structs = append(r.pkg.Structs, s)
}

func (r *reader) pos(n ast.Node) diag.Pos {
	p := r.files.Position(n.Pos())
	return diag.Pos{File: p.Filename, Line: p.Line, Col: p.Column}
}

// typesOf are the types of parameters or results, one for each.
func typesOf(list *ast.FieldList) []string {
	var all []string
	if list == nil {
		return nil
	}
	for _, f := range list.List {
		for range max(len(f.Names), 1) {
			all = append(all, types.ExprString(f.Type))
		}
	}
	return all
}

// Func returns the function of that name, or nil.
func (p *Package) Func(name string) *Func {
	for i := range p.Funcs {
		if p.Funcs[i].Name == name {
			return &p.Funcs[i]
		}
	}
	return nil
}

// Struct returns the struct of that name, or nil.
func (p *Package) Struct(name string) *Struct {
	for i := range p.Structs {
		if p.Structs[i].Name == name {
			return &p.Structs[i]
		}
	}
	return nil
}

// Field returns the field of that name, or nil.
func (s *Struct) Field(name string) *Field {
	for i := range s.Fields {
		if s.Fields[i].Name == name {
			return &s.Fields[i]
		}
	}
	return nil
}
