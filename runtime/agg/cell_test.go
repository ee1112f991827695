// SPDX-License-Identifier: Apache-2.0

package agg_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/redsift/ingraind/runtime/agg"
)

// some is a cell of each kind that lives in words, for unsigned arguments and
// for signed ones.
var some = []agg.Cell{
	{Kind: agg.Count},
	{Kind: agg.Sum},
	{Kind: agg.Mean, Signed: true},
	{Kind: agg.Min},
	{Kind: agg.Min, Signed: true},
	{Kind: agg.Max},
	{Kind: agg.Max, Signed: true},
	{Kind: agg.Last, Signed: true},
	{Kind: agg.Exp2, Bits: 64},
	{Kind: agg.Exp2, Bits: 64, Signed: true},
	{Kind: agg.Linear, Start: -10, Width: 5, N: 4, Signed: true},
	{Kind: agg.Linear, Start: 10, Width: 1 << 60, N: 6},
	{Kind: agg.Buckets, Bounds: []int64{-1, 0, 10}, Signed: true},
	{Kind: agg.Buckets, Bounds: []int64{0, 10, -1}}, // -1: 2^64-1
}

type happening struct{ x, weight, time uint64 }

// update is what generated code does, here for any cells.
func update(cells []agg.Cell, words []uint64, e happening) {
	offsets, _ := agg.Layout(cells)
	agg.Add(&words[0], e.weight)
	for i := range cells {
		c, w := &cells[i], words[offsets[i]:]
		switch c.Kind {
		case agg.Sum, agg.Mean:
			agg.Add(&w[0], e.x*e.weight)
		case agg.Min:
			agg.RaiseMin(&w[0], e.x, c.Signed)
		case agg.Max:
			agg.RaiseMax(&w[0], e.x, c.Signed)
		case agg.Last:
			agg.SetLast(&w[0], &w[1], e.time, e.x)
		case agg.Exp2:
			agg.Add(&w[agg.Exp2Bucket(e.x, c.Signed)], e.weight)
		case agg.Linear:
			agg.Add(&w[agg.LinearBucket(e.x, uint64(c.Start), uint64(c.Width), c.N, c.Signed)], e.weight)
		case agg.Buckets:
			agg.Add(&w[agg.BoundsBucket(e.x, c.Bounds, c.Signed)], e.weight)
		}
	}
}

// extremes are values at which something changes.
func extremes() []uint64 {
	at := []uint64{0, 1, 1 << 62, 1 << 63, ^uint64(0)}
	for k := range 64 {
		at = append(at, 1<<k-1, 1<<k, 1<<k+1, ^uint64(0)<<k)
	}
	for x := int64(-25); x <= 25; x++ {
		at = append(at, uint64(x))
	}
	return at
}

func anything(r *rand.Rand, time uint64) happening {
	e := happening{weight: 1 + r.Uint64N(3), time: time}
	switch r.IntN(3) {
	case 0:
		e.x = r.Uint64() >> r.IntN(64)
	case 1:
		e.x = uint64(r.Int64N(50) - 25)
	case 2:
		all := extremes()
		e.x = all[r.IntN(len(all))]
	}
	return e
}

func TestMergeAgreesWithOneStateThatSawAllEventsInAnyOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	_, n := agg.Layout(some)
	for range 300 {
		all := make([]uint64, n)
		var parts [3][]uint64
		for i := range parts {
			parts[i] = make([]uint64, n)
		}
		for time := range r.Uint64N(40) {
			e := anything(r, time+1)
			update(some, all, e)
			update(some, parts[r.IntN(3)], e)
		}
		merged := func(order ...int) []uint64 {
			words := make([]uint64, n)
			for _, i := range order {
				agg.Merge(some, words, parts[i])
			}
			return words
		}
		// (0 1) 2 in each order, and 0 (1 2).
		nested := slices.Clone(parts[1])
		agg.Merge(some, nested, parts[2])
		agg.Merge(some, nested, parts[0])
		for _, got := range [][]uint64{merged(0, 1, 2), merged(2, 1, 0), merged(1, 0, 2), nested} {
			if !slices.Equal(got, all) {
				t.Fatalf("got  %v\nwant %v", got, all)
			}
		}
	}
}

func TestMergeOfLastsOfTheSameTimeDoesNotDependOnOrder(t *testing.T) {
	cells := []agg.Cell{{Kind: agg.Last}}
	a, b := []uint64{1, 7, 3}, []uint64{1, 7, 5}
	ab, ba := slices.Clone(a), slices.Clone(b)
	agg.Merge(cells, ab, b)
	agg.Merge(cells, ba, a)
	if !slices.Equal(ab, ba) {
		t.Errorf("got %v and %v, want the same", ab, ba)
	}
}

