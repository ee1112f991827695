// SPDX-License-Identifier: Apache-2.0

package source

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/mistakes/*.txt anew")

// Each file of testdata/mistakes is named for what is wrong in it; beside it
// lies what a user is told.
func TestMistakesSayWhereAndWhatToWriteInstead(t *testing.T) {
	files, err := filepath.Glob("testdata/mistakes/*.c")
	if err != nil || len(files) == 0 {
		t.Fatalf("got %d files, %v, want some in testdata/mistakes", len(files), err)
	}
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".c"), func(t *testing.T) {
			src, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			_, mistakes := Scan("x.bpf.c", src)
			if mistakes.Len() == 0 {
				t.Fatal("got no mistakes, want some")
			}
			got := mistakes.Err().Error() + "\n"

			golden := strings.TrimSuffix(path, ".c") + ".txt"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got:\n%swant:\n%s", got, want)
			}
		})
	}
}

func TestProbesWithMistakesAreStillFound(t *testing.T) {
	f, mistakes := Scan("a.c", []byte("PROBE(sent, char a[4], int ret) {}\nPROBE(sent) {}\nPROBE(received, int {}\n"))
	if got, want := mistakes.Len(), 4; got != want {
		t.Errorf("got %d mistakes, want %d: %v", got, want, mistakes.Err())
	}
	if p := f.Probe("sent"); p == nil || len(p.Params) != 1 || p.Params[0].Name != "ret" {
		t.Errorf("sent: got %v, want it with its parameter ret", p)
	}
	if f.Probe("received") == nil || len(f.Probes) != 2 {
		t.Errorf("got probes %v, want sent and received, once each", f.Probes)
	}
}
