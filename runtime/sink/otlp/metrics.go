// SPDX-License-Identifier: Apache-2.0

package otlp

import (
	"encoding/binary"
	"math"

	"github.com/redsift/ingraind/runtime"
)

// The fields of a Metric.
const (
	metricName    = 1
	metricHelp    = 2
	metricUnit    = 3
	metricGauge   = 5
	metricSum     = 7
	metricBuckets = 9
	metricExp     = 10
	metricSummary = 11
)

// The fields that Gauge, Sum, Histogram, ExponentialHistogram and Summary have
// in common, and those of their points.
const (
	points      = 1
	temporality = 2
	monotonic   = 3

	delta = 1 // AGGREGATION_TEMPORALITY_DELTA

	start      = 2
	now        = 3
	count      = 4 // of events; as_double of a number
	asDouble   = 4
	total      = 5 // the sum of what is distributed
	asInt      = 6
	counts     = 6 // of explicit buckets; a summary's quantiles
	bounds     = 7 // of explicit buckets; elsewhere attributes
	attributes = 7
)

func (e *encoding) appendMetrics(dst []byte, l *layout, row *runtime.Row) []byte {
	for i := range l.metrics {
		m := &l.metrics[i]
		v, f := e.values[m.field], &row.Event.Fields[m.field]
		if v.Null || v.Type == runtime.TypeFloat && !finite(math.Float64frombits(v.Num)) {
			continue
		}
		var at, in int
		dst, at = begin(dst, metricField)
		dst = append(dst, m.head...)
		switch m.form {
		case sum:
			dst, in = begin(dst, metricSum)
			dst = e.appendNumber(dst, l, row, v, f)
			dst = appendVarint(dst, temporality, delta)
			if !f.Cell.Signed {
				dst = appendVarint(dst, monotonic, 1)
			}
		case exponential:
			dst, in = begin(dst, metricExp)
			dst = e.appendExp(dst, l, row, v, f)
			dst = appendVarint(dst, temporality, delta)
		case explicit:
			dst, in = begin(dst, metricBuckets)
			dst = e.appendBuckets(dst, l, row, v, f)
			dst = appendVarint(dst, temporality, delta)
		case summary:
			dst, in = begin(dst, metricSummary)
			dst = e.appendQuantiles(dst, l, row, v, f)
		default:
			dst, in = begin(dst, metricGauge)
			dst = e.appendNumber(dst, l, row, v, f)
		}
		dst = end(end(dst, in), at)
	}
	return dst
}

// appendPoint appends what all points have: when, and the key.
func (e *encoding) appendPoint(dst []byte, field int, l *layout, row *runtime.Row) []byte {
	r := runtime.TableRow(row.Record)
	dst = appendFixed(dst, start, uint64(row.Record.Time-int64(r.Interval())))
	dst = appendFixed(dst, now, uint64(row.Record.Time))
	if r.PastBound() {
		return appendAttributeBool(dst, field, "otel.metric.overflow")
	}
	for i := range l.attributes {
		dst = e.appendAttribute(dst, field, l, i, row)
	}
	return dst
}

// appendTotal appends the sum of what a histogram or summary distributes, where
// that is known, and never falls.
func appendTotal(dst []byte, row *runtime.Row, f *runtime.Field) []byte {
	if f.Sum == 0 || f.Cell.Signed {
		return dst
	}
	return appendDouble(dst, total, float64(row.Event.Table.Word(row.Record, f.Sum)))
}

// appendNumber appends a NumberDataPoint.
func (e *encoding) appendNumber(dst []byte, l *layout, row *runtime.Row, v runtime.Value, f *runtime.Field) []byte {
	dst, at := begin(dst, points)
	dst = e.appendPoint(dst, attributes, l, row)
	switch {
	case v.Type == runtime.TypeFloat:
		dst = appendFixed(dst, asDouble, v.Num)
	case v.Num > math.MaxInt64 && !f.Cell.Signed:
		dst = appendDouble(dst, asDouble, float64(v.Num))
	default:
		dst = appendFixed(dst, asInt, v.Num)
	}
	return end(dst, at)
}

// appendExp appends an ExponentialHistogramDataPoint of scale 0. Bucket 0 of a
// cell has the values up to 0; its bucket k those from 2^(k-1) on, which is
// the bucket of index k-1.
func (e *encoding) appendExp(dst []byte, l *layout, row *runtime.Row, v runtime.Value, f *runtime.Field) []byte {
	h := f.Cell.Histogram(v.Cell)
	const (
		keyed    = 1
		zero     = 7
		positive = 8
		offset   = 1
		each     = 2
	)
	dst, at := begin(dst, points)
	dst = e.appendPoint(dst, keyed, l, row)
	dst = appendTotal(appendFixed(dst, count, h.Total()), row, f)
	first, last := 1, h.Len()-1
	for first <= last && h.N(first) == 0 {
		first++
	}
	for last >= first && h.N(last) == 0 {
		last--
	}
	if h.Len() > 0 {
		dst = appendFixed(dst, zero, h.N(0))
	}
	if first <= last {
		var in, packed int
		dst, in = begin(dst, positive)
		dst = appendVarint(dst, offset, uint64(first-1)<<1) // zigzag
		dst, packed = begin(dst, each)
		for i := first; i <= last; i++ {
			dst = binary.AppendUvarint(dst, h.N(i))
		}
		dst = end(end(dst, packed), in)
	}
	return end(dst, at)
}

// appendBuckets appends a HistogramDataPoint.
func (e *encoding) appendBuckets(dst []byte, l *layout, row *runtime.Row, v runtime.Value, f *runtime.Field) []byte {
	h := f.Cell.Histogram(v.Cell)
	const keyed = 9
	dst, at := begin(dst, points)
	dst = e.appendPoint(dst, keyed, l, row)
	dst = appendTotal(appendFixed(dst, count, h.Total()), row, f)
	dst, in := begin(dst, counts)
	for i := range h.Len() {
		dst = binary.LittleEndian.AppendUint64(dst, h.N(i))
	}
	dst = end(dst, in)
	dst, in = begin(dst, bounds)
	for i := range h.Len() - 1 {
		dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(h.Bucket(i).Greatest.Float()))
	}
	return end(end(dst, in), at)
}

// quantiles are agg.Probabilities.
var quantiles = [...]float64{0.5, 0.9, 0.95, 0.99}

// appendQuantiles appends a SummaryDataPoint. It has a sum: 0 where none is known.
func (e *encoding) appendQuantiles(dst []byte, l *layout, row *runtime.Row, v runtime.Value, f *runtime.Field) []byte {
	dst, at := begin(dst, points)
	dst = e.appendPoint(dst, attributes, l, row)
	dst = appendTotal(appendFixed(dst, count, row.Event.Table.Word(row.Record, 0)), row, f)
	for i, word := range v.Cell {
		x := math.Float64frombits(word)
		if i >= len(quantiles) || !finite(x) {
			continue
		}
		var in int
		dst, in = begin(dst, counts)
		dst = appendDouble(dst, 1, quantiles[i])
		dst = end(appendDouble(dst, 2, x), in)
	}
	return end(dst, at)
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
