// SPDX-License-Identifier: Apache-2.0

// Package agg has what tables are made of: cells, which count, and the table
// of the agent, which groups by a key.
//
// A row is an array of 64-bit words: word 0 the events, and after it the words
// of each cell (Layout). Programs in the kernel and the agent keep the same
// words, so that states can be merged (Merge) and read (Cell.Value,
// Cell.Histogram, Cell.Quantile, Cell.Items) without knowing whose they are.
//
// What the generator writes for a table of the agent,
//
//	by_task: {of: io, key: {comm: who.comm, uid: who.uid, dev: dev}, cells: {calls: count(), bytes: sum(size)}}
//
// is a key of words, put together in registers, and cells of words. A hash is
// a chain of Mix over the key's words, two at a time, and End:
//
//	type byTask struct {
//		seed  agg.Seed // that of the table
//		table *agg.Table[[3]uint64, [4]uint64]
//	}
//
//	func (g *byTask) Update(r *runtime.Record) {
//		v := IoView{(*[32]byte)(r.Body)}
//		x0, done := agg.Text8(agg.Load8(v.fixed[0:8]))
//		...
//		key := [3]uint64{x0, x1, uint64(v.WhoUID()) | uint64(v.Dev())<<32}
//		hash := g.seed.End(g.seed.Mix(g.seed.Mix(g.seed.Start(), key[0], key[1]), key[2], 0))
//		near := g.table.Near(hash)
//		c := &near.Cells
//		if !near.Holds(hash, &key) {
//			c = g.table.At(hash, &key)
//		}
//		c[0] += weight
//		c[1] += v.Size() * weight
//	}
//
// Three things make that fast. Near and Holds are inlined, which At is not, and
// find most keys. The hash, the key and the cells fill a cache line: cells of
// fewer words than 7 - len(key) get as many. And no number is stored in bytes
// to be loaded again as a part of a word: that the processor has to wait for,
// longer than all the rest takes.
//
// Quantiles, distinct and top keep objects beside the words: a pointer in a
// struct with them, nil at first, taken from a Pool and given back before
// Reset (see the packages quantiles, distinct and top).
package agg
