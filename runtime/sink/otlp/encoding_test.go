// SPDX-License-Identifier: Apache-2.0

package otlp_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"math"
	nethttp "net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	common "go.opentelemetry.io/proto/otlp/common/v1"
	logs "go.opentelemetry.io/proto/otlp/logs/v1"
	metrics "go.opentelemetry.io/proto/otlp/metrics/v1"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/redsift/ingraind/generated/conn"
	"github.com/redsift/ingraind/generated/dns"
	"github.com/redsift/ingraind/generated/exec"
	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/agg"
)

// What a request holds has the same fields as LogsData and MetricsData.

// received is what was posted to a server.
type received struct {
	mu      sync.Mutex
	logs    []*logs.LogRecord
	metrics map[string][]*metrics.Metric
	attrs   []string // of the resources
}

// receive is a server that takes all there is, decoded by OpenTelemetry's own code.
func receive(t testing.TB) (*received, string) {
	r := &received{metrics: map[string][]*metrics.Metric{}}
	server := httptest.NewServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, req *nethttp.Request) {
		packed, err := gzip.NewReader(req.Body)
		if err != nil {
			t.Error(err)
			return
		}
		body, err := io.ReadAll(packed)
		if err != nil {
			t.Error(err)
		}
		r.take(t, req.URL.Path, body)
	}))
	t.Cleanup(server.Close)
	return r, server.URL
}

func (r *received) take(t testing.TB, path string, body []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case strings.HasSuffix(path, "/v1/logs"):
		var d logs.LogsData
		if err := proto.Unmarshal(body, &d); err != nil || len(d.ProtoReflect().GetUnknown()) > 0 {
			t.Errorf("logs: %v", err)
		}
		for _, rl := range d.ResourceLogs {
			r.attrs = append(r.attrs, texts(rl.Resource.Attributes))
			for _, s := range rl.ScopeLogs {
				r.logs = append(r.logs, s.LogRecords...)
			}
		}
	case strings.HasSuffix(path, "/v1/metrics"):
		var d metrics.MetricsData
		if err := proto.Unmarshal(body, &d); err != nil {
			t.Errorf("metrics: %v", err)
		}
		for _, rm := range d.ResourceMetrics {
			r.attrs = append(r.attrs, texts(rm.Resource.Attributes))
			for _, s := range rm.ScopeMetrics {
				for _, m := range s.Metrics {
					r.metrics[m.Name] = append(r.metrics[m.Name], m)
				}
			}
		}
	default:
		t.Errorf("posted to %s", path)
	}
}

// texts are attributes as text: "a=b c=1".
func texts(attributes []*common.KeyValue) string {
	var all []string
	for _, kv := range attributes {
		var v any
		switch x := kv.Value.GetValue().(type) {
		case *common.AnyValue_StringValue:
			v = fmt.Sprintf("%q", x.StringValue)
		case *common.AnyValue_IntValue:
			v = x.IntValue
		case *common.AnyValue_BoolValue:
			v = x.BoolValue
		case *common.AnyValue_DoubleValue:
			v = x.DoubleValue
		case *common.AnyValue_ArrayValue:
			words := []string{}
			for _, w := range x.ArrayValue.Values {
				words = append(words, w.GetStringValue())
			}
			v = fmt.Sprintf("%q", words)
		}
		all = append(all, fmt.Sprintf("%s=%v", kv.Key, v))
	}
	return strings.Join(all, " ")
}

func ship(t testing.TB, sink runtime.Sink, rows ...*runtime.Row) {
	t.Helper()
	if err := sink.Ship(t.Context(), batch(sink, rows...)); err != nil {
		t.Fatal(err)
	}
}

func batch(sink runtime.Sink, rows ...*runtime.Row) *runtime.Batch {
	var b []byte
	for _, row := range rows {
		b = sink.Encoding().AppendRow(b, row)
	}
	return &runtime.Batch{Name: "0123456789abcdef0123456789abcdef", Rows: len(rows), Bytes: b}
}

func TestEachCellIsTheMetricOfItsKind(t *testing.T) {
	r, url := receive(t)
	e, _ := all()
	ship(t, open(t, "endpoint="+url), tableRow(e, 0), tableRow(e, 1))
	const attributes = `process.executable.name="a b�" user.id="1000" network.peer.address="2001:db8::1"`
	for name, want := range map[string]string{
		"n": "{event} sum delta=true monotonic=true 7", "total": " sum delta=true monotonic=false -3", "mean": "ns gauge 1.5",
		"low": " gauge -2", "high": " gauge 2", "newest": " gauge 0", "kinds": "{value} gauge 9",
		"huge":   " sum delta=true monotonic=true 1.8446744073709552e+19",
		"sizes":  "By exp delta=true count=6 scale=0 zero=1 offset=1 [2 3]",
		"parts":  " hist delta=true count=7 [-5 10] [3 0 4]",
		"spread": " summary count=42 0.5:1 0.9:2.5 0.95:3 0.99:1e+21",
	} {
		got := r.metrics["ingraind.g.t."+name]
		if len(got) != 2 {
			t.Errorf("%s: got %d metrics, want 2", name, len(got))
			continue
		}
		text, attrs, times := describe(got[0])
		if text != want || attrs != attributes || times != [2]uint64{atTime - 10e9, atTime} {
			t.Errorf("%s: got %q %q %v, want %q", name, text, attrs, times, want)
		}
		if _, attrs, _ := describe(got[1]); attrs != "otel.metric.overflow=true" {
			t.Errorf("%s: past the bound: got %q", name, attrs)
		}
	}
	if len(r.metrics) != 11 {
		t.Errorf("got %d names, want 11: what has no value, and top, is not sent", len(r.metrics))
	}
	if len(r.attrs) != 1 || strings.Contains(r.attrs[0], "ingraind.batch") || !strings.Contains(r.attrs[0], `service.name="ingraind"`) {
		t.Errorf("got resources %q", r.attrs)
	}
}

