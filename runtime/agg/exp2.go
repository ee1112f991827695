// SPDX-License-Identifier: Apache-2.0

package agg

import "math/bits"

// Exp2Bucket is the bucket of x: 0 for values up to 0, k for those in
// [2^(k-1), 2^k). Of an argument of n bits it is at most n.
func Exp2Bucket(x uint64, signed bool) int {
	if signed && int64(x) < 0 {
		return 0
	}
	return bits.Len64(x)
}

// exp2Bounds are the least and the greatest value of bucket i.
func (c *Cell) exp2Bounds(i int) (least, greatest Number) {
	switch {
	case i == 0 && c.Signed:
		return integer(^uint64(0)<<(c.Bits-1), true), integer(0, true)
	case i == 0:
		return integer(0, false), integer(0, false)
	}
	if i == 64 && c.Signed {
		// No int64 is in this bucket: as both bounds its greatest value.
		return integer(sign-1, true), integer(sign-1, true)
	}
	return integer(1<<(i-1), c.Signed), integer(1<<i-1, c.Signed)
}
