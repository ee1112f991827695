// SPDX-License-Identifier: Apache-2.0

package agg

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
)

// Seed makes the hashes of a table its own: who sends events cannot know it,
// and so cannot choose keys that collide.
type Seed struct{ a, b uint64 }

// NewSeed is a seed that nobody can guess.
func NewSeed() Seed { return Seed{rand.Uint64(), rand.Uint64()} }

// Start is the hash of nothing, into which Mix mixes.
func (s Seed) Start() uint64 { return s.b }

// Mix is the hash h with two more words in it: one multiplication to 128 bits.
// A last word without a second one is mixed with 0, since the words of a key
// are always as many.
func (s Seed) Mix(h, x, y uint64) uint64 {
	high, low := bits.Mul64(x^s.a, y^h)
	return high ^ low
}

// End makes a hash of what Mix has mixed. Without it the last words of keys are
// no more than multiplied by what is the same for many keys, and with some
// seeds keys that count up crowd into few slots.
func (s Seed) End(h uint64) uint64 { return s.Mix(h, 0, 0) }

// HashWords is the hash of words: what generated code writes as a chain of
// Mix, and End.
func (s Seed) HashWords(words []uint64) uint64 {
	h := s.Start()
	for len(words) >= 2 {
		h = s.Mix(h, words[0], words[1])
		words = words[2:]
	}
	if len(words) == 1 {
		h = s.Mix(h, words[0], 0)
	}
	return s.End(h)
}

// HashBytes is a hash of bytes, of any number of them.
func (s Seed) HashBytes(b []byte) uint64 {
	h := s.Start()
	n := uint64(len(b))
	for len(b) >= 16 {
		h = s.Mix(h, binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:]))
		b = b[16:]
	}
	var x uint64
	if len(b) >= 8 {
		x = binary.LittleEndian.Uint64(b)
		b = b[8:]
	}
	// The length tells apart what zeros at the end do not.
	return s.Mix(s.Mix(h, x, rest(b)), n, 0)
}

// rest are up to seven bytes as a word.
func rest(b []byte) uint64 {
	var x uint64
	for i, c := range b {
		x |= uint64(c) << (8 * i)
	}
	return x
}

// Load8 is the word at the beginning of b, for keys: b is at least 8 bytes.
func Load8(b []byte) uint64 { return binary.LittleEndian.Uint64(b) }

// Text8 is a word of text and what follows its first NUL zeroed; done says
// that there was one, and that the words after this are 0.
func Text8(x uint64) (text uint64, done bool) {
	// The lowest bit that is set is the top bit of the first zero byte; those
	// above it may lie.
	zeros := (x - 0x0101010101010101) &^ x & 0x8080808080808080
	if zeros == 0 {
		return x, false
	}
	// Below that byte: as many bits as there are before it.
	return x & (zeros&-zeros>>7 - 1), true
}
