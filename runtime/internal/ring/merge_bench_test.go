// SPDX-License-Identifier: Apache-2.0

package ring

import (
	"encoding/binary"
	"fmt"
	"testing"
)

// BenchmarkMerge reads records of 64 bytes that lie in several rings, so that
// each is followed by one of another ring; an operation is a record. The same
// in one ring is what it is compared with.
func BenchmarkMerge(b *testing.B) {
	const batch = 48_000
	for _, rings := range []int{1, 2, 4, 32} {
		b.Run(fmt.Sprintf("%d rings", rings), func(b *testing.B) {
			var all []*memory
			r := &Reader{merger: newMerger(rings)}
			for range rings {
				m := newMemory(8 << 20 / rings)
				all, r.rings = append(all, m), append(r.rings, m.Ring)
			}
			body, sum := make([]byte, 64), uint64(0)
			look := func(raw []byte) { sum += uint64(raw[12]) + uint64(raw[40]) }
			b.ReportAllocs()
			b.ResetTimer()
			for left := b.N; left > 0; left -= batch {
				n := min(left, batch)
				b.StopTimer()
				for i := range n {
					binary.NativeEndian.PutUint64(body, uint64(i))
					all[i%rings].write(body, 0)
				}
				b.StartTimer()
				if got := r.Drain(look); got != n {
					b.Fatalf("drained %d of %d records", got, n)
				}
			}
		})
	}
}
