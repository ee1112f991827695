// SPDX-License-Identifier: Apache-2.0

package main

import "slices"

// median of values, of which there is one at least.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	if n%2 == 1 {
		return sorted[n/2]
	}
	return (sorted[n/2-1] + sorted[n/2]) / 2
}

// takeTurns calls each of the ways once in a round, and returns the median of
// what each returned. The first round warms up and does not count.
func takeTurns(rounds int, ways ...func() float64) []float64 {
	values := make([][]float64, len(ways))
	for round := -1; round < rounds; round++ {
		for i, way := range ways {
			v := way()
			if round >= 0 {
				values[i] = append(values[i], v)
			}
		}
	}
	medians := make([]float64, len(ways))
	for i := range ways {
		medians[i] = median(values[i])
	}
	return medians
}
