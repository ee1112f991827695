// SPDX-License-Identifier: Apache-2.0

package ring

import (
	"errors"
	"os"
	"testing"
	"time"

	"github.com/cilium/ebpf/ringbuf"
)

// BenchmarkDrain compares the ways to read records of 64 bytes that lie in a
// ring of the kernel, two fields of each looked at; an operation is a record.
func BenchmarkDrain(b *testing.B) {
	const batch = 50_000
	past := time.Unix(1, 0)
	var sum uint64
	look := func(raw []byte) { sum += uint64(raw[12]) + uint64(raw[40]) }

	bench := func(name string, read func(b *testing.B, p *programs) (drain func() int)) {
		b.Run(name, func(b *testing.B) {
			p := load(b, 1, 8<<20)
			drain := read(b, p)
			b.ReportAllocs()
			b.ResetTimer()
			for left := b.N; left > 0; left -= batch {
				n := min(left, batch)
				b.StopTimer()
				run(b, p.Fill, order{}, n)
				b.StartTimer()
				if got := drain(); got != n {
					b.Fatalf("drained %d of %d records", got, n)
				}
			}
		})
	}
	bench("Ring", func(b *testing.B, p *programs) func() int {
		r, err := Open(p.rings[0])
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { r.Close() })
		return func() int { return r.Drain(look) }
	})
	bench("Reader", func(b *testing.B, p *programs) func() int {
		r := p.openReader(b, Options{})
		return func() int { return r.Drain(look) }
	})
	bench("ReadInto", func(b *testing.B, p *programs) func() int {
		r, err := ringbuf.NewReader(p.rings[0])
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { r.Close() })
		r.SetDeadline(past)
		var record ringbuf.Record
		return func() (n int) {
			for {
				err := r.ReadInto(&record)
				if errors.Is(err, os.ErrDeadlineExceeded) {
					return n
				}
				look(record.RawSample)
				n++
			}
		}
	})
	bench("Read", func(b *testing.B, p *programs) func() int {
		r, err := ringbuf.NewReader(p.rings[0])
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { r.Close() })
		r.SetDeadline(past)
		return func() (n int) {
			for {
				record, err := r.Read()
				if errors.Is(err, os.ErrDeadlineExceeded) {
					return n
				}
				look(record.RawSample)
				n++
			}
		}
	})
	if sum == 0 && b.N > 1 {
		b.Fatal("nothing was read")
	}
}
