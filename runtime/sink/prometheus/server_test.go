// SPDX-License-Identifier: Apache-2.0

package prometheus_test

import (
	"fmt"
	"math/bits"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/agg"
	"github.com/redsift/ingraind/runtime/sink/prometheus"
	"github.com/redsift/ingraind/runtime/sinktest"
)

// What .ci/prometheus installs.
const (
	server   = "../../../.cache/prometheus/prometheus"
	promtool = "../../../.cache/prometheus/promtool"
)

func TestPromtoolTakesWhatIsSent(t *testing.T) {
	s := open(t)
	event, _ := calls()
	ship(t, s, sinktest.TableRow(event, false))
	cmd := exec.Command(sinktest.Installed(t, promtool, ".ci/prometheus"), "check", "metrics")
	cmd.Stdin = strings.NewReader(scrape(t, s, "text/plain"))
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("got %v: %s", err, out)
	}
}

// calls is a table of counters and histograms, and its row's values.
func calls() (*runtime.Event, *[]runtime.Value) {
	values := &[]runtime.Value{
		{Type: runtime.TypeString, Bytes: []byte("a")}, sinktest.Number(1), sinktest.Number(1),
		{Type: runtime.TypeHistogram, Cell: make([]uint64, 65)}, {Type: runtime.TypeHistogram, Cell: make([]uint64, 65)},
		sinktest.Number(1),
	}
	event := sinktest.Made("calls", []runtime.Field{sinktest.Field("comm", runtime.TypeString)}, []runtime.Field{
		sinktest.CellOf("n", runtime.TypeUint, agg.Cell{Kind: agg.Count}),
		sinktest.CellOf("busy", runtime.TypeDuration, agg.Cell{Kind: agg.Sum}),
		sinktest.CellOf("took", runtime.TypeDuration, agg.Cell{Kind: agg.Exp2, Bits: 64}),
		sinktest.CellOf("sizes", runtime.TypeBytes, agg.Cell{Kind: agg.Exp2, Bits: 64}),
		sinktest.CellOf("largest", runtime.TypeBytes, agg.Cell{Kind: agg.Max}),
	}, values)
	event.Table.Help = "Calls."
	for i := range event.Fields {
		event.Fields[i].Help = "What it counts."
	}
	return event, values
}

// Two servers scrape one sink, one of them native histograms. What they say is
// held to what the test counted itself, of single values.
func TestPrometheusSaysWhatWasCounted(t *testing.T) {
	s := open(t)
	at := prometheus.Addr(s).String()
	classic, native := sinktest.NewPrometheus(t, server, at, false), sinktest.NewPrometheus(t, server, at, true)

	event, v := calls()
	var sizes, took []uint64
	var busy uint64
	for i := range 1000 {
		size := uint64(3 + i*i%5000)
		long := size * 1009
		sizes, took, busy = append(sizes, size), append(took, long), busy+long
		(*v)[0].Bytes = []byte{byte('a' + i%3)}
		(*v)[2] = sinktest.Number(int64(long))
		clear((*v)[3].Cell)
		clear((*v)[4].Cell)
		(*v)[3].Cell[bits.Len64(long)]++
		(*v)[4].Cell[bits.Len64(size)]++
		ship(t, s, sinktest.TableRow(event, false))
	}
	slices.Sort(sizes)
	slices.Sort(took)
	for _, p := range []*sinktest.Prometheus{classic, native} {
		p.MustSay("sum(ingraind_g_calls_n_total)", 1000)
		p.MustSay(`ingraind_g_calls_n_total{comm="b"}`, 333)
		p.MustSay("sum(ingraind_g_calls_busy_seconds_total)", float64(busy)/1e9)
	}
	classic.MustSay("sum(ingraind_g_calls_sizes_bytes_count)", 1000)
	native.MustSay("sum(histogram_count(ingraind_g_calls_sizes_bytes))", 1000)
	// A bucket of powers of two is right within a factor of two.
	for _, q := range []float64{0.1, 0.5, 0.9, 0.99} {
		nth := int(q*1000) - 1
		classic.MustSayAbout(fmt.Sprintf("histogram_quantile(%v, sum by (le) (ingraind_g_calls_sizes_bytes_bucket))", q), float64(sizes[nth]), 2)
		classic.MustSayAbout(fmt.Sprintf("histogram_quantile(%v, sum by (le) (ingraind_g_calls_took_seconds_bucket))", q), float64(took[nth])/1e9, 2)
		native.MustSayAbout(fmt.Sprintf("histogram_quantile(%v, sum(ingraind_g_calls_sizes_bytes))", q), float64(sizes[nth]), 2)
	}
}
