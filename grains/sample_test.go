// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/runtimetest"
)

// gathering are options for an agent whose rows are gathered as they are
// written.
func gathering(o runtime.Options) (runtime.Options, *gathered) {
	sink := &gathered{}
	o.Lanes = append(o.Lanes, runtime.LaneOptions{Name: "gathered", Sink: sink, Limit: 1 << 30})
	return o, sink
}

// checkSample holds a grain's sample, testdata/NAME.sample.ndjson, which its
// page quotes, to the rows that it has now: of each pick the sample has the
// first row that fits, with the fields that such rows have. -update takes it
// anew.
func checkSample(t *testing.T, name string, sink *gathered, picks ...func(runtimetest.Row) bool) {
	t.Helper()
	rows := parse(t, sink.Bytes())
	lines := slices.Collect(bytes.Lines(sink.Bytes()))
	var want []runtimetest.Row
	var sample []byte
	for n, pick := range picks {
		i := slices.IndexFunc(rows, pick)
		if i < 0 {
			t.Fatalf("no row for number %d of the sample", n)
		}
		want = append(want, rows[i])
		sample = append(sample, lines[i]...)
	}
	file := filepath.Join("testdata", name+".sample.ndjson")
	if *update {
		must(t, os.WriteFile(file, sample, 0o644))
	}
	text, err := os.ReadFile(file)
	must(t, err)
	got := parse(t, text)
	if len(got) != len(want) {
		t.Fatalf("%s has %d rows, want %d", file, len(got), len(want))
	}
	for i := range want {
		if g, w := fieldsOf(got[i]), fieldsOf(want[i]); g != w {
			t.Errorf("row %d of %s has the fields\n%s, want\n%s", i, file, g, w)
		}
	}
}

// fieldsOf are the names of a row's fields, and of the event or table it is of.
func fieldsOf(r runtimetest.Row) string {
	names := []string{r.Text("grain") + "." + r.Text("event") + r.Text("table")}
	for name, value := range r {
		names = append(names, name)
		if inner, ok := value.(map[string]any); ok {
			for member := range inner {
				names = append(names, name+"."+member)
			}
		}
	}
	slices.Sort(names[1:])
	return strings.Join(names, " ")
}

// sampleFolder is a folder for a test whose rows are a sample: when that is
// taken anew, one that does not tell of the machine.
func sampleFolder(t *testing.T) string {
	t.Helper()
	if !*update {
		return folder(t)
	}
	const dir = "/var/lib/ingrain-sample"
	must(t, os.Mkdir(dir, 0o755))
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}