func TestQuantilesAreThoseOfTheCell(t *testing.T) {
	r, url := receive(t)
	e, _ := all()
	ship(t, open(t, "endpoint="+url), tableRow(e, 0))
	var got []float64
	for _, q := range r.metrics["ingraind.g.t.spread"][0].GetSummary().DataPoints[0].QuantileValues {
		got = append(got, q.Quantile)
	}
	if !slices.Equal(got, agg.Probabilities[:]) {
		t.Errorf("got %v, want %v", got, agg.Probabilities)
	}
}

// describe is what a metric of one point says.
func describe(m *metrics.Metric) (text, attributes string, times [2]uint64) {
	const delta = metrics.AggregationTemporality_AGGREGATION_TEMPORALITY_DELTA
	num := func(p *metrics.NumberDataPoint) string {
		attributes, times = texts(p.Attributes), [2]uint64{p.StartTimeUnixNano, p.TimeUnixNano}
		if d, ok := p.Value.(*metrics.NumberDataPoint_AsDouble); ok {
			return fmt.Sprint(d.AsDouble)
		}
		return fmt.Sprint(p.GetAsInt())
	}
	switch d := m.Data.(type) {
	case *metrics.Metric_Sum:
		text = fmt.Sprintf("sum delta=%t monotonic=%t %s", d.Sum.AggregationTemporality == delta, d.Sum.IsMonotonic, num(d.Sum.DataPoints[0]))
	case *metrics.Metric_Gauge:
		text = "gauge " + num(d.Gauge.DataPoints[0])
	case *metrics.Metric_ExponentialHistogram:
		p := d.ExponentialHistogram.DataPoints[0]
		attributes, times = texts(p.Attributes), [2]uint64{p.StartTimeUnixNano, p.TimeUnixNano}
		text = fmt.Sprintf("exp delta=%t count=%d scale=%d zero=%d offset=%d %v", d.ExponentialHistogram.AggregationTemporality == delta, p.Count, p.Scale, p.ZeroCount, p.Positive.Offset, p.Positive.BucketCounts)
	case *metrics.Metric_Histogram:
		p := d.Histogram.DataPoints[0]
		attributes, times = texts(p.Attributes), [2]uint64{p.StartTimeUnixNano, p.TimeUnixNano}
		text = fmt.Sprintf("hist delta=%t count=%d %v %v", d.Histogram.AggregationTemporality == delta, p.Count, p.ExplicitBounds, p.BucketCounts)
	case *metrics.Metric_Summary:
		p := d.Summary.DataPoints[0]
		attributes, times = texts(p.Attributes), [2]uint64{p.StartTimeUnixNano, p.TimeUnixNano}
		text = fmt.Sprintf("summary count=%d", p.Count)
		for _, q := range p.QuantileValues {
			text += fmt.Sprintf(" %v:%v", q.Quantile, q.Value)
		}
	}
	return m.Unit + " " + text, attributes, times
}

// recorded are the stock grains' rows, while they are being replayed.
type recorded struct {
	runtime.Sink
	each func(*runtime.Row)
}

func (r *recorded) Encoding() runtime.Encoding                 { return r }
func (r *recorded) Name() string                               { return "recorded" }
func (r *recorded) Close() error                               { return nil }
func (r *recorded) Ship(context.Context, *runtime.Batch) error { return nil }
func (r *recorded) AppendRow(dst []byte, row *runtime.Row) []byte {
	r.each(row)
	return append(dst, '\n')
}

func replay(t testing.TB, each func(*runtime.Row)) {
	t.Helper()
	for _, grain := range []string{"conn", "dns", "exec"} {
		recording, err := os.ReadFile(filepath.Join("../../../grains/testdata", grain+".rec"))
		if err != nil {
			t.Fatal(err)
		}
		ledger, err := runtime.Replay(t.Context(), bytes.NewReader(recording), runtime.Options{
			Grains: []*runtime.Grain{exec.New(), conn.New(), dns.New()},
			Lanes:  []runtime.LaneOptions{{Name: "otlp", Sink: &recorded{each: each}}},
		})
		if err != nil || ledger.Losses() != 0 {
			t.Fatalf("got %v and %d losses", err, ledger.Losses())
		}
	}
}

