// SPDX-License-Identifier: Apache-2.0

package agg_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/redsift/ingraind/runtime/agg"
)

// histograms are those of some, and ones at the ends of what 64 bits hold.
func histograms() []agg.Cell {
	all := []agg.Cell{
		{Kind: agg.Linear, Start: math.MinInt64, Width: 1 << 62, N: 2, Signed: true},
		{Kind: agg.Linear, Start: math.MinInt64, Width: -1, N: 1, Signed: true}, // -1: 2^64-1
		{Kind: agg.Linear, Start: math.MaxInt64, Width: 1, N: 3, Signed: true},
		{Kind: agg.Linear, Start: math.MaxInt64 - 1, Width: 1 << 62, N: 3, Signed: true},
		{Kind: agg.Linear, Start: 0, Width: 1, N: 1},
		{Kind: agg.Linear, Start: -2, Width: 1, N: 4}, // -2: 2^64-2
		{Kind: agg.Linear, Start: 0, Width: 0, N: 4},
		{Kind: agg.Buckets, Bounds: []int64{math.MinInt64, math.MaxInt64}, Signed: true},
		{Kind: agg.Buckets},
	}
	for _, c := range some {
		switch c.Kind {
		case agg.Exp2, agg.Linear, agg.Buckets:
			all = append(all, c)
		}
	}
	return all
}

// atMost says whether x, read as the number's kind, is at most b.
func atMost(x uint64, b agg.Number) bool {
	if b.Form == agg.Signed {
		return int64(x) <= int64(b.Bits())
	}
	return x <= b.Bits()
}

func atLeast(x uint64, b agg.Number) bool {
	if b.Form == agg.Signed {
		return int64(x) >= int64(b.Bits())
	}
	return x >= b.Bits()
}

func TestValuesLieInTheBucketsThatCountThem(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for _, c := range histograms() {
		values := extremes()
		for range 1000 {
			values = append(values, anything(r, 0).x)
		}
		for _, x := range values {
			words := make([]uint64, 1+c.Words())
			update([]agg.Cell{c}, words, happening{x: x, weight: 5})
			h := c.Histogram(words[1:])
			if h.Total() != 5 {
				t.Fatalf("got %d events in %+v, want 5", h.Total(), c)
			}
			for i := range h.Len() {
				b := h.Bucket(i)
				inside := (b.Least.Form == agg.Null || atLeast(x, b.Least)) && (b.Greatest.Form == agg.Null || atMost(x, b.Greatest))
				if h.N(i) != b.N {
					t.Fatalf("got %d and %d events in bucket %d", h.N(i), b.N, i)
				}
				if b.N == 5 && !inside {
					t.Errorf("got %d (%#x) in bucket %d of %+v, which is %s to %s", int64(x), x, i, c, b.Least.Append(nil), b.Greatest.Append(nil))
				}
				if b.N == 0 && inside && b.Least.Form != agg.Null && b.Greatest.Form != agg.Null && !empty(c, i) {
					t.Errorf("got %d (%#x) not in bucket %d of %+v, which is %s to %s", int64(x), x, i, c, b.Least.Append(nil), b.Greatest.Append(nil))
				}
			}
		}
	}
}

// empty says that a bucket begins beyond the greatest value of its type, so
// that its bounds are that value, which is in another.
func empty(c agg.Cell, i int) bool {
	if c.Kind == agg.Exp2 {
		return c.Signed && i == c.Bits
	}
	if c.Kind != agg.Linear || i == 0 {
		return false
	}
	room := agg.Ordered(^uint64(0), false) - agg.Ordered(uint64(c.Start), c.Signed)
	return uint64(i-1) > room/max(uint64(c.Width), 1)
}

func TestBoundsOfBucketsRise(t *testing.T) {
	for _, c := range histograms() {
		h := c.Histogram(make([]uint64, c.Words()))
		for i := 1; i < h.Len(); i++ {
			before, b := h.Bucket(i-1).Greatest, h.Bucket(i).Greatest
			if before.Form == agg.Null {
				t.Errorf("got no end of bucket %d of %+v, want one", i-1, c)
			}
			if b.Form != agg.Null && !atLeast(b.Bits(), before) {
				t.Errorf("got %s after %s in %+v", b.Append(nil), before.Append(nil), c)
			}
		}
		if last := h.Bucket(h.Len() - 1).Greatest.Form; (last == agg.Null) != (c.Kind != agg.Exp2) {
			t.Errorf("got the last bucket of a %s with an end of form %d", c.Kind, last)
		}
	}
}

func TestExp2BucketsAreThoseOfTheDocuments(t *testing.T) {
	minus := ^uint64(0)
	for _, c := range []struct {
		x      uint64
		signed bool
		want   int
	}{
		{0, false, 0}, {1, false, 1}, {2, false, 2}, {3, false, 2}, {4, false, 3}, {1023, false, 10}, {1024, false, 11},
		{1<<63 - 1, false, 63}, {1 << 63, false, 64}, {minus, false, 64},
		{0, true, 0}, {1, true, 1}, {1<<63 - 1, true, 63}, {1 << 63, true, 0}, {minus, true, 0},
	} {
		if got := agg.Exp2Bucket(c.x, c.signed); got != c.want {
			t.Errorf("got bucket %d of %#x, signed %v, want %d", got, c.x, c.signed, c.want)
		}
	}
}

func TestHistogramsListOnlyBucketsWithEvents(t *testing.T) {
	exp2 := agg.Cell{Kind: agg.Exp2, Bits: 64}
	words := make([]uint64, exp2.Words())
	words[10], words[11] = 2, 1
	if got, want := string(exp2.Histogram(words).Append(nil)), `[{"le":1023,"n":2},{"le":2047,"n":1}]`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	linear := agg.Cell{Kind: agg.Linear, Start: -10, Width: 5, N: 2, Signed: true}
	if got, want := string(linear.Histogram([]uint64{1, 2, 0, 4}).Append(nil)), `[{"le":-11,"n":1},{"le":-6,"n":2},{"le":null,"n":4}]`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := string(linear.Histogram(make([]uint64, 4)).Append(nil)); got != "[]" {
		t.Errorf("got %s, want []", got)
	}
	sum := agg.Cell{Kind: agg.Sum}
	if n := sum.Histogram([]uint64{7}).Len(); n != 0 {
		t.Errorf("got a sum of %d buckets, want none", n)
	}
}

func TestReadingAllocatesNothing(t *testing.T) {
	buffer := make([]byte, 0, 1<<16)
	_, n := agg.Layout(some)
	words := make([]uint64, n)
	for i := range words {
		words[i] = uint64(i)
	}
	got := testing.AllocsPerRun(100, func() {
		at := 1
		for i := range some {
			own := words[at : at+some[i].Words()]
			at += len(own)
			buffer = some[i].Histogram(own).Append(buffer[:0])
			if len(own) < 3 {
				buffer = some[i].Value(own, words[0]).Append(buffer)
			}
		}
	})
	if got != 0 {
		t.Errorf("got %v allocations, want 0", got)
	}
}
