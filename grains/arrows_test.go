// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"go/build"
	"path/filepath"
	"slices"
	"testing"
)

// pure are the packages that the Go beside a grain may import: what a function
// of bytes needs. Nothing of this project, nothing that knows a clock, a file or
// another goroutine: what it gives depends on the bytes alone.
var pure = []string{
	"bytes", "cmp", "crypto/sha256", "encoding/base64", "encoding/binary", "encoding/hex", "math/bits", "net/netip", "slices", "strconv", "unicode/utf8",
}

func TestFunctionsBesideGrainsArePure(t *testing.T) {
	if underEmulation() {
		return // a guest has no sources
	}
	grains, err := filepath.Glob("*.yaml")
	must(t, err)
	n := 0
	for _, g := range grains {
		pkg, err := build.ImportDir(g[:len(g)-len(".yaml")], 0)
		if err != nil {
			continue // there is no Go
		}
		n++
		for _, path := range pkg.Imports {
			if !slices.Contains(pure, path) {
				t.Errorf("grains/%s imports %s, want only %q", pkg.Name, path, pure)
			}
		}
	}
	if n == 0 {
		t.Error("got no grain with a package of Go beside it, want some")
	}
}
