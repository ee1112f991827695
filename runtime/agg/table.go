// SPDX-License-Identifier: Apache-2.0

package agg

import "unsafe"

// Table groups: cells C by keys K. It has one owner and no lock. A slot holds
// its key's hash, the key and the cells side by side, in one cache line where
// they fit; a key is in the slot that its hash names, or in the first after it
// that was free. Memory grows by doubling, up to what max keys need, and stays:
// of slots of up to 64 bytes less than 8 a key, of larger ones less than 2.7.
type Table[K comparable, C any] struct {
	slots    []Slot[K, C] // a power of two
	mask     uint64       // len(slots) - 1
	taken    int
	limit    int // of taken, with these slots
	max      int
	seed     Seed
	over     bool
	overflow C
}

// Slot is the place of a key and its cells.
type Slot[K comparable, C any] struct {
	hash  uint64 // 0: free
	key   K
	Cells C
}

// A slot of line bytes is a cache line. To look at the next slot costs more
// than many first looks, since the processor has not foreseen it; so tables of
// slots that small are far from full, and begin with some.
const (
	line     = 64
	smallest = 16   // how many slots a table begins with
	sparse   = 1024 // and one of slots up to a line
)

// New is a table of up to max keys.
func New[K comparable, C any](max int) *Table[K, C] {
	t := &Table[K, C]{max: max, seed: NewSeed()}
	n := smallest
	if unsafe.Sizeof(Slot[K, C]{}) <= line {
		n = sparse
	}
	t.resize(n)
	return t
}

// Seed is for hashing the table's keys.
func (t *Table[K, C]) Seed() Seed { return t.seed }

// Len is how many keys the table has.
func (t *Table[K, C]) Len() int { return t.taken }

// Bytes is how much memory the slots take; with max keys it is at its greatest.
func (t *Table[K, C]) Bytes() int { return len(t.slots) * int(unsafe.Sizeof(Slot[K, C]{})) }

// At are the cells of a key, whose hash is hash: zeros when the key is new, and
// the overflow cells when there is no room for one more. They are the caller's
// until the next call of At or Reset.
func (t *Table[K, C]) At(hash uint64, key *K) *C {
	hash |= 1
	for i := hash >> 32 & t.mask; ; i = (i + 1) & t.mask {
		s := &t.slots[i]
		if s.hash == hash && s.key == *key {
			return &s.Cells
		}
		if s.hash == 0 {
			return t.insert(hash, i, key)
		}
	}
}

// Near is the slot where a key of this hash most often is. It is for asking
// Holds; both are inlined, which At is not.
func (t *Table[K, C]) Near(hash uint64) *Slot[K, C] { return &t.slots[hash>>32&t.mask] }

// Holds says whether the slot is that of key, whose hash is hash.
func (s *Slot[K, C]) Holds(hash uint64, key *K) bool { return s.hash == hash|1 && s.key == *key }

// insert gives a new key the free slot i.
func (t *Table[K, C]) insert(hash, i uint64, key *K) *C {
	if t.taken >= t.max {
		t.over = true
		return &t.overflow
	}
	if t.taken >= t.limit {
		t.resize(2 * len(t.slots))
		i = t.free(hash)
	}
	t.taken++
	s := &t.slots[i]
	s.hash, s.key = hash, *key
	return &s.Cells
}

// free is the slot for a hash that the table does not have.
func (t *Table[K, C]) free(hash uint64) uint64 {
	i := hash >> 32 & t.mask
	for t.slots[i].hash != 0 {
		i = (i + 1) & t.mask
	}
	return i
}

func (t *Table[K, C]) resize(n int) {
	old := t.slots
	t.slots, t.mask = make([]Slot[K, C], n), uint64(n-1)
	t.limit = n / 4 * 3
	if unsafe.Sizeof(Slot[K, C]{}) <= line {
		t.limit = n / 4
	}
	for i := range old {
		if s := &old[i]; s.hash != 0 {
			t.slots[t.free(s.hash)] = *s
		}
	}
}

// Overflow are the cells of all keys that had no room, and whether there were
// any.
func (t *Table[K, C]) Overflow() (*C, bool) { return &t.overflow, t.over }

// Each calls f with every key and its cells, in no order, but not with the
// overflow cells. f may change the cells.
func (t *Table[K, C]) Each(f func(key *K, cells *C)) {
	for i := range t.slots {
		if s := &t.slots[i]; s.hash != 0 {
			f(&s.key, &s.Cells)
		}
	}
}

// Reset forgets all keys and cells. The memory stays.
func (t *Table[K, C]) Reset() {
	// Slots that were never taken are not written to: they may not even be
	// memory yet.
	for i := range t.slots {
		if s := &t.slots[i]; s.hash != 0 {
			*s = Slot[K, C]{}
		}
	}
	var none C
	t.taken, t.over, t.overflow = 0, false, none
}
