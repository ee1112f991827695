// SPDX-License-Identifier: Apache-2.0

package gen_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/redsift/ingraind/gen"
)

var update = flag.Bool("update", false, "write the goldens of testdata anew")

// Each folder of testdata/mistakes is a site named for what is wrong in it;
// its file want is what a user is told, all in one run.
func TestMistakesAreSaidAtTheirPlaces(t *testing.T) {
	sites, err := filepath.Glob("testdata/mistakes/*")
	if err != nil || len(sites) < 45 {
		t.Fatalf("got %d sites, %v, want at least 45 in testdata/mistakes", len(sites), err)
	}
	for _, site := range sites {
		t.Run(filepath.Base(site), func(t *testing.T) {
			t.Parallel()
			err := gen.Vet(gen.Options{Root: site, Cache: "-"})
			if err == nil {
				t.Fatal("got no mistake, want one")
			}
			golden(t, filepath.Join(site, "want"), err.Error()+"\n")
			if _, err := os.Stat(filepath.Join(site, "generated")); !os.IsNotExist(err) {
				t.Errorf("generated/ is there (%v), want nothing written", err)
			}
		})
	}
}

// golden compares got with a file, and with -update makes it that file's text.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		write(t, file, got)
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v (go test ./gen -update writes it)", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}
