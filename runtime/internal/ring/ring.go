// SPDX-License-Identifier: Apache-2.0

package ring

import "sync/atomic"

// Ring is one BPF ring buffer (kernel/bpf/ringbuf.c), read in place. The kernel
// writes records one behind the other, each with a head of 8 bytes, the first
// four of them its length and two flags; positions count bytes since the ring
// was made and never go back. The data is mapped twice in a row, so that no
// record is in two pieces.
//
// Memory ordering. Go's atomics are sequentially consistent, so each load here
// also acquires and each store also releases:
//
//   - The load of prod pairs with smp_store_release(&rb->producer_pos) in
//     __bpf_ringbuf_reserve: below the position that is read here, each record
//     has at least its head, with its length and the busy flag.
//   - The load of a head pairs with xchg(&hdr->len) in bpf_ringbuf_commit: when
//     the busy flag is seen cleared, the record's bytes are seen too.
//   - The store to cons pairs with smp_load_acquire(&rb->consumer_pos) in
//     __bpf_ringbuf_reserve: the bytes that are given back have been read before
//     the kernel writes over them.
type Ring struct {
	cons *uint64 // shared: up to where records have been read, ours to write
	prod *uint64 // shared: up to where records have been reserved
	data twice   // shared: the records
	size uint64  // of the data, mapped once; a power of two

	at      uint64        // what cons holds
	share   uint64        // after how many bytes to give room back
	end     uint64        // what prod held when Drain began
	filled  uint64        // bytes that were there then
	busy    bool          // Drain stopped at a record that is not complete
	skipped atomic.Uint64 // stretches left out because their lengths made no sense

	// Where a merge is in this ring: in front of a complete record.
	pos    uint64
	behind uint64 // the position behind that record
	time   uint64 // its first eight bytes
	length uint32 // of the record without its head

	fd     int // a descriptor of the map, for ppoll
	unmaps func() error
}

const (
	headSize   = 8
	busyBit    = 1 << 31 // BPF_RINGBUF_BUSY_BIT: reserved, not yet committed
	discardBit = 1 << 30 // BPF_RINGBUF_DISCARD_BIT: committed, not to be read
	lengthMask = discardBit - 1

	// publishEvery is after how many bytes Drain gives room back to the kernel,
	// of a small ring an eighth. The position is on a cache line that the kernel
	// reads for each record.
	publishEvery = 64 << 10
)

// Drain calls handle with each complete record that is in the ring now, in
// order, and returns how many that were. It stops in front of one that a
// program is still writing. The bytes are valid until handle returns. A length
// that cannot be is counted, and everything in front of the producer left out.
func (r *Ring) Drain(handle func(raw []byte)) int {
	if !r.look() {
		return 0
	}
	return r.read(handle)
}

// look takes down what is there now, for read, or for next and turn, and
// reports whether it is anything.
func (r *Ring) look() bool {
	end, at := atomic.LoadUint64(r.prod), r.at
	r.pos, r.end = at, end
	r.filled, r.busy = end-at, false
	if end < at || end-at > r.size {
		r.filled, r.pos = r.size, end
		r.skipped.Add(1)
		r.publish(end)
		return false
	}
	return end != at
}

// read is Drain of what look has seen.
func (r *Ring) read(handle func(raw []byte)) int {
	n, end, at := 0, r.end, r.at
	// Offsets in place of positions: what is there lies in a row, because it is
	// mapped twice.
	data, lap := r.data, at&^(r.size-1)
	at, end = at-lap, end-lap
	for at < end {
		part := at + min(end-at, r.share)
		for at < part {
			head := data.head(at)
			length := head
			if head > lengthMask { // rare: the processor need not wait for a mask
				if head&busyBit != 0 {
					r.busy = true
					r.publish(lap + at)
					return n
				}
				length &= lengthMask
			}
			next := at + uint64(length+headSize+7)&^7
			if next > end {
				r.skipped.Add(1)
				at = end
				break
			}
			body := data.body(at, length)
			at = next
			if length == head {
				handle(body)
				n++
			}
		}
		r.publish(lap + at)
	}
	return n
}

// next goes to the next complete record of what look has seen, and learns its
// time. False means that there is none, or that one is still being written in
// front of it. A time far behind until is none, and counts as the earliest.
func (r *Ring) next(until uint64) bool {
	for r.pos < r.end {
		offset := r.pos & (r.size - 1)
		head := r.data.head(offset)
		if head&busyBit != 0 {
			r.busy = true
			return false
		}
		r.length = head & lengthMask
		r.behind = r.pos + uint64(r.length+headSize+7)&^7
		if r.behind > r.end {
			r.skipped.Add(1)
			r.pos = r.end
			return false
		}
		if r.length == head {
			r.time = r.data.time(offset)
			if r.time > until && r.time-until > unlikely {
				r.time = 0
			}
			return true
		}
		r.pos = r.behind
	}
	return false
}

// turn hands on the record that next went to, and those after it that are not
// later than last. It returns how many that were, and whether next has gone to
// another one.
func (r *Ring) turn(handle func(raw []byte), last, until uint64) (n int, more bool) {
	for {
		body := r.data.body(r.pos&(r.size-1), r.length)
		r.pos = r.behind
		handle(body)
		n++
		if r.pos-r.at >= r.share {
			r.publish(r.pos)
		}
		if !r.next(until) {
			return n, false
		}
		if r.time > last {
			return n, true
		}
	}
}

// publish gives the bytes in front of at back to the kernel.
func (r *Ring) publish(at uint64) {
	if at != r.at {
		atomic.StoreUint64(r.cons, at)
		r.at = at
	}
}

// Pending reports whether the ring holds anything that has not been read,
// complete or not.
func (r *Ring) Pending() bool { return atomic.LoadUint64(r.prod) != r.at }

// Busy reports whether the last Drain stopped at a record that a program was
// still writing.
func (r *Ring) Busy() bool { return r.busy }

// Skipped is how often a Drain met a length that cannot be. Any goroutine may
// ask.
func (r *Ring) Skipped() uint64 { return r.skipped.Load() }

// Size is how many bytes of records and heads the ring has room for.
func (r *Ring) Size() int { return int(r.size) }

// Close unmaps the ring. No slice that Drain gave out may be read any more.
func (r *Ring) Close() error {
	if r.unmaps == nil {
		return nil
	}
	err := r.unmaps()
	r.unmaps, r.data, r.size = nil, twice{}, 0
	return err
}
