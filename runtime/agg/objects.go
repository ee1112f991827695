// SPDX-License-Identifier: Apache-2.0

package agg

import (
	"encoding/binary"
	"math"
)

// Quantiles, Distinct and Top are objects of packages of their own (quantiles,
// distinct, top), so that only agents that use such a cell link them. Their
// words are no state: at a flush generated code has each object write what it
// says there, and rows are made from words as for any other cell.

// Probabilities are those whose quantiles a Quantiles cell says, a word each,
// the bits of a float64.
var Probabilities = [...]float64{0.5, 0.9, 0.95, 0.99}

// Quantile is the i-th of Probabilities as the words of a Quantiles cell say
// it; Null of no events.
func (c *Cell) Quantile(words []uint64, i int) Number {
	if x := math.Float64frombits(words[i]); x == x && c.Kind == Quantiles {
		return FloatNumber(x)
	}
	return Number{}
}

// Items are those of a Top cell. Since they are of no fixed size, they stand
// after the row's other words, and the cell's word says at which.
type Items struct {
	words []uint64
	left  uint64
}

// Items are those whose beginning the cell's word says; all are the words of
// the row, from word 0 on.
func (c *Cell) Items(words, all []uint64) Items {
	at := words[0]
	if c.Kind != Top || at == 0 || at >= uint64(len(all)) {
		return Items{}
	}
	return Items{all[at+1:], all[at]}
}

// Item is a value of a Top cell: it had at least Count-Error events and at most
// Count.
type Item struct {
	Count, Error uint64
	length       int
	words        []uint64
}

// Next is the next item, those of the most events first, and whether there was
// one.
func (i *Items) Next() (Item, bool) {
	if i.left == 0 || len(i.words) < 3 {
		return Item{}, false
	}
	end := 3 + (i.words[2]+7)/8
	if end > uint64(len(i.words)) {
		return Item{}, false
	}
	item := Item{i.words[0], i.words[1], int(i.words[2]), i.words[3:end]}
	i.words = i.words[end:]
	i.left--
	return item, true
}

// Append appends the item's value: its bytes, as they were added.
func (i *Item) Append(dst []byte) []byte {
	start := len(dst)
	for _, w := range i.words {
		dst = binary.LittleEndian.AppendUint64(dst, w)
	}
	return dst[:start+i.length]
}

// Pool keeps the objects of a table that rows do not need at the moment, so
// that their memory is used again. It makes at most as many as the table ever
// had keys at once, and one for its overflow.
type Pool[T interface{ Reset() }] struct {
	New  func() T
	free []T
}

// Take is an empty object.
func (p *Pool[T]) Take() T {
	if n := len(p.free); n > 0 {
		object := p.free[n-1]
		p.free = p.free[:n-1]
		return object
	}
	return p.New()
}

// Give gives one back.
func (p *Pool[T]) Give(object T) {
	object.Reset()
	p.free = append(p.free, object)
}
