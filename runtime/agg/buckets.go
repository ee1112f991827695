// SPDX-License-Identifier: Apache-2.0

package agg

// BoundsBucket is the first bucket whose bound is not less than x, and the
// number of bounds where there is none. Bounds rise.
func BoundsBucket(x uint64, bounds []int64, signed bool) int {
	var flip uint64
	if signed {
		flip = sign
	}
	x ^= flip
	low, n := 0, len(bounds)
	for n > 0 {
		half := n / 2
		if uint64(bounds[low+half])^flip < x {
			low += half + 1
			n -= half + 1
		} else {
			n = half
		}
	}
	return low
}

// bucketsBounds are the least and the greatest value of bucket i; Null where
// there is none.
func (c *Cell) bucketsBounds(i int) (least, greatest Number) {
	if i > 0 {
		least = integer(uint64(c.Bounds[i-1])+1, c.Signed)
	}
	if i < len(c.Bounds) {
		greatest = integer(uint64(c.Bounds[i]), c.Signed)
	}
	return least, greatest
}
