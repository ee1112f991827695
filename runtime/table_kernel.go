// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"github.com/redsift/ingraind/runtime/agg"
	"github.com/redsift/ingraind/runtime/internal/ktable"
)

// kernelSpec describes the maps of a table in the kernel.
func (t *Table) kernelSpec(cpus int, barrier *ktable.Barrier) ktable.Spec {
	var cells []agg.Cell
	for i := range t.Cells {
		cells = append(cells, t.Cells[i].State)
	}
	return ktable.Spec{
		Name: t.Map, KeySize: t.KeySize, Max: t.Max, Dense: t.Dense, Words: t.words(), CPUs: cpus,
		Merge: func(dst, src []uint64) { agg.Merge(cells, dst, src) },
		Key:   t.denseKey,

		Barrier: barrier,
	}
}

// denseKey is the key of a number: its columns are the number's digits, the
// first the most significant.
func (t *Table) denseKey(dst []byte, n int) []byte {
	dst = append(dst, make([]byte, t.KeySize)...)
	for i := len(t.Key) - 1; i >= 0; i-- {
		c := &t.Key[i]
		value := n % c.Count
		n /= c.Count
		for b := range c.Size {
			dst[c.Offset+b] = byte(value >> (8 * b))
		}
	}
	return dst
}
