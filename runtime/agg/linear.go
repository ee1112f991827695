// SPDX-License-Identifier: Apache-2.0

package agg

// LinearBucket is the bucket of x among n of the same width, which begin at
// start: 0 below them, 1..n, n+1 above them. A width of 0 counts as 1.
func LinearBucket(x, start, width uint64, n int, signed bool) int {
	if Ordered(x, signed) < Ordered(start, signed) {
		return 0
	}
	// The distance is right in 64 bits, whatever the signs.
	return 1 + int(min((x-start)/max(width, 1), uint64(n)))
}

// linearBounds are the least and the greatest value of bucket i; Null where
// there is none.
func (c *Cell) linearBounds(i int) (least, greatest Number) {
	if i > 0 {
		least = c.linearEdge(i-1, 0)
	}
	if i <= c.N {
		greatest = c.linearEdge(i, 1)
	}
	return least, greatest
}

// linearEdge is start + k*width - less, and the type's greatest value where
// that is beyond it; its least one for the value before it.
func (c *Cell) linearEdge(k int, less uint64) Number {
	start, end := Ordered(uint64(c.Start), c.Signed), ^uint64(0)
	width := max(uint64(c.Width), 1)
	at := end
	if uint64(k) <= (end-start)/width {
		at = start + uint64(k)*width
		at -= min(at, less)
	}
	return integer(Unordered(at, c.Signed), c.Signed)
}
