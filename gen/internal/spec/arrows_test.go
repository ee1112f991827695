// SPDX-License-Identifier: Apache-2.0

package spec

import (
	"go/build"
	"strings"
	"testing"
)

// The package knows YAML and positions: what C or the runtime say is bound to
// it in package model, and nowhere else.
func TestSpecImportsOnlyYAMLAndDiag(t *testing.T) {
	allowed := map[string]bool{
		"gopkg.in/yaml.v3": true,
		"github.com/redsift/ingraind/gen/internal/diag": true,
	}
	pkg, err := build.ImportDir(".", 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range pkg.Imports {
		host, _, _ := strings.Cut(path, "/")
		if strings.Contains(host, ".") && !allowed[path] {
			t.Errorf("got an import of %s, want only the standard library, yaml.v3 and diag", path)
		}
	}
}
