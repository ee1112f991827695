// SPDX-License-Identifier: Apache-2.0

package distinct

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestFewValuesAreCountedExactly(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for n := range few + 1 {
		var s Sketch
		hashes := make([]uint64, n)
		for i := range hashes {
			hashes[i] = r.Uint64() >> r.IntN(64) // bad ones, too
			hashes[i] += uint64(i) << 40
		}
		for range 3 {
			for _, h := range hashes {
				s.Add(h)
			}
		}
		if got := s.Count(); got != uint64(n) {
			t.Errorf("got %d, want %d", got, n)
		}
	}
}

func TestManyValuesAreCountedWithinTheStandardError(t *testing.T) {
	const standard = 0.01625 // 1.04 / sqrt(2^12)
	r := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{49, 100, 1000, 4000, 10_000, 40_000, 300_000} {
		var s Sketch
		rounds := max(20, min(400, 2_000_000/n))
		squares, sum := 0.0, 0.0
		for range rounds {
			s.Reset()
			for range n {
				h := r.Uint64()
				s.Add(h)
				s.Add(h)
			}
			off := float64(s.Count())/float64(n) - 1
			squares += off * off
			sum += off
			if math.Abs(off) > 5*standard {
				t.Errorf("got %d of %d", s.Count(), n)
			}
		}
		rms, bias := math.Sqrt(squares/float64(rounds)), sum/float64(rounds)
		// The error of an error measured so often.
		if limit := standard * (1 + 3/math.Sqrt(2*float64(rounds))); rms > limit {
			t.Errorf("got an error of %.4f of %d, want at most %.4f", rms, n, limit)
		}
		// Half a value more, since counts are whole.
		if limit := 4*standard/math.Sqrt(float64(rounds)) + 0.5/float64(n); math.Abs(bias) > limit {
			t.Errorf("got %.4f too much of %d on average, want at most %.4f", bias, n, limit)
		}
	}
}

func TestRegistersTakeTheGreatestAndTheLeastHash(t *testing.T) {
	var s Sketch
	for i := range uint64(few + 1) {
		s.Add(i << 52) // no bit set below: the greatest value of a register
	}
	s.Add(0)
	s.Add(^uint64(0))
	for i, want := range map[int]uint8{0: most, few: most, registers - 1: 1, registers - 2: 0} {
		if got := s.registers[i]; got != want {
			t.Errorf("got register %d of %d, want %d", i, got, want)
		}
	}
}

func TestMergeAgreesWithOneSketchOfAllValues(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, size := range [][2]int{{0, 0}, {10, 20}, {40, 40}, {10, 5000}, {5000, 10}, {5000, 5000}} {
		var all, a, b Sketch
		for i, s := range []*Sketch{&a, &b} {
			for range size[i] {
				h := r.Uint64()
				s.Add(h)
				all.Add(h)
			}
		}
		a.Merge(&b)
		if got, want := a.Count(), all.Count(); got != want {
			t.Errorf("got %d of %v, want %d", got, size, want)
		}
	}
}

func TestSketchAllocatesNothingOnceItHadMany(t *testing.T) {
	var s Sketch
	words := make([]uint64, 1)
	round := func() {
		for i := range uint64(1000) {
			s.Add(i * 0x9e3779b97f4a7c15)
		}
		s.Read(words)
		s.Reset()
	}
	round()
	if n := testing.AllocsPerRun(20, round); n != 0 {
		t.Errorf("got %v allocations a flush, want 0", n)
	}
	if s.Count() != 0 {
		t.Errorf("got %d after Reset, want 0", s.Count())
	}
}

func BenchmarkAdd(b *testing.B) {
	var s Sketch
	b.ReportAllocs()
	for i := range uint64(b.N) {
		s.Add(i * 0x9e3779b97f4a7c15)
	}
}
