// SPDX-License-Identifier: Apache-2.0

package agg

// Histogram is a view on the words of an Exp2, Linear or Buckets cell.
type Histogram struct {
	cell  *Cell
	words []uint64
}

// Bucket is a part of a histogram: how many events had a value from Least to
// Greatest, both included. Greatest, what documents call le, is Null for the
// last bucket of Linear and Buckets, Least for their first.
type Bucket struct {
	Least, Greatest Number
	N               uint64
}

// Histogram is a view on words, which are the cell's own. Of a cell of another
// kind it has no buckets.
func (c *Cell) Histogram(words []uint64) Histogram {
	switch c.Kind {
	case Exp2, Linear, Buckets:
		return Histogram{c, words[:c.Words()]}
	}
	return Histogram{cell: c}
}

// Len is the number of buckets, the empty ones included.
func (h Histogram) Len() int { return len(h.words) }

// Bucket is the i-th; their values rise. Those that list histograms leave out
// the ones whose N is 0, except where buckets are cumulative.
func (h Histogram) Bucket(i int) Bucket {
	b := Bucket{N: h.words[i]}
	switch h.cell.Kind {
	case Exp2:
		b.Least, b.Greatest = h.cell.exp2Bounds(i)
	case Linear:
		b.Least, b.Greatest = h.cell.linearBounds(i)
	case Buckets:
		b.Least, b.Greatest = h.cell.bucketsBounds(i)
	}
	return b
}

// N is how many events bucket i has.
func (h Histogram) N(i int) uint64 { return h.words[i] }

// Total is how many events all buckets have.
func (h Histogram) Total() uint64 {
	var n uint64
	for _, b := range h.words {
		n += b
	}
	return n
}

// Append appends the buckets that have events as JSON:
// [{"le":1023,"n":2},{"le":null,"n":1}].
func (h Histogram) Append(dst []byte) []byte {
	dst = append(dst, '[')
	first := true
	for i, n := range h.words {
		if n == 0 {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(dst, `{"le":`...)
		dst = h.Bucket(i).Greatest.Append(dst)
		dst = append(dst, `,"n":`...)
		dst = integer(n, false).Append(dst)
		dst = append(dst, '}')
	}
	return append(dst, ']')
}
