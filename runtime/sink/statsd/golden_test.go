// SPDX-License-Identifier: Apache-2.0

package statsd_test

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/redsift/ingraind/generated/conn"
	"github.com/redsift/ingraind/generated/dns"
	"github.com/redsift/ingraind/generated/exec"
	"github.com/redsift/ingraind/runtime"
)

var update = flag.Bool("update", false, "write the goldens")

// gathered is a sink that keeps the bytes it was shipped.
type gathered struct {
	runtime.Sink
	bytes.Buffer
}

func (g *gathered) Close() error { return nil }
func (g *gathered) Ship(_ context.Context, b *runtime.Batch) error {
	g.Write(b.Bytes)
	return nil
}

// replayed are the metrics of what a kernel wrote.
func replayed(t *testing.T, grain, dialect string) string {
	t.Helper()
	recording, err := os.ReadFile(filepath.Join("../../../grains/testdata", grain+".rec"))
	if err != nil {
		t.Fatal(err)
	}
	sink := &gathered{Sink: open(t, "dialect="+dialect)}
	ledger, err := runtime.Replay(t.Context(), bytes.NewReader(recording), runtime.Options{
		Grains: []*runtime.Grain{exec.New(), conn.New(), dns.New()},
		Lanes:  []runtime.LaneOptions{{Name: "statsd", Sink: sink}},
	})
	if err != nil || ledger.Losses() != 0 {
		t.Fatalf("got %v and %d losses", err, ledger.Losses())
	}
	return sink.String()
}

func TestRowsOfTheStockGrainsAreThoseLines(t *testing.T) {
	for _, grain := range []string{"conn", "dns", "exec"} {
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
