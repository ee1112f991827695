// SPDX-License-Identifier: Apache-2.0

package agg_test

import (
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/redsift/ingraind/runtime/agg"
)

type pair [2]uint64

type tally [1]uint64

// plainly is what a Table does, by Go's map.
type plainly struct {
	rows map[pair]uint64
	max  int
	over uint64
	any  bool
}

func (p *plainly) add(key pair) {
	if _, known := p.rows[key]; !known && len(p.rows) >= p.max {
		p.over++
		p.any = true
		return
	}
	p.rows[key]++
}

func compare(t *testing.T, table *agg.Table[pair, tally], want *plainly) {
	t.Helper()
	if table.Len() != len(want.rows) {
		t.Fatalf("got %d keys, want %d", table.Len(), len(want.rows))
	}
	seen := 0
	table.Each(func(key *pair, c *tally) {
		seen++
		if n, ok := want.rows[*key]; !ok || n != c[0] {
			t.Fatalf("got %d of %v, want %d, %v", c[0], *key, n, ok)
		}
	})
	if seen != len(want.rows) {
		t.Fatalf("got %d keys of Each, want %d", seen, len(want.rows))
	}
	if c, any := table.Overflow(); c[0] != want.over || any != want.any {
		t.Fatalf("got an overflow of %d, %v, want %d, %v", c[0], any, want.over, want.any)
	}
}

func addTo(table *agg.Table[pair, tally], hash uint64, key pair) {
	near := table.Near(hash)
	c := &near.Cells
	if !near.Holds(hash, &key) {
		c = table.At(hash, &key)
	}
	c[0]++
}

// hashes are good ones and bad ones, whatever a table's key.
func hashes(seed agg.Seed) map[string]func(pair) uint64 {
	return map[string]func(pair) uint64{
		"seeded":         func(k pair) uint64 { return seed.HashWords(k[:]) },
		"all 0":          func(pair) uint64 { return 0 },
		"all 1":          func(pair) uint64 { return 1 },
		"all ones":       func(pair) uint64 { return ^uint64(0) },
		"few":            func(k pair) uint64 { return k[0] % 3 },
		"one slot":       func(k pair) uint64 { return k[0] & 0xffff },
		"the last slots": func(k pair) uint64 { return ^uint64(0) - k[0]<<34 },
	}
}

func TestTableIsAMapWithABoundForAnyKeysAndHashes(t *testing.T) {
	for name, hash := range hashes(agg.NewSeed()) {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			for _, max := range []int{0, 1, 3, 4, 5, 64, 65, 1000} {
				table := agg.New[pair, tally](max)
				for range 3 { // Reset leaves nothing behind
					want := &plainly{rows: map[pair]uint64{}, max: max}
					for range 4000 {
						key := pair{r.Uint64N(uint64(2*max + 2)), r.Uint64N(2)}
						want.add(key)
						addTo(table, hash(key), key)
					}
					compare(t, table, want)
					table.Reset()
					compare(t, table, &plainly{})
				}
			}
		})
	}
}

func TestTableTakesNoKeysBelowAMaxOfOne(t *testing.T) {
	table := agg.New[pair, tally](-1)
	addTo(table, 0, pair{})
	if c, any := table.Overflow(); table.Len() != 0 || !any || c[0] != 1 {
		t.Errorf("got %d keys, an overflow of %d, %v, want none, 1, true", table.Len(), c[0], any)
	}
}

// The key of zeros with the hash 0 looks like a slot that is free.
func TestTableTellsAKeyOfZerosFromNone(t *testing.T) {
	table := agg.New[pair, tally](8)
	if key := (pair{}); table.Near(0).Holds(0, &key) {
		t.Error("got an empty table that holds the key of zeros")
	}
	addTo(table, 0, pair{})
	addTo(table, 0, pair{})
	compare(t, table, &plainly{rows: map[pair]uint64{{}: 2}})
}

func FuzzTable(f *testing.F) {
	f.Add(uint8(4), uint8(1), []byte("abcabcabdefghijk"))
	f.Add(uint8(200), uint8(3), []byte("0123456789abcdefghijklmnopqrstuvwxyz!R0123456789"))
	f.Fuzz(func(t *testing.T, max, spread uint8, keys []byte) {
		table := agg.New[pair, tally](int(max))
		want := &plainly{rows: map[pair]uint64{}, max: int(max)}
		for _, k := range keys {
			if k == 'R' {
				compare(t, table, want)
				table.Reset()
				want = &plainly{rows: map[pair]uint64{}, max: int(max)}
				continue
			}
			key := pair{uint64(k), uint64(k >> 4)}
			hash := uint64(k) % (uint64(spread) + 1) << 30
			want.add(key)
			addTo(table, hash, key)
		}
		compare(t, table, want)
	})
}

func TestTableAllocatesNothingOnceItHasGrown(t *testing.T) {
	table := agg.New[pair, tally](500)
	seed := table.Seed()
	round := func() {
		for i := range uint64(2000) {
			key := pair{i, i}
			addTo(table, seed.HashWords(key[:]), key)
		}
		table.Each(func(_ *pair, c *tally) { c[0]++ })
		table.Reset()
	}
	round()
	if n := testing.AllocsPerRun(20, round); n != 0 {
		t.Errorf("got %v allocations a flush, want 0", n)
	}
}

// A million keys take no more memory than max of them.
func TestTableIsBounded(t *testing.T) {
	const max, keys = 8192, 1_000_000
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	table := agg.New[byTaskKey, byTaskCells](max)
	seed := table.Seed()
	var total uint64
	for i := range uint64(keys) {
		key := byTaskKey{i, i * i, 1}
		table.At(seed.HashWords(key[:]), &key)[0]++
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if got, want := int64(after.HeapAlloc)-int64(before.HeapAlloc), int64(table.Bytes())+1<<17; got > want {
		t.Errorf("got %d bytes, want at most %d", got, want)
	}
	if got, want := table.Bytes(), 32768*64; got != want {
		t.Errorf("got a table of %d bytes, want %d", got, want)
	}
	table.Each(func(key *byTaskKey, c *byTaskCells) {
		total += c[0]
		if key[0] >= max || c[0] != 1 {
			t.Fatalf("got %d of key %v, want the first %d, once each", c[0], *key, max)
		}
	})
	c, _ := table.Overflow()
	if total+c[0] != keys || c[0] != keys-max {
		t.Errorf("got %d in rows and %d beside them, want %d in all", total, c[0], keys)
	}
}

func TestSlotsOfHistogramsAreNotMostlyFree(t *testing.T) {
	table := agg.New[pair, [66]uint64](1000)
	seed := table.Seed()
	for i := range uint64(1000) {
		key := pair{i}
		table.At(seed.HashWords(key[:]), &key)
	}
	if got, want := table.Bytes(), 2048*(8+16+8*66); got != want {
		t.Errorf("got %d bytes, want %d", got, want)
	}
}

func TestPoolGivesBackWhatItWasGiven(t *testing.T) {
	made := 0
	p := agg.Pool[*reused]{New: func() *reused { made++; return new(reused) }}
	for range 10 {
		a, b := p.Take(), p.Take()
		if a.used || b.used || a == b {
			t.Fatal("got an object that is not empty, or one twice")
		}
		a.used, b.used = true, true
		p.Give(a)
		p.Give(b)
	}
	if made != 2 {
		t.Errorf("got %d objects, want 2", made)
	}
}

type reused struct{ used bool }

func (r *reused) Reset() { r.used = false }
