// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"encoding/binary"
	"math"
	"unicode/utf8"
)

// point is what a row says of one series.
type point struct {
	metric    *metric
	labels    []string // of the schema
	values    []string
	past      bool
	n         uint64    // of a counter, a total; the events of a summary
	sum       uint64    // of a histogram, a summary
	x         float64   // of a gauge
	there     bool      // of a gauge, quantiles
	buckets   []bucket  // of a histogram
	quantiles []float64 // of a summary
}

type bucket struct {
	index int
	n     uint64
}

// reader reads bytes that may be damaged.
type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) take(n uint64) []byte {
	if r.bad || n > uint64(len(r.rest)) {
		r.bad = true
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) uvarint() uint64 {
	x, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.bad = true
		return 0
	}
	r.rest = r.rest[n:]
	return x
}

func (r *reader) bytes() []byte { return r.take(r.uvarint()) }

func (r *reader) u64() uint64 {
	if b := r.take(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

func (r *reader) flag() bool {
	b := r.take(1)
	if b == nil || b[0] > 1 {
		r.bad = true
		return false
	}
	return b[0] == 1
}

// decode reads all rows of a batch. schemas are those seen before, by their
// text; they are few, for an agent has so many tables and events.
func decode(b []byte, schemas map[string]*schema) ([]point, error) {
	const mostSchemas = 4096
	var points []point
	for r := (&reader{rest: b}); len(r.rest) > 0; {
		text := r.bytes()
		s := schemas[string(text)]
		if s == nil {
			var err error
			if s, err = parseSchema(text); err != nil {
				return nil, err
			}
			if len(schemas) >= mostSchemas {
				clear(schemas)
			}
			schemas[string(text)] = s
		}
		past := r.flag()
		var values []string
		for i := 0; i < len(s.Labels) && !past; i++ {
			v := r.bytes()
			r.bad = r.bad || !utf8.Valid(v)
			values = append(values, string(v))
		}
		for i := range s.Metrics {
			p := point{metric: &s.Metrics[i], labels: s.Labels, values: values, past: past}
			r.point(&p)
			points = append(points, p)
		}
		if r.bad {
			return nil, errDamaged
		}
	}
	return points, nil
}

func (r *reader) point(p *point) {
	switch p.metric.Form {
	case counter, total:
		p.n = r.u64()
	case gauge:
		if p.there = r.flag(); p.there {
			p.x = math.Float64frombits(r.u64())
		}
	case histogram:
		last := -1
		for range r.uvarint() {
			i, n := r.uvarint(), r.uvarint()
			if r.bad || i > uint64(len(p.metric.Bounds)) || int(i) <= last {
				r.bad = true
				return
			}
			last = int(i)
			p.buckets = append(p.buckets, bucket{last, n})
		}
	case summary:
		p.n = r.u64()
		if p.there = r.flag(); p.there {
			for range probabilities {
				p.quantiles = append(p.quantiles, math.Float64frombits(r.u64()))
			}
		}
	}
	if p.metric.Sum != unknown {
		p.sum = r.u64()
	}
}
