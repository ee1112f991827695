// SPDX-License-Identifier: Apache-2.0

package spec

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/redsift/ingraind/gen/internal/diag"
)

var update = flag.Bool("update", false, "write the .want files from what the parser says")

// parse reads src as what its file name says it is.
func parse(file, src string) diag.List {
	if strings.HasPrefix(file, "agent_") {
		_, mistakes := ParseAgent(file, []byte(src))
		return mistakes
	}
	_, mistakes := ParseGrain(file, []byte(src))
	return mistakes
}

// said is the mistakes as a user reads them, a line each.
func said(mistakes diag.List) string {
	if err := mistakes.Err(); err != nil {
		return err.Error() + "\n"
	}
	return ""
}

// mistakeFiles are the testdata, one mistake each and named for it.
func mistakeFiles(t testing.TB) []string {
	files, err := filepath.Glob("testdata/mistakes/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("testdata/mistakes holds %d YAML files, error %v; want some", len(files), err)
	}
	return files
}

func read(t testing.TB, file string) string {
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(src)
}

func TestEachMistakeIsSaidAtItsPlace(t *testing.T) {
	for _, file := range mistakeFiles(t) {
		base := filepath.Base(file)
		t.Run(strings.TrimSuffix(base, ".yaml"), func(t *testing.T) {
			got := said(parse(base, read(t, file)))
			golden := strings.TrimSuffix(file, ".yaml") + ".want"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(read(t, golden), got); diff != "" {
				t.Errorf("mistakes of %s (-want +got):\n%s", file, diff)
			}
			if got == "" {
				t.Errorf("%s: got no mistake, want at least one", file)
			}
		})
	}
}

func TestEachWantHasItsYAML(t *testing.T) {
	files, err := filepath.Glob("testdata/mistakes/*.want")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := len(files), len(mistakeFiles(t)); got != want {
		t.Errorf("got %d .want files for %d .yaml files", got, want)
	}
}
