// SPDX-License-Identifier: Apache-2.0

package statsd_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/sinktest"
)

var update = flag.Bool("update", false, "write the goldens")

// replayed are the metrics of what a kernel wrote.
func replayed(t *testing.T, grain, dialect string) string {
	t.Helper()
	encoding := open(t, "dialect="+dialect).Encoding()
	var lines []byte
	sinktest.StockOf(t, "../../../grains/testdata", grain, func(row *runtime.Row) { lines = encoding.AppendRow(lines, row) })
	return string(lines)
}

func TestRowsOfTheStockGrainsAreThoseLines(t *testing.T) {
	for _, grain := range []string{"conn", "exec"} {
		for _, dialect := range dialects {
			golden := filepath.Join("testdata", grain+"."+dialect)
			got := replayed(t, grain, dialect)
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatalf("%v (go test -update writes it)", err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("%s: -want +got:\n%s", golden, diff)
			}
			for line := range strings.Lines(got) {
				tags := 0
				if _, tagged, ok := strings.Cut(line, "|#"); ok {
					tags = strings.Count(strings.Split(tagged, ",le:")[0], ":")
				}
				mustParse(t, dialect, line, tags)
			}
		}
	}
}
