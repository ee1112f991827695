// SPDX-License-Identifier: Apache-2.0

package quantiles

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/redsift/ingraind/runtime/agg"
)

// distributions are ways in which values of events are spread.
func distributions(r *rand.Rand) map[string]func() int64 {
	return map[string]func() int64{
		"uniform":         func() int64 { return r.Int64N(1_000_000) },
		"small":           func() int64 { return r.Int64N(130) },
		"exponential":     func() int64 { return int64(r.ExpFloat64() * 1e6) },
		"log-normal":      func() int64 { return int64(math.Exp(r.NormFloat64()*2 + 12)) },
		"Pareto":          func() int64 { return int64(min(1000*math.Pow(r.Float64(), -2), 1e18)) },
		"of any size":     func() int64 { return int64(r.Uint64() >> (1 + r.IntN(63))) },
		"two peaks":       func() int64 { return int64(1000*(1+1e6*float64(r.IntN(2))) + 10*r.NormFloat64()) },
		"both signs":      func() int64 { return int64(r.NormFloat64() * 1e5) },
		"negative":        func() int64 { return -int64(r.Uint64() >> (1 + r.IntN(63))) },
		"always the same": func() int64 { return 4711 },
	}
}

// within says whether got is as near to want as the package promises.
func within(got float64, want int64) bool {
	return math.Abs(got-float64(want)) <= (Accuracy+1e-9)*math.Abs(float64(want))
}

func TestQuantilesAreWithinAHundredthOfThoseOfAllValues(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for name, next := range distributions(r) {
		t.Run(name, func(t *testing.T) {
			var s Sketch
			for _, n := range []int{1, 2, 10, 1000, 20000} { // Reset leaves nothing behind
				s.Reset()
				var all []int64
				for range n {
					x, weight := next(), 1+r.IntN(3)
					s.Add(uint64(x), uint64(weight), true)
					for range weight {
						all = append(all, x)
					}
				}
				slices.Sort(all)
				for _, q := range []float64{0, 0.01, 0.25, 0.5, 0.9, 0.95, 0.99, 0.999, 1} {
					want := all[int(q*float64(len(all)-1))]
					if got := s.Quantile(q); !within(got, want) {
						t.Errorf("got %v as quantile %v of %d, want %d", got, q, n, want)
					}
				}
			}
		})
	}
}

// Each value alone, so that edges of buckets are met.
func TestNoValueIsFurtherAwayThanPromised(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	values := []uint64{0, 1, 2, 3, 1 << 63, 1<<63 - 1, ^uint64(0), ^uint64(0) - 1}
	for i := range uint64(10000) {
		values = append(values, i)
	}
	for range 10000 {
		values = append(values, r.Uint64()>>r.IntN(64))
	}
	var s Sketch
	for _, x := range values {
		s.Reset()
		s.Add(x, 1, false)
		if got, want := s.Quantile(0.5), float64(x); math.Abs(got-want) > (Accuracy+1e-9)*want {
			t.Errorf("got %v of %d", got, x)
		}
		if x < 50 && s.Quantile(0.5) != float64(x) {
			t.Errorf("got %v of %d, want it itself", s.Quantile(0.5), x)
		}
	}
}

func TestTheLeastIntegerIsNoMoreThanAnyOther(t *testing.T) {
	var s Sketch
	s.Add(1<<63, 1, true)
	if got, want := s.Quantile(0.5), float64(math.MinInt64); math.Abs(got-want) > -Accuracy*want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestMergeAgreesWithOneSketchOfAllValues(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	var all, a, b Sketch
	for range 5000 {
		x := uint64(int64(r.NormFloat64() * 1e6))
		all.Add(x, 2, true)
		if r.IntN(2) == 0 {
			a.Add(x, 2, true)
		} else {
			b.Add(x, 2, true)
		}
	}
	a.Merge(&b)
	for q := 0.0; q <= 1; q += 0.01 {
		if got, want := a.Quantile(q), all.Quantile(q); got != want {
			t.Errorf("got %v as quantile %v, want %v", got, q, want)
		}
	}
}

func TestRowsHaveNoQuantilesOfNothing(t *testing.T) {
	c := agg.Cell{Kind: agg.Quantiles}
	words := make([]uint64, c.Words())
	var s Sketch
	s.Read(words)
	if got := c.Quantile(words, 0).Append(nil); string(got) != "null" {
		t.Errorf("got %s, want null", got)
	}
	s.Add(7, 1, false)
	s.Read(words)
	for i := range agg.Probabilities {
		if got := c.Quantile(words, i).Append(nil); string(got) != "7" {
			t.Errorf("got %s, want 7", got)
		}
	}
}

func TestSketchAllocatesNothingForValuesLikeThoseBefore(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	values := make([]uint64, 10000)
	for i := range values {
		values[i] = uint64(r.ExpFloat64() * 1e6)
	}
	var s Sketch
	words := make([]uint64, len(agg.Probabilities))
	round := func() {
		for _, x := range values {
			s.Add(x, 1, false)
		}
		s.Read(words)
		s.Reset()
	}
	round()
	if n := testing.AllocsPerRun(5, round); n != 0 {
		t.Errorf("got %v allocations a flush, want 0", n)
	}
}

func BenchmarkAdd(b *testing.B) {
	var s Sketch
	b.ReportAllocs()
	for i := range uint64(b.N) {
		s.Add(i*i&(1<<30-1), 1, false)
	}
}