func TestLastOfTheSameTimeIsTheOneThatCameLater(t *testing.T) {
	var time, value uint64
	agg.SetLast(&time, &value, 7, 5)
	agg.SetLast(&time, &value, 7, 3)
	agg.SetLast(&time, &value, 6, 9)
	if time != 7 || value != 3 {
		t.Errorf("got %d at %d, want 3 at 7", value, time)
	}
}

func TestLayoutPutsWordsInTheOrderOfTheCells(t *testing.T) {
	offsets, words := agg.Layout([]agg.Cell{
		{Kind: agg.Sum}, {Kind: agg.Count}, {Kind: agg.Last}, {Kind: agg.Exp2, Bits: 32}, {Kind: agg.Linear, N: 3},
		{Kind: agg.Buckets, Bounds: []int64{1, 2}}, {Kind: agg.Quantiles}, {Kind: agg.Distinct}, {Kind: agg.Top, N: 10}, {Kind: agg.Mean},
	})
	if want := []int{1, 0, 2, 4, 37, 42, 45, 49, 50, 51}; !slices.Equal(offsets, want) || words != 52 {
		t.Errorf("got %v and %d words, want %v and 52", offsets, words, want)
	}
}

func TestValuesAreThoseOfTheEvents(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	offsets, n := agg.Layout(some)
	for range 300 {
		words := make([]uint64, n)
		var events, sum, last uint64
		least, most := ^uint64(0), uint64(0)
		sleast, smost := int64(math.MaxInt64), int64(math.MinInt64)
		for time := range 1 + r.Uint64N(20) {
			e := anything(r, time)
			update(some, words, e)
			events += e.weight
			sum += e.x * e.weight
			last = e.x
			least, most = min(least, e.x), max(most, e.x)
			sleast, smost = min(sleast, int64(e.x)), max(smost, int64(e.x))
		}
		for i, want := range map[int]uint64{
			0: events, 1: sum, 2: math.Float64bits(float64(int64(sum)) / float64(events)),
			3: least, 4: uint64(sleast), 5: most, 6: uint64(smost), 7: last,
		} {
			got := some[i].Value(words[offsets[i]:], words[0])
			if form := map[int]agg.Form{2: agg.Float, 4: agg.Signed, 6: agg.Signed, 7: agg.Signed}[i]; got.Bits() != want || form != 0 && got.Form != form {
				t.Errorf("got %s of %s, want %#x", got.Append(nil), some[i].Kind, want)
			}
		}
	}
}

func TestWhatThereIsOfNothingIsNull(t *testing.T) {
	for _, kind := range []agg.Kind{agg.Mean, agg.Min, agg.Max, agg.Last} {
		c := agg.Cell{Kind: kind}
		if got := c.Value([]uint64{0, 0}, 0).Append(nil); string(got) != "null" {
			t.Errorf("got a %s of %s, want null", kind, got)
		}
	}
	for _, kind := range []agg.Kind{agg.Count, agg.Sum, agg.Distinct} {
		c := agg.Cell{Kind: kind}
		if got := c.Value([]uint64{0}, 0).Append(nil); string(got) != "0" {
			t.Errorf("got a %s of %s, want 0", kind, got)
		}
	}
}

func TestNumbersAreWrittenAsJSONHasThem(t *testing.T) {
	mean := agg.Cell{Kind: agg.Mean}
	for want, got := range map[string]agg.Number{
		"18446744073709551615": (&agg.Cell{Kind: agg.Count}).Value(nil, ^uint64(0)),
		"-1":                   (&agg.Cell{Kind: agg.Sum, Signed: true}).Value([]uint64{^uint64(0)}, 1),
		"2.5":                  mean.Value([]uint64{5}, 2),
		"0.3333333333333333":   mean.Value([]uint64{1}, 3),
		"1e-07":                agg.FloatNumber(1e-7),
		"0":                    agg.FloatNumber(0),
		"null":                 agg.FloatNumber(math.NaN()),
	} {
		if text := string(got.Append(nil)); text != want {
			t.Errorf("got %s, want %s", text, want)
		}
	}
}

func TestKindsAreNamedAsInYAML(t *testing.T) {
	if got := agg.Top.String(); got != "top" {
		t.Errorf("got %q, want top", got)
	}
	if got := agg.Kind(99).String(); got != "kind(99)" {
		t.Errorf("got %q, want kind(99)", got)
	}
}
