// SPDX-License-Identifier: Apache-2.0

package vm

import (
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestArrows: this package knows nothing of the rest of the project, so that
// a guest's init stays small and another project's tests can use it.
func TestArrows(t *testing.T) {
	allowed := []string{"golang.org/x/sys/unix", "github.com/ulikunitz/xz"}
	// archive/tar and net make vmtest need the C library, which a guest lacks.
	forbidden := []string{"archive/tar", "net", "net/http", "os/user", "plugin"}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range f.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			foreign := strings.Contains(strings.Split(name, "/")[0], ".")
			if slices.Contains(forbidden, name) || foreign && !slices.Contains(allowed, name) {
				t.Errorf("%s imports %s", file, name)
			}
		}
	}
}
