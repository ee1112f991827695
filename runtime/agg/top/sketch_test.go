// SPDX-License-Identifier: Apache-2.0

package top

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/redsift/ingraind/runtime/agg"
)

type item struct {
	value        string
	count, error uint64
}

// read is what a row says, the way a row is read.
func read(t *testing.T, s *Sketch) []item {
	t.Helper()
	cell := agg.Cell{Kind: agg.Top}
	words := s.Append([]uint64{99, 2})
	var all []item
	for items := cell.Items(words[1:2], words); ; {
		i, ok := items.Next()
		if !ok {
			break
		}
		all = append(all, item{string(i.Append(nil)), i.Count, i.Error})
	}
	if uint64(len(all)) != words[2] {
		t.Fatalf("got %d items, want %d", len(all), words[2])
	}
	return all
}

// whole checks that heap and index belong together.
func whole(t *testing.T, s *Sketch) {
	t.Helper()
	used := 0
	for slot, i := range s.index {
		if i == 0 {
			continue
		}
		used++
		if got := s.counters[i-1].slot; got != uint32(slot) {
			t.Fatalf("got a counter of place %d in place %d", got, slot)
		}
	}
	if used != len(s.counters) {
		t.Fatalf("got %d counters in the index, want %d", used, len(s.counters))
	}
	for i := 1; i < len(s.counters); i++ {
		if s.counters[i].count < s.counters[(i-1)/2].count {
			t.Fatalf("got counter %d less than the one above it", i)
		}
	}
}

// heaviest are the n values of the greatest counts, as Append orders them.
func heaviest(exact map[string]uint64, n int) []item {
	var all []item
	for v, c := range exact {
		all = append(all, item{v, c, 0})
	}
	slices.SortFunc(all, func(a, b item) int { return cmp.Or(cmp.Compare(b.count, a.count), cmp.Compare(a.value, b.value)) })
	return all[:min(n, len(all))]
}

func TestTopIsExactWithAsManyValuesAsCounters(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	seed := agg.NewSeed()
	for _, n := range []int{1, 3, 10, 100} {
		s := New(n, 16)
		for _, values := range []int{0, 1, n, 4 * n} { // Reset leaves nothing behind
			s.Reset()
			exact := map[string]uint64{}
			for range 20 * values {
				v, weight := fmt.Sprintf("value %d", r.IntN(values)), 1+r.Uint64N(3)
				s.Add(seed.HashBytes([]byte(v)), []byte(v), weight)
				exact[v] += weight
			}
			whole(t, s)
			if got, want := read(t, s), heaviest(exact, n); !slices.Equal(got, want) {
				t.Errorf("got %v of %d values, want %v", got, values, want)
			}
		}
	}
}

// What the paper promises: count - error <= exact <= count, error <= all/m, and
// what had more than all/m has a counter.
func TestTopIsAsNearAsSpaceSavingPromises(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for name, hash := range map[string]func([]byte) uint64{
		"seeded":   agg.NewSeed().HashBytes,
		"one slot": rest,
	} {
		for range 50 {
			n := 1 + r.IntN(20)
			s := New(n, 32)
			m := uint64(cap(s.counters))
			zipf := rand.NewZipf(r, 1.05+r.Float64(), 1, 5000)
			exact := map[string]uint64{}
			var all uint64
			for range 3000 {
				v, weight := fmt.Sprint(zipf.Uint64()), 1+r.Uint64N(3)
				s.Add(hash([]byte(v)), []byte(v), weight)
				exact[v] += weight
				all += weight
			}
			whole(t, s)
			kept := map[string]bool{}
			for i := range s.counters {
				c := &s.counters[i]
				v := string(s.bytes(c))
				kept[v] = true
				if c.count < exact[v] || c.count-c.over > exact[v] || c.over > all/m {
					t.Errorf("%s: got %d, at most %d too much, of %d %q, want at most %d too much", name, c.count, c.over, exact[v], v, all/m)
				}
			}
			for v, count := range exact {
				if count > all/m && !kept[v] {
					t.Errorf("%s: got no counter of %q, which had %d of %d", name, v, count, all)
				}
			}
			for i, got := 1, read(t, s); i < len(got); i++ {
				if got[i-1].count < got[i].count {
					t.Errorf("%s: got %v before %v", name, got[i-1], got[i])
				}
			}
		}
	}
}

// rest is a hash whose high half, which names the place, is always 0.
func rest(b []byte) uint64 {
	var x uint64
	for _, c := range b {
		x = x*11 + uint64(c)
	}
	return x & (1<<32 - 1)
}

func TestValuesAreKeptUpToTheirSize(t *testing.T) {
	s := New(2, 9)
	seed := agg.NewSeed()
	for _, v := range []string{"123456789", "123456789abc", "12345678", ""} {
		s.Add(seed.HashBytes([]byte(v)), []byte(v), uint64(1+len(v)))
	}
	if got, want := read(t, s), []item{{"123456789", 13, 0}, {"123456789", 10, 0}}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	s = New(5, 0)
	s.Add(1, []byte("abc"), 1)
	if got, want := read(t, s), []item{{"", 1, 0}}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestStrangeSizesAreBroughtIntoBounds(t *testing.T) {
	for _, n := range []int{-1, 0, 1, Most, Most + 1, 1 << 30} {
		s := New(n, 8)
		for i := range uint64(40_000) {
			s.Add(i*0x9e3779b97f4a7c15, nil, 1)
		}
		whole(t, s)
	}
}

func TestItemsOfWordsThatAreCutOffEnd(t *testing.T) {
	s := New(3, 8)
	s.Add(1, []byte("abcdefgh"), 1)
	cell := agg.Cell{Kind: agg.Top}
	words := s.Append([]uint64{1, 2})
	for end := range words {
		if end < 2 {
			continue
		}
		items := cell.Items(words[1:2], words[:end])
		if i, ok := items.Next(); ok {
			t.Errorf("got %v of %d words, want none", i, end)
		}
	}
}

func TestSketchAllocatesNothing(t *testing.T) {
	s := New(10, 64)
	words := make([]uint64, 0, 1000)
	value := []byte("/usr/lib/x86_64-linux-gnu/libc.so.6")
	if n := testing.AllocsPerRun(20, func() {
		for i := range uint64(1000) {
			s.Add(i*0x9e3779b97f4a7c15, value, 1)
		}
		words = s.Append(words[:0])
		s.Reset()
	}); n != 0 {
		t.Errorf("got %v allocations a flush, want 0", n)
	}
}

func BenchmarkAdd(b *testing.B) {
	r := rand.New(rand.NewPCG(5, 6))
	zipf := rand.NewZipf(r, 1.1, 1, 5000)
	hashes := make([]uint64, 1<<16)
	for i := range hashes {
		hashes[i] = zipf.Uint64() * 0x9e3779b97f4a7c15
	}
	s := New(10, 64)
	value := []byte("/usr/lib/x86_64-linux-gnu/libc.so.6")
	b.ReportAllocs()
	for i := range b.N {
		s.Add(hashes[i&(1<<16-1)], value, 1)
	}
}
