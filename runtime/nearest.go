// SPDX-License-Identifier: Apache-2.0

package runtime

// Nearest is the known name that needs the fewest changes to become this one:
// at most a third of its letters, or one. Empty when none is so near.
func Nearest(name string, known []string) string {
	best, least := "", max(1, len(name)/3)+1
	for _, k := range known {
		if max(len(k)-len(name), len(name)-len(k)) >= least {
			continue // it takes as many changes as that
		}
		if d := changes(name, k); d < least {
			best, least = k, d
		}
	}
	return best
}

// changes counts insertions, deletions, replacements and swaps of neighbours
// that turn a into b (the optimal string alignment distance).
func changes(a, b string) int {
	before, last, now := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range now {
		now[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, last, now = last, now, before
		now[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			now[j] = min(last[j]+1, now[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				now[j] = min(now[j], before[j-2]+1)
			}
		}
	}
	return now[len(b)]
}
