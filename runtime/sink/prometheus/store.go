// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"slices"
	"strings"
	"sync"
	"time"
)

// store holds the series. One lock is all there is: a scrape sees whole
// batches, and never a part of one.
type store struct {
	idle time.Duration // 0: forever
	most int
	own  string // what the names of its own metrics begin with
	now  func() time.Time

	mu       sync.Mutex
	schemas  map[string]*schema
	families map[string]*family
	series   int
	full     uint64 // points not taken because there are too many series
	clashed  uint64 // points not taken because their name is another metric's
	swept    time.Time
	key      []byte
}

type family struct {
	metric *metric
	series map[string]*series
}

// series is what one label set has come to.
type series struct {
	labels    []string
	values    []string
	past      bool
	seen      time.Time
	n         uint64
	sum       uint64
	x         float64
	there     bool
	buckets   []uint64 // the last one is +Inf
	quantiles []float64
}

func newStore(prefix string, idle time.Duration, most int) *store {
	return &store{
		idle: idle, most: most, own: prefix + "_prometheus_", now: time.Now,
		schemas: map[string]*schema{}, families: map[string]*family{},
	}
}

// take adds a batch. It is read whole before anything is added.
func (s *store) take(b []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	points, err := decode(b, s.schemas)
	if err != nil {
		return err
	}
	now := s.now()
	if s.idle > 0 && now.Sub(s.swept) > s.idle/8 {
		s.sweep(now)
	}
	for i := range points {
		s.add(&points[i], now)
	}
	return nil
}

func (s *store) add(p *point, now time.Time) {
	f := s.families[p.metric.Name]
	switch {
	case strings.HasPrefix(p.metric.Name, s.own), f != nil && !f.metric.same(p.metric):
		s.clashed++
		return
	}
	s.key = s.key[:0]
	for _, v := range p.values {
		s.key = appendBytes(s.key, []byte(v))
	}
	if p.past {
		s.key = append(s.key, "overflow"...)
	}
	var one *series
	if f != nil {
		one = f.series[string(s.key)]
	}
	if one == nil {
		if p.metric.Form == gauge && !p.there {
			return
		}
		if s.series+p.metric.series() > s.most {
			s.full++
			return
		}
		if f == nil {
			f = &family{p.metric, map[string]*series{}}
			s.families[p.metric.Name] = f
		}
		one = &series{labels: p.labels, values: p.values, past: p.past}
		if p.metric.Form == histogram {
			one.buckets = make([]uint64, len(p.metric.Bounds)+1)
		}
		f.series[string(s.key)] = one
		s.series += p.metric.series()
	}
	one.seen = now
	one.n += p.n
	one.sum += p.sum
	for _, b := range p.buckets {
		one.buckets[b.index] += b.n
	}
	// Of an interval without a value, the one before goes on showing.
	if p.there {
		one.x, one.there, one.quantiles = p.x, true, p.quantiles
	}
}

// same reports whether points of both can be in one family.
func (m *metric) same(o *metric) bool {
	return m == o || m.Form == o.Form && m.Unit == o.Unit && m.Scale == o.Scale && m.Native == o.Native && m.Sum == o.Sum && slices.Equal(m.Bounds, o.Bounds)
}

// sweep forgets the series that had no row for too long.
func (s *store) sweep(now time.Time) {
	s.swept = now
	for name, f := range s.families {
		for key, one := range f.series {
			if now.Sub(one.seen) > s.idle {
				delete(f.series, key)
				s.series -= f.metric.series()
			}
		}
		if len(f.series) == 0 {
			delete(s.families, name)
		}
	}
}
