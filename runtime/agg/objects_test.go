// SPDX-License-Identifier: Apache-2.0

package agg_test

import (
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/redsift/ingraind/runtime/agg"
	"github.com/redsift/ingraind/runtime/agg/distinct"
	"github.com/redsift/ingraind/runtime/agg/quantiles"
	"github.com/redsift/ingraind/runtime/agg/top"
)

// What follows is what the generator writes for
//
//	by_dev: {of: io, key: {dev: dev}, cells: {sizes: quantiles(size), users: distinct(who.uid), often: top(who.uid, 2)}}

type byDevCells struct {
	words     [7]uint64 // events, four of sizes, one of users, one of often
	sizes     *quantiles.Sketch
	users     *distinct.Sketch
	oftenHave *top.Sketch
}

type byDev struct {
	seed  agg.Seed
	table *agg.Table[[1]uint64, byDevCells]

	sizes agg.Pool[*quantiles.Sketch]
	users agg.Pool[*distinct.Sketch]
	often agg.Pool[*top.Sketch]
	words []uint64
}

func newByDev(max int) *byDev {
	g := &byDev{table: agg.New[[1]uint64, byDevCells](max)}
	g.seed = g.table.Seed()
	g.sizes.New = func() *quantiles.Sketch { return new(quantiles.Sketch) }
	g.users.New = func() *distinct.Sketch { return new(distinct.Sketch) }
	g.often.New = func() *top.Sketch { return top.New(2, 8) }
	return g
}

func (g *byDev) update(v ioView, weight uint64) {
	key := [1]uint64{uint64(v.Dev())}
	hash := g.seed.End(g.seed.Mix(g.seed.Start(), key[0], 0))
	near := g.table.Near(hash)
	c := &near.Cells
	if !near.Holds(hash, &key) {
		c = g.table.At(hash, &key)
	}
	if c.sizes == nil {
		c.sizes, c.users, c.oftenHave = g.sizes.Take(), g.users.Take(), g.often.Take()
	}
	c.words[0] += weight
	c.sizes.Add(v.Size(), weight, false)
	uid := g.seed.HashBytes(v.fixed[16:20])
	c.users.Add(uid)
	c.oftenHave.Add(uid, v.fixed[16:20], weight)
}

func (g *byDev) each(row func(dev uint64, words []uint64, overflow bool)) {
	g.table.Each(func(key *[1]uint64, c *byDevCells) { row(key[0], g.read(c), false) })
	if c, some := g.table.Overflow(); some {
		row(0, g.read(c), true)
	}
}

func (g *byDev) read(c *byDevCells) []uint64 {
	c.sizes.Read(c.words[1:5])
	c.users.Read(c.words[5:6])
	c.words[6] = uint64(len(c.words))
	g.words = append(g.words[:0], c.words[:]...)
	g.words = c.oftenHave.Append(g.words)
	return g.words
}

func (g *byDev) reset() {
	g.table.Each(func(_ *[1]uint64, c *byDevCells) { g.give(c) })
	if c, some := g.table.Overflow(); some {
		g.give(c)
	}
	g.table.Reset()
}

func (g *byDev) give(c *byDevCells) {
	g.sizes.Give(c.sizes)
	g.users.Give(c.users)
	g.often.Give(c.oftenHave)
}

func ioOf(uid, dev uint32, size uint64) ioView {
	var b [32]byte
	binary.LittleEndian.PutUint32(b[16:], uid)
	binary.LittleEndian.PutUint32(b[20:], dev)
	binary.LittleEndian.PutUint64(b[24:], size)
	v, _ := newIOView(b[:])
	return v
}

func TestObjectsAreReadFromARowsWords(t *testing.T) {
	cells := []agg.Cell{{Kind: agg.Quantiles}, {Kind: agg.Distinct}, {Kind: agg.Top, N: 2}}
	offsets, _ := agg.Layout(cells)
	g := newByDev(2)
	for range 3 { // Reset leaves nothing behind
		for i := range uint32(30) {
			g.update(ioOf(1000+i%3*i%2, i%3, 40), 2)
			g.update(ioOf(7, i%3, 10), 1)
		}
		var got []string
		g.each(func(dev uint64, words []uint64, overflow bool) {
			p50 := cells[0].Quantile(words[offsets[0]:], 0)
			n := cells[1].Value(words[offsets[1]:], words[0])
			line := fmt.Sprintf("%v %v %d: %s %s", dev, overflow, words[0], p50.Append(nil), n.Append(nil))
			items := cells[2].Items(words[offsets[2]:], words)
			for i, ok := items.Next(); ok; i, ok = items.Next() {
				line += fmt.Sprintf(" %d=%d", binary.LittleEndian.Uint32(i.Append(nil)), i.Count)
			}
			got = append(got, line)
		})
		want := map[string]bool{"0 false 30: 40 2 1000=20 7=10": true, "1 false 30: 40 3 7=10 1000=10": true, "0 true 30: 40 2 1000=20 7=10": true}
		for _, line := range got {
			if !want[line] {
				t.Errorf("got %s, want one of %v", line, want)
			}
		}
		if len(got) != 3 {
			t.Errorf("got %d rows, want 3", len(got))
		}
		g.reset()
	}
}

func TestTablesOfObjectsAllocateNothingOnceTheyHaveGrown(t *testing.T) {
	g := newByDev(50)
	round := func() {
		for i := range uint32(6000) {
			g.update(ioOf(i, i%60, 1000+uint64(i)), 1)
		}
		g.each(func(uint64, []uint64, bool) {})
		g.reset()
	}
	for range 10 {
		round()
	}
	if n := testing.AllocsPerRun(10, round); n != 0 {
		t.Errorf("got %v allocations a flush, want 0", n)
	}
}
