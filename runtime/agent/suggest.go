// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"fmt"
	"strings"
)

// unknown says that there is no such thing, and what was probably meant or
// else what there is.
func unknown(noun, name string, known []string) error {
	if near := nearest(name, known); near != "" {
		return fmt.Errorf("unknown %s %q; did you mean %q?", noun, name, near)
	}
	if len(known) == 0 {
		return fmt.Errorf("unknown %s %q; there is none", noun, name)
	}
	return fmt.Errorf("unknown %s %q; known: %s", noun, name, strings.Join(known, ", "))
}

// nearest is the known name that needs the fewest changes to become this one:
// at most a third of its letters, or one. Empty when none is so near.
func nearest(name string, known []string) string {
	best, least := "", max(1, len(name)/3)+1
	for _, k := range known {
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