func TestRowsOfTheStockGrainsAreLogRecordsAndMetrics(t *testing.T) {
	r, url := receive(t)
	sink := open(t, "endpoint="+url)
	rows, tables := map[string]int{}, 0
	var b []byte
	replay(t, func(row *runtime.Row) {
		if row.Event.Table != nil {
			tables++
		} else {
			rows[row.Grain.Name+"."+row.Event.Name]++
		}
		b = sink.Encoding().AppendRow(b, row)
	})
	if err := sink.Ship(t.Context(), &runtime.Batch{Name: "0123456789abcdef0123456789abcdef", Bytes: b}); err != nil {
		t.Fatal(err)
	}
	got, named := map[string]int{}, map[string]bool{}
	for _, l := range r.logs {
		got[l.EventName]++
		if l.TimeUnixNano == 0 || l.ObservedTimeUnixNano != l.TimeUnixNano || l.SeverityNumber != 9 || l.SeverityText != "INFO" {
			t.Fatalf("got %v", l)
		}
		for _, kv := range l.Attributes {
			named[kv.Key] = true
		}
	}
	for event, n := range rows {
		if got[event] != n {
			t.Errorf("%s: got %d log records, want %d", event, got[event], n)
		}
	}
	for _, name := range []string{"process.pid", "process.parent_pid", "thread.id", "user.id", "process.executable.name", "process.executable.path",
		"process.command_args", "network.peer.address", "network.peer.port", "ingraind.conn.latency", "ingraind.exec.who.cgroup"} {
		if !named[name] {
			t.Errorf("no log record has %s", name)
		}
	}
	if len(rows) < 3 || tables == 0 || len(r.metrics) == 0 {
		t.Errorf("got %v, %d rows of tables, %d metrics", rows, tables, len(r.metrics))
	}
	if i := slices.IndexFunc(r.attrs, func(a string) bool {
		return strings.Contains(a, `ingraind.batch="0123456789abcdef0123456789abcdef"`)
	}); i < 0 {
		t.Errorf("got resources %q, want the batch's name in that of the logs", r.attrs)
	}
}

func TestARowAllocatesNothing(t *testing.T) {
	e, _ := all()
	encoding := open(t).Encoding()
	dst := make([]byte, 0, 64<<10)
	measure := func(row *runtime.Row) {
		if n := testing.AllocsPerRun(20, func() { dst = encoding.AppendRow(dst[:0], row) }); n != 0 {
			t.Errorf("%s: got %v allocations, want 0", row.Event.Name, n)
		}
	}
	measure(tableRow(e, 0))
	measure(tableRow(e, 1))
	seen := map[string]int{}
	replay(t, func(row *runtime.Row) {
		if seen[row.Event.Name]++; seen[row.Event.Name] <= 5 {
			measure(row)
		}
	})
	if len(seen) < 4 {
		t.Errorf("measured %v", seen)
	}
}

// BenchmarkRow compares a row with that of NDJSON.
func BenchmarkRow(b *testing.B) {
	type kept struct {
		row  runtime.Row
		body []byte
	}
	var rows []kept
	replay(b, func(row *runtime.Row) {
		if row.Event.Table == nil {
			k := kept{*row, bytes.Clone(row.Record.Body)}
			k.row.Record.Body = k.body
			rows = append(rows, k)
		}
	})
	for name, encoding := range map[string]runtime.Encoding{"otlp": open(b).Encoding(), "ndjson": runtime.NDJSON{}} {
		b.Run(name, func(b *testing.B) {
			dst := make([]byte, 0, 64<<10)
			for i := 0; b.Loop(); i++ {
				dst = encoding.AppendRow(dst[:0], &rows[i%len(rows)].row)
			}
		})
	}
}

func FuzzEachCellIsAMetric(f *testing.F) {
	encoding := open(f).Encoding()
	e, values := all()
	f.Add([]byte("curl"), int64(-1), 1.5)
	f.Add([]byte(strings.Repeat("é\xff", 999)), int64(1)<<62, math.Inf(1))
	f.Fuzz(func(t *testing.T, text []byte, n int64, x float64) {
		v := *values
		v[0].Bytes, v[1].Num = text, uint64(n)
		for i := 4; i < 13; i++ {
			if v[i].Type == runtime.TypeFloat {
				v[i].Num = math.Float64bits(x)
			} else {
				v[i].Num = uint64(n)
			}
		}
		v[13].Cell[8], v[14].Cell[1], v[15].Cell[0] = uint64(n), uint64(n), math.Float64bits(x)
		for rest := encoding.AppendRow(nil, tableRow(e, 0)); len(rest) > 0; {
			field, _, n := protowire.ConsumeField(rest)
			body, size := protowire.ConsumeBytes(rest[1:])
			var m metrics.Metric
			if err := proto.Unmarshal(body, &m); field != 3 || n != 1+size || err != nil {
				t.Fatalf("got field %d of %d bytes, %v", field, n, err)
			}
			if _, attributes, _ := describe(&m); !utf8.ValidString(attributes) {
				t.Errorf("%s: got %q", m.Name, attributes)
			}
			rest = rest[n:]
		}
	})
}
