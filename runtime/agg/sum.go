// SPDX-License-Identifier: Apache-2.0

package agg

// A count has no word of its own: it is word 0 of its row, the events. A sum
// and a mean have one, the sum of the argument, which wraps.

// Add adds n to a word: of word 0 the weight; of a bucket the weight; of a sum
// or a mean the argument times the weight. An event's weight is 1, or how many
// events a sampled one stands for.
func Add(word *uint64, n uint64) { *word += n }
