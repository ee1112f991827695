// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"slices"
	"sync"
	"sync/atomic"
)

// The sizes of recycled batches. A batch begins in the smallest and moves up
// as it fills, so that what waits for a sink is about as large in memory as
// its rows are. The largest is where a batch is closed, unless its sink is Sized.
const (
	smallBatch  = 1 << 10
	middleBatch = 8 << 10
	largeBatch  = 64 << 10
)

// sharedBatch is a batch that several lanes ship. Nobody writes to it once
// they have it.
type sharedBatch struct {
	Batch
	holders atomic.Int32
	stock   *batchStock
}

// release gives up one lane's hold; the last one recycles the batch.
func (b *sharedBatch) release() {
	if b.holders.Add(-1) == 0 {
		b.stock.put(b)
	}
}

// batchStock keeps batches for reuse: at most a few of a size, because what
// an outage piled up should go back to the system.
type batchStock struct {
	mu    sync.Mutex
	free  [3][]*sharedBatch
	large []*sharedBatch // beyond the sizes of free
}

// get is an empty batch with room for n bytes, of one that is to hold most.
func (s *batchStock) get(n, most int) *sharedBatch {
	s.mu.Lock()
	defer s.mu.Unlock()
	shelf, size := batchShelf(n)
	if shelf < 0 {
		return s.getLarge(n, most)
	}
	if free := s.free[shelf]; len(free) > 0 {
		b := free[len(free)-1]
		s.free[shelf] = free[:len(free)-1]
		return b
	}
	return &sharedBatch{Batch: Batch{Bytes: make([]byte, 0, size)}, stock: s}
}

// put takes a batch back that nobody holds any more.
func (s *batchStock) put(b *sharedBatch) {
	const most, mostLarge, worthKeeping = 8, 2, 4 << 20
	b.Batch = Batch{Bytes: b.Bytes[:0]}
	s.mu.Lock()
	defer s.mu.Unlock()
	shelf, size := batchShelf(cap(b.Bytes))
	if shelf < 0 && cap(b.Bytes) <= worthKeeping && len(s.large) < mostLarge {
		s.large = append(s.large, b)
	}
	if shelf < 0 || size != cap(b.Bytes) {
		return
	}
	if len(s.free[shelf]) < most {
		s.free[shelf] = append(s.free[shelf], b)
	}
}

// getLarge is get for more than largeBatch: four times as much each time, up to
// most, so that what is copied while a batch grows is a third of it. mu is held.
func (s *batchStock) getLarge(n, most int) *sharedBatch {
	size := largeBatch
	for size < n {
		size *= 4
	}
	size = max(n, min(size, most))
	for i, b := range s.large {
		if cap(b.Bytes) >= size {
			s.large = slices.Delete(s.large, i, i+1)
			return b
		}
	}
	return &sharedBatch{Batch: Batch{Bytes: make([]byte, 0, size)}, stock: s}
}

// batchShelf finds the size that holds n bytes; -1 says that none does.
func batchShelf(n int) (shelf, size int) {
	for shelf, size := range [...]int{smallBatch, middleBatch, largeBatch} {
		if n <= size {
			return shelf, size
		}
	}
	return -1, n
}
