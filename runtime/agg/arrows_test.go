// SPDX-License-Identifier: Apache-2.0

package agg

import (
	"go/build"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// Tables are of words: what an event, a row or a kernel is, this package does
// not know. The objects beside the words know only how words are read.
func TestAggImportsOnlyLightParts(t *testing.T) {
	const self = "github.com/redsift/ingraind/runtime/agg"
	light := []string{"cmp", "encoding/binary", "iter", "math", "math/bits", "math/rand/v2", "slices", "strconv", "unsafe"}
	for dir, allowed := range map[string][]string{".": light, "quantiles": append(light, self), "distinct": light, "top": light} {
		pkg, err := build.ImportDir(dir, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range pkg.Imports {
			if !slices.Contains(allowed, path) {
				t.Errorf("%s: got an import of %s, want only %v", dir, path, allowed)
			}
		}
	}
}

// An agent links the objects only of the kinds that its tables have.
func TestTablesDoNotLinkWhatOtherTablesNeed(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range strings.Fields(string(out)) {
		if strings.HasPrefix(path, "github.com/redsift/ingraind/runtime/agg/") {
			t.Errorf("every table links %s", path)
		}
	}
}
