// SPDX-License-Identifier: Apache-2.0

// Package quantiles is the state of a quantiles cell: a sketch from which any
// quantile can be read with a relative error of at most 1 %. It is DDSketch
// (Masson, Rim, Lee: "DDSketch: a fast and fully-mergeable quantile sketch",
// VLDB 2019): a histogram whose buckets grow by a constant factor.
//
// github.com/DataDog/sketches-go has it too, but links protobuf, 3 MB of an
// agent. That one merges its lowest buckets when there are too many; here all
// that a 64-bit integer needs exist, in pages made when they are touched, so
// that the bound holds for all quantiles.
package quantiles

import (
	"math"

	"github.com/redsift/ingraind/runtime/agg"
)

// Accuracy is the greatest relative error.
const Accuracy = 0.01

const (
	gamma = (1 + Accuracy) / (1 - Accuracy) // the width of a bucket: (gamma^(i-1), gamma^i]
	page  = 64                              // buckets of a page
	pages = 2219/page + 1                   // 2^64 is in bucket 2218
)

var perLog = 1 / math.Log(gamma)

// Sketch is the sketch. Its zero value is empty. It has one owner. It takes
// 0.6 KB and 512 bytes more for each factor of 3.6 between values, at most 19
// KB, or 37 KB where values have both signs; Reset keeps them.
type Sketch struct {
	events             uint64
	zeros              uint64
	positive, negative side
}

// side are the buckets of the values of a sign, by their size.
type side [pages]*[page]uint64

// Add adds x, as if it had come weight times.
func (s *Sketch) Add(x, weight uint64, signed bool) {
	s.events += weight
	switch {
	case x == 0:
		s.zeros += weight
	case signed && int64(x) < 0:
		s.negative.add(-x, weight)
	default:
		s.positive.add(x, weight)
	}
}

func (s *side) add(x, weight uint64) {
	i := bucket(x)
	p := s[i/page]
	if p == nil {
		p = new([page]uint64)
		s[i/page] = p
	}
	p[i%page] += weight
}

// bucket is that of x > 0. Rounding errors of the logarithm can put a value
// that is at a bucket's edge beside it, 1e-15 beyond the error's bound.
func bucket(x uint64) uint { return uint(math.Ceil(math.Log(float64(x)) * perLog)) }

// value is at most Accuracy away from all that bucket i holds. A bucket that
// holds a single integer is that integer.
func value(i int) float64 {
	high := math.Pow(gamma, float64(i))
	least, greatest := math.Floor(high/gamma)+1, math.Floor(high)
	if i == 0 || least == greatest {
		return greatest
	}
	return 2 * high / (gamma + 1)
}

// Quantile is the value below which the part q of all are, 0 <= q <= 1; NaN of
// no values.
func (s *Sketch) Quantile(q float64) float64 {
	if s.events == 0 {
		return math.NaN()
	}
	rank := uint64(q * float64(s.events-1))
	var seen uint64
	for i := pages*page - 1; i >= 0; i-- {
		if p := s.negative[i/page]; p != nil {
			if seen += p[i%page]; seen > rank {
				return -value(i)
			}
		}
	}
	if seen += s.zeros; seen > rank {
		return 0
	}
	last := 0
	for i := range pages * page {
		if p := s.positive[i/page]; p != nil && p[i%page] > 0 {
			last = i
			if seen += p[i%page]; seen > rank {
				break
			}
		}
	}
	return value(last)
}

// Read writes the quantiles of a row into the cell's words, as Value of a
// quantile reads them.
func (s *Sketch) Read(words []uint64) {
	for i, q := range agg.Probabilities {
		words[i] = math.Float64bits(s.Quantile(q))
	}
}

// Merge adds what o has.
func (s *Sketch) Merge(o *Sketch) {
	s.events += o.events
	s.zeros += o.zeros
	s.positive.merge(&o.positive)
	s.negative.merge(&o.negative)
}

func (s *side) merge(o *side) {
	for i, from := range o {
		if from == nil {
			continue
		}
		if s[i] == nil {
			s[i] = new([page]uint64)
		}
		for k, n := range from {
			s[i][k] += n
		}
	}
}

// Reset forgets all values. The memory stays.
func (s *Sketch) Reset() {
	s.events, s.zeros = 0, 0
	s.positive.reset()
	s.negative.reset()
}

func (s *side) reset() {
	for _, p := range s {
		if p != nil {
			clear(p[:])
		}
	}
}
