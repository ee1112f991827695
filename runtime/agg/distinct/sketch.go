// SPDX-License-Identifier: Apache-2.0

// Package distinct is the state of a distinct cell: how many different values
// there were. Up to 48 it is exact; beyond that it is HyperLogLog with 2^12
// registers, whose standard error is 1.04/sqrt(2^12) = 1.6 %, and the estimator
// of Otmar Ertl ("New cardinality estimation algorithms for HyperLogLog
// sketches", arXiv 1702.01284, algorithm 6), which needs no tables of biases.
//
// github.com/axiomhq/hyperloglog allocates while it is sparse and when it is
// read, takes 16 KB, and cannot be emptied and used again.
package distinct

import (
	"math"
	"math/bits"
)

const (
	precision = 12
	registers = 1 << precision
	most      = 64 - precision + 1 // the greatest value of a register

	few  = 48 // hashes that are kept
	room = 64 // where they are kept, by open addressing
)

// Sketch is the sketch. Its zero value is empty. It has one owner. It takes 0.5
// KB, and 4 KB more once there were more than 48 values; Reset keeps them.
type Sketch struct {
	kept      int // of hashes; few+1: the registers are in use
	hashes    [room]uint64
	registers *[registers]uint8
}

// Add adds a value by its hash, which should be of a Seed of the process:
// that of the table's keys will do. An event's weight makes no difference.
func (s *Sketch) Add(hash uint64) {
	if s.kept > few {
		s.raise(hash)
		return
	}
	if hash == 0 {
		hash = 1 // 0 is a free place
	}
	i := hash % room
	for s.hashes[i] != 0 {
		if s.hashes[i] == hash {
			return
		}
		i = (i + 1) % room
	}
	if s.kept < few {
		s.hashes[i] = hash
		s.kept++
		return
	}
	s.spread()
	s.raise(hash)
}

// spread puts the hashes that were kept into the registers.
func (s *Sketch) spread() {
	if s.registers == nil {
		s.registers = new([registers]uint8)
	}
	s.kept = few + 1
	for _, hash := range s.hashes {
		if hash != 0 {
			s.raise(hash)
		}
	}
}

func (s *Sketch) raise(hash uint64) {
	r := &s.registers[hash>>(64-precision)]
	// The bit below ends a run of zeros at the hash's end.
	*r = max(*r, uint8(bits.LeadingZeros64(hash<<precision|1<<(precision-1)))+1)
}

// Count is how many values there were.
func (s *Sketch) Count() uint64 {
	if s.kept <= few {
		return uint64(s.kept)
	}
	var of [most + 1]float64 // registers by value
	for _, r := range s.registers {
		of[r]++
	}
	const m = registers
	z := m * tau(1-of[most]/m)
	for k := most - 1; k >= 1; k-- {
		z = (z + of[k]) / 2
	}
	z += m * sigma(of[0]/m)
	return uint64(math.Round(m * m / (2 * math.Ln2) / z))
}

// sigma corrects for registers that are 0.
func sigma(x float64) float64 {
	if x == 1 {
		return math.Inf(1)
	}
	z, y := x, 1.0
	for {
		x *= x
		before := z
		z += x * y
		y += y
		if z == before {
			return z
		}
	}
}

// tau corrects for registers that can rise no more.
func tau(x float64) float64 {
	if x == 0 || x == 1 {
		return 0
	}
	z, y := 1-x, 1.0
	for {
		x = math.Sqrt(x)
		before := z
		y /= 2
		z -= (1 - x) * (1 - x) * y
		if z == before {
			return z / 3
		}
	}
}

// Read writes the count into the cell's word.
func (s *Sketch) Read(words []uint64) { words[0] = s.Count() }

// Merge adds what o has. Both are of hashes of the same seed.
func (s *Sketch) Merge(o *Sketch) {
	if o.kept <= few {
		for _, hash := range o.hashes {
			if hash != 0 {
				s.Add(hash)
			}
		}
		return
	}
	if s.kept <= few {
		s.spread()
	}
	for i, r := range o.registers {
		s.registers[i] = max(s.registers[i], r)
	}
}

// Reset forgets all values. The memory stays.
func (s *Sketch) Reset() {
	if s.kept > few {
		clear(s.registers[:])
	}
	s.kept = 0
	clear(s.hashes[:])
}
