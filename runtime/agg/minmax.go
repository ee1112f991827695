// SPDX-License-Identifier: Apache-2.0

package agg

// Min and max have one word each, in which the greater of two states is their
// merger and 0 is the state of no events: of max the greatest Ordered(x), of
// min the greatest ^Ordered(x).

const sign = 1 << 63

// Ordered are bits that compare, as a uint64, as x does.
func Ordered(x uint64, signed bool) uint64 {
	if signed {
		return x ^ sign
	}
	return x
}

// Unordered is the x of Ordered(x).
func Unordered(x uint64, signed bool) uint64 { return Ordered(x, signed) }

// RaiseMin makes a min's word know x.
func RaiseMin(word *uint64, x uint64, signed bool) { *word = max(*word, ^Ordered(x, signed)) }

// RaiseMax makes a max's word know x.
func RaiseMax(word *uint64, x uint64, signed bool) { *word = max(*word, Ordered(x, signed)) }
