// SPDX-License-Identifier: Apache-2.0

// Package top is the state of a top cell: the values that most events had. It
// is Space-Saving (Metwally, Agrawal, El Abbadi: "Efficient computation of
// frequent and top-k elements in data streams", ICDT 2005): a fixed number of
// counters, of which the least is given to a value that has none, and goes on
// from where it was. No counter is too low, none is too high by more than its
// Error, and none by more than all events over the number of counters; so with
// as many values as counters or fewer all are exact.
package top

import (
	"encoding/binary"
	"slices"
)

// Sketch is the sketch. It has one owner. Of n values it takes 4n counters of
// 40 bytes and size bytes of text each, and at most 16n bytes of index; Reset
// keeps them.
type Sketch struct {
	n, size  int
	counters []counter // a heap: the least comes first
	index    []uint16  // open addressing by hash: place in counters + 1, 0: free
	text     []byte    // size bytes for each counter
	order    []uint16  // for reading
}

type counter struct {
	hash, count, over uint64
	slot              uint32 // in index
	text              uint16 // which of the parts of text is its
	length            uint16
}

// Most is the greatest n: places are 16 bits wide.
const Most = 1 << 12

// New is a sketch of the n values that most events had, of each of which the
// first size bytes are kept. n is at least 1 and at most Most.
func New(n, size int) *Sketch {
	n = min(max(n, 1), Most)
	size = min(max(size, 0), 1<<16-1)
	places := 8
	for places < 8*n {
		places *= 2
	}
	return &Sketch{
		n: n, size: size,
		counters: make([]counter, 0, 4*n),
		index:    make([]uint16, places),
		text:     make([]byte, 4*n*size),
		order:    make([]uint16, 0, 4*n),
	}
}

// Add adds a value, as if it had come weight times. Values are told apart by
// their hash, which is of a Seed of the process and of all their bytes.
func (s *Sketch) Add(hash uint64, value []byte, weight uint64) {
	mask := uint32(len(s.index) - 1)
	slot := uint32(hash>>32) & mask
	for s.index[slot] != 0 {
		if i := int(s.index[slot]) - 1; s.counters[i].hash == hash {
			s.counters[i].count += weight
			s.down(i)
			return
		}
		slot = (slot + 1) & mask
	}
	if len(s.counters) < cap(s.counters) {
		i := len(s.counters)
		s.counters = append(s.counters, counter{hash: hash, count: weight, slot: slot, text: uint16(i)})
		s.keep(&s.counters[i], value)
		s.index[slot] = uint16(i + 1)
		s.up(i)
		return
	}
	least := &s.counters[0]
	s.free(least.slot)
	slot = uint32(hash>>32) & mask
	for s.index[slot] != 0 {
		slot = (slot + 1) & mask
	}
	least.hash, least.over, least.slot = hash, least.count, slot
	least.count += weight
	s.keep(least, value)
	s.index[slot] = 1
	s.down(0)
}

func (s *Sketch) keep(c *counter, value []byte) {
	at := int(c.text) * s.size
	c.length = uint16(copy(s.text[at:at+s.size], value))
}

// free takes a place out of the index and moves those after it that could not
// be found any more.
func (s *Sketch) free(slot uint32) {
	mask := uint32(len(s.index) - 1)
	for next := (slot + 1) & mask; s.index[next] != 0; next = (next + 1) & mask {
		c := &s.counters[s.index[next]-1]
		home := uint32(c.hash>>32) & mask
		// Its home lies after the gap: it is found as before.
		if (next-home)&mask < (next-slot)&mask {
			continue
		}
		s.index[slot] = s.index[next]
		c.slot = slot
		slot = next
	}
	s.index[slot] = 0
}

func (s *Sketch) up(i int) {
	for i > 0 && s.counters[i].count < s.counters[(i-1)/2].count {
		s.swap(i, (i-1)/2)
		i = (i - 1) / 2
	}
}

func (s *Sketch) down(i int) {
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(s.counters); child++ {
			if s.counters[child].count < s.counters[least].count {
				least = child
			}
		}
		if least == i {
			return
		}
		s.swap(i, least)
		i = least
	}
}

func (s *Sketch) swap(i, j int) {
	c := s.counters
	c[i], c[j] = c[j], c[i]
	s.index[c[i].slot], s.index[c[j].slot] = uint16(i+1), uint16(j+1)
}

// Append appends the cell's items as words: their number, and of each its
// count, its error, its length in bytes, and these, padded with zeros to whole
// words. Those of the most events come first.
func (s *Sketch) Append(words []uint64) []uint64 {
	s.order = s.order[:0]
	for i := range s.counters {
		s.order = append(s.order, uint16(i))
	}
	slices.SortFunc(s.order, func(a, b uint16) int { return s.compare(&s.counters[a], &s.counters[b]) })
	items := min(s.n, len(s.order))
	words = append(words, uint64(items))
	for _, i := range s.order[:items] {
		c := &s.counters[i]
		words = append(words, c.count, c.over, uint64(c.length))
		for b := s.bytes(c); len(b) > 0; b = b[min(8, len(b)):] {
			var word [8]byte
			copy(word[:], b)
			words = append(words, binary.LittleEndian.Uint64(word[:]))
		}
	}
	return words
}

// compare orders by count, then by what is certain of it, then by text, so
// that the order does not depend on hashes.
func (s *Sketch) compare(a, b *counter) int {
	switch {
	case a.count != b.count:
		return order(b.count, a.count)
	case a.over != b.over:
		return order(a.over, b.over)
	}
	return slices.Compare(s.bytes(a), s.bytes(b))
}

func order(a, b uint64) int {
	if a < b {
		return -1
	}
	return 1
}

func (s *Sketch) bytes(c *counter) []byte {
	at := int(c.text) * s.size
	return s.text[at : at+int(c.length)]
}

// Reset forgets all values. The memory stays.
func (s *Sketch) Reset() {
	s.counters = s.counters[:0]
	clear(s.index)
}
