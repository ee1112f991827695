// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"bytes"
	"compress/gzip"
	"io"
	"maps"
	"math"
	"net/http"
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// serve answers a scrape in the format that it asks for.
func (s *store) serve(w http.ResponseWriter, r *http.Request) {
	format := expfmt.NegotiateAccept(r.Header, expfmt.DefaultOpenMetricsAcceptedFormats()...)
	var body bytes.Buffer
	if err := write(&body, format, s.gather()); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", string(format))
	w.Header().Set("Vary", "Accept, Accept-Encoding")
	if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		_, _ = w.Write(body.Bytes()) // a scraper that went away has nobody to tell
		return
	}
	w.Header().Set("Content-Encoding", "gzip")
	z := gzip.NewWriter(w)
	_, _ = z.Write(body.Bytes())
	_ = z.Close()
}

func write(w io.Writer, format expfmt.Format, families []*dto.MetricFamily) error {
	e := expfmt.NewEncoder(w, format)
	for _, f := range families {
		if err := e.Encode(f); err != nil {
			return err
		}
	}
	if c, ok := e.(expfmt.Closer); ok {
		return c.Close()
	}
	return nil
}

// gather copies all series under the lock, and formats nothing there.
func (s *store) gather() []*dto.MetricFamily {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.idle > 0 {
		s.sweep(s.now())
	}
	var all []*dto.MetricFamily
	for _, name := range slices.Sorted(maps.Keys(s.families)) {
		f := s.families[name]
		d := &dto.MetricFamily{Name: &f.metric.Name, Help: &f.metric.Help, Type: f.metric.kind().Enum()}
		if f.metric.Unit != "" {
			d.Unit = &f.metric.Unit
		}
		for _, key := range slices.Sorted(maps.Keys(f.series)) {
			d.Metric = append(d.Metric, f.series[key].metric(f.metric))
		}
		all = append(all, d)
	}
	return append(all, &dto.MetricFamily{
		Name: ref(s.own + "series"), Help: ref("Series that there are, each bucket counted."), Type: dto.MetricType_GAUGE.Enum(),
		Metric: []*dto.Metric{{Gauge: &dto.Gauge{Value: ref(float64(s.series))}}},
	}, &dto.MetricFamily{
		Name: ref(s.own + "untaken_total"), Help: ref("Values of rows that were not taken: there were max_series, or their name is another metric's."), Type: dto.MetricType_COUNTER.Enum(),
		Metric: []*dto.Metric{untaken("max_series", s.full), untaken("name", s.clashed)},
	})
}

func untaken(reason string, n uint64) *dto.Metric {
	return &dto.Metric{Label: []*dto.LabelPair{pair("reason", reason)}, Counter: &dto.Counter{Value: ref(float64(n))}}
}

func ref[T any](x T) *T { return &x }

func pair(name, value string) *dto.LabelPair { return &dto.LabelPair{Name: &name, Value: &value} }

func (m *metric) kind() dto.MetricType {
	switch m.Form {
	case counter:
		return dto.MetricType_COUNTER
	case histogram:
		return dto.MetricType_HISTOGRAM
	case summary:
		return dto.MetricType_SUMMARY
	}
	return dto.MetricType_GAUGE
}

// metric is the series as a scraper has it. What is written is a copy.
func (one *series) metric(m *metric) *dto.Metric {
	d := &dto.Metric{}
	for i, v := range one.values {
		d.Label = append(d.Label, pair(one.labels[i], v))
	}
	if one.past {
		d.Label = append(d.Label, pair("overflow", "true"))
	}
	switch m.Form {
	case counter:
		d.Counter = &dto.Counter{Value: ref(float64(one.n) / m.Scale)}
	case total:
		d.Gauge = &dto.Gauge{Value: ref(float64(int64(one.n)) / m.Scale)}
	case gauge:
		d.Gauge = &dto.Gauge{Value: ref(one.x)}
	case summary:
		d.Summary = &dto.Summary{SampleCount: ref(one.n), SampleSum: ref(one.total(m))}
		for i, q := range one.quantiles {
			d.Summary.Quantile = append(d.Summary.Quantile, &dto.Quantile{Quantile: ref(probabilities[i]), Value: ref(q)})
		}
	case histogram:
		d.Histogram = one.histogram(m)
	}
	return d
}

// total is the sum of a histogram or summary. When that is not known, NaN says
// so; 0 would be a lie.
func (one *series) total(m *metric) float64 {
	switch m.Sum {
	case unsigned:
		return float64(one.sum) / m.Scale
	case signed:
		return float64(int64(one.sum)) / m.Scale
	}
	return math.NaN()
}

func (one *series) histogram(m *metric) *dto.Histogram {
	h := &dto.Histogram{SampleSum: ref(one.total(m))}
	n := uint64(0)
	for i, of := range one.buckets {
		if n += of; i < len(m.Bounds) {
			h.Bucket = append(h.Bucket, &dto.Bucket{UpperBound: ref(m.Bounds[i]), CumulativeCount: ref(n)})
		}
	}
	h.SampleCount = ref(n)
	if m.Native {
		one.native(h)
	}
	return h
}

// native adds what scrapers that take protobuf prefer. Bucket k of schema 0
// has what is greater than 2^(k-1) and at most 2^k. Bucket 1 of exp2 is the value
// 1 alone, which is in 0; any other goes to its own number, though its least
// value, 2^(k-1), is just outside.
func (one *series) native(h *dto.Histogram) {
	h.Schema, h.ZeroThreshold, h.ZeroCount = ref(int32(0)), ref(0x1p-128), ref(one.buckets[0])
	next, before := int32(0), int64(0)
	for i, n := range one.buckets[1:] {
		k := int32(i + 1)
		if k == 1 {
			k = 0
		}
		if n == 0 {
			continue
		}
		if last := len(h.PositiveSpan) - 1; last < 0 || k > next {
			h.PositiveSpan = append(h.PositiveSpan, &dto.BucketSpan{Offset: ref(k - next), Length: ref(uint32(1))})
		} else {
			*h.PositiveSpan[last].Length++
		}
		h.PositiveDelta = append(h.PositiveDelta, int64(n)-before)
		next, before = k+1, int64(n)
	}
	if len(h.PositiveSpan) == 0 {
		h.PositiveSpan = []*dto.BucketSpan{{Offset: ref(int32(0)), Length: ref(uint32(0))}}
	}
}
