// SPDX-License-Identifier: Apache-2.0

package agg_test

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
	"testing"

	"github.com/redsift/ingraind/runtime/agg"
)

func TestHashWordsIsTheChainThatGeneratedCodeWrites(t *testing.T) {
	s := agg.NewSeed()
	k := []uint64{1, 2, 3}
	if got, want := s.HashWords(k), s.End(s.Mix(s.Mix(s.Start(), k[0], k[1]), k[2], 0)); got != want {
		t.Errorf("got %#x, want %#x", got, want)
	}
}

func TestSeedsDiffer(t *testing.T) {
	a, b := agg.NewSeed(), agg.NewSeed()
	if k := []uint64{1, 2}; a == b || a.HashWords(k) == b.HashWords(k) {
		t.Error("got the same hash of two seeds")
	}
}

// A bit of a key changes each bit of the hash half of the time, those that
// choose a slot among them.
func TestEachBitOfAKeyReachesEachBitOfTheHash(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	const rounds = 2000
	for bit := range 192 {
		var flipped [64]int
		for range rounds {
			s := agg.NewSeed()
			k := [3]uint64{r.Uint64N(1000), r.Uint64N(1000), r.Uint64N(1000)}
			before := s.HashWords(k[:])
			k[bit/64] ^= 1 << (bit % 64)
			for d := before ^ s.HashWords(k[:]); d != 0; d &= d - 1 {
				flipped[bits.TrailingZeros64(d)]++
			}
		}
		for i, n := range flipped {
			if n < rounds*2/5 || n > rounds*3/5 {
				t.Errorf("got bit %d of the hash changed by bit %d of the key %d times of %d", i, bit, n, rounds)
			}
		}
	}
}

// Keys that differ little, as real ones do, share slots no more than random
// ones would, whatever the seed.
func TestSimilarKeysSpread(t *testing.T) {
	const n = 4096
	for name, key := range map[string]func(uint64) [3]uint64{
		"counted":       func(i uint64) [3]uint64 { return [3]uint64{0, 0, i} },
		"counted first": func(i uint64) [3]uint64 { return [3]uint64{i, 0, 0} },
		"high bits":     func(i uint64) [3]uint64 { return [3]uint64{0, 0, i << 48} },
		"in two halves": func(i uint64) [3]uint64 { return [3]uint64{i & 63, i >> 6 << 32, 0} },
		"alike":         func(i uint64) [3]uint64 { return [3]uint64{i, i, i} },
	} {
		var worst, sum float64 = 1, 0
		for range 300 {
			s := agg.NewSeed()
			var taken [n]bool
			some := 0
			for i := range uint64(n) {
				k := key(i)
				if slot := s.HashWords(k[:]) >> 32 % n; !taken[slot] {
					taken[slot] = true
					some++
				}
			}
			worst = min(worst, float64(some)/n)
			sum += float64(some) / n
		}
		// Random keys take (1 - 1/e) of the slots, 0.632.
		if sum/300 < 0.62 {
			t.Errorf("%s: got %.3f of the slots taken, at worst %.3f, want 0.632", name, sum/300, worst)
		}
		t.Logf("%s: %.3f of the slots taken, at worst %.3f", name, sum/300, worst)
	}
}

func TestHashBytesTellsLengthsApart(t *testing.T) {
	s := agg.NewSeed()
	seen := map[uint64]int{}
	zeros := make([]byte, 100)
	for n := range zeros {
		h := s.HashBytes(zeros[:n])
		if other, twice := seen[h]; twice {
			t.Errorf("got the same hash of %d and %d zeros", n, other)
		}
		seen[h] = n
	}
	text := []byte("a text of some length, to be changed in each place")
	before := s.HashBytes(text)
	for i := range text {
		text[i] ^= 1
		if s.HashBytes(text) == before {
			t.Errorf("got the same hash with another byte %d", i)
		}
		text[i] ^= 1
	}
}

func FuzzText8IsTheTextUpToTheFirstNUL(f *testing.F) {
	for _, x := range []uint64{0, 1, 0x100, 0x0001_0000_0000_0061, 0x8000_0000_0000_0080, ^uint64(0), 0x01010101_00010101, 1 << 63} {
		f.Add(x)
	}
	f.Fuzz(func(t *testing.T, x uint64) {
		var b [8]byte
		binary.LittleEndian.PutUint64(b[:], x)
		end := bytes.IndexByte(b[:], 0)
		if end >= 0 {
			clear(b[end:])
		}
		text, done := agg.Text8(x)
		if want := agg.Load8(b[:]); text != want || done != (end >= 0) {
			t.Errorf("got %#x, %v of %#x, want %#x, %v", text, done, x, want, end >= 0)
		}
	})
}
