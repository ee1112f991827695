// SPDX-License-Identifier: Apache-2.0

package agg

// Last has two words: the time of the latest event, in nanoseconds of
// CLOCK_MONOTONIC, and its value.

// SetLast makes a last's two words know x. Of events of the same time the one
// that comes later counts.
func SetLast(time, value *uint64, now, x uint64) {
	if now >= *time {
		*time, *value = now, x
	}
}

// mergeLast keeps the later; of two of the same time the greater, so that the
// order of mergers does not matter.
func mergeLast(dst, src []uint64) {
	if src[0] > dst[0] || src[0] == dst[0] && src[1] > dst[1] {
		dst[0], dst[1] = src[0], src[1]
	}
}
