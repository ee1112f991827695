// SPDX-License-Identifier: Apache-2.0

package agg

import "strconv"

// Kind says what a cell counts.
type Kind uint8

// The kinds, in the order of the documents. Those up to Buckets live in words,
// in the kernel or in the agent; the others in the agent only, as objects
// beside the words.
const (
	Count Kind = iota
	Sum
	Mean
	Min
	Max
	Last
	Exp2
	Linear
	Buckets
	Quantiles
	Distinct
	Top
)

var kinds = [...]string{"count", "sum", "mean", "min", "max", "last", "exp2", "linear", "buckets", "quantiles", "distinct", "top"}

// String is the kind as the YAML writes it.
func (k Kind) String() string {
	if int(k) < len(kinds) {
		return kinds[k]
	}
	return "kind(" + strconv.Itoa(int(k)) + ")"
}

// Cell is one counter of a table: its kind, and what the kind wants to know.
type Cell struct {
	Kind   Kind
	Signed bool    // the argument is signed
	Bits   int     // of the argument, 8..64, for Exp2
	Start  int64   // of Linear: where its buckets begin; the bits of a uint64 when !Signed
	Width  int64   // of Linear: of each bucket; the bits of a uint64
	N      int     // of Linear: how many buckets; of Top: how many values
	Bounds []int64 // of Buckets: rising; the bits of a uint64 each when !Signed
}

// Words is how many 64-bit words the cell has to itself.
func (c *Cell) Words() int {
	switch c.Kind {
	case Sum, Mean, Min, Max:
		return 1
	case Last:
		return 2
	case Exp2:
		return c.Bits + 1
	case Linear:
		return c.N + 2
	case Buckets:
		return len(c.Bounds) + 1
	case Quantiles:
		return len(Probabilities)
	case Distinct, Top:
		return 1
	}
	return 0
}

// Layout is where each cell's words begin, and how many words a row has, its
// word 0 included: the events. A count has no words; its offset is 0.
func Layout(cells []Cell) (offsets []int, words int) {
	offsets = make([]int, len(cells))
	words = 1
	for i := range cells {
		if cells[i].Kind != Count {
			offsets[i] = words
		}
		words += cells[i].Words()
	}
	return offsets, words
}

// Merge adds the words src, of another CPU, say, to dst. It does not depend on
// the order in which states are merged. What lives in objects (Quantiles,
// Distinct, Top) is not in words and not merged here.
func Merge(cells []Cell, dst, src []uint64) {
	dst[0] += src[0]
	at := 1
	for i := range cells {
		c := &cells[i]
		end := at + c.Words()
		d, s := dst[at:end], src[at:end]
		at = end
		switch c.Kind {
		case Sum, Mean, Exp2, Linear, Buckets:
			for k, n := range s {
				d[k] += n
			}
		case Min, Max:
			d[0] = max(d[0], s[0])
		case Last:
			mergeLast(d, s)
		}
	}
}
