// SPDX-License-Identifier: Apache-2.0

package ring

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"unsafe"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// All of this package's use of unsafe is in this file: it looks at mapped
// pages, and at nothing else, as words.

// Open maps the ring buffer m: the page of the consumer's position to write,
// that of the producer's and twice the data to read. It is then read by nobody
// else. m may be closed once it is open.
func Open(m *ebpf.Map) (*Ring, error) {
	if m.Type() != ebpf.RingBuf {
		return nil, fmt.Errorf("map the ring buffer: %v is none", m)
	}
	size, page := int(m.MaxEntries()), os.Getpagesize()
	own, err := m.Clone()
	if err != nil {
		return nil, fmt.Errorf("map the ring buffer: %w", err)
	}
	cons, err := unix.Mmap(own.FD(), 0, page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		own.Close()
		return nil, fmt.Errorf("map the ring buffer's consumer page: %w", err)
	}
	rest, err := unix.Mmap(own.FD(), int64(page), page+2*size, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		own.Close()
		unix.Munmap(cons)
		return nil, fmt.Errorf("map the ring buffer's %d KiB of data: %w", size>>10, err)
	}
	r := ringOver((*uint64)(unsafe.Pointer(&cons[0])), (*uint64)(unsafe.Pointer(&rest[0])), rest[page:])
	r.fd = own.FD()
	r.unmaps = func() error {
		return errors.Join(unix.Munmap(rest), unix.Munmap(cons), own.Close())
	}
	return r, nil
}

// ringOver makes a ring of memory: data is mapped twice in a row, or, in tests,
// looks as if it were. It goes on where the last reader stopped.
func ringOver(cons, prod *uint64, data []byte) *Ring {
	size := uint64(len(data) / 2)
	return &Ring{
		cons:  cons,
		prod:  prod,
		data:  twice{unsafe.Pointer(unsafe.SliceData(data))},
		size:  size,
		share: min(publishEvery, size/8),
		at:    atomic.LoadUint64(cons),
		fd:    -1,
	}
}

// twice is a ring's data, mapped twice in a row.
type twice struct{ first unsafe.Pointer }

// head is the first word of the record at offset, which is a multiple of 8 and
// inside the first mapping.
func (d twice) head(offset uint64) uint32 {
	return atomic.LoadUint32((*uint32)(unsafe.Add(d.first, offset)))
}

// body is what follows that head. The caller has made sure that the record is
// no longer than the ring, so that it ends inside the second mapping.
func (d twice) body(offset uint64, length uint32) []byte {
	return unsafe.Slice((*byte)(unsafe.Add(d.first, offset+headSize)), length)
}

// time is the first eight bytes of that body. Of a shorter one they are
// something else, but they are there: offset is inside the first mapping.
func (d twice) time(offset uint64) uint64 {
	return *(*uint64)(unsafe.Add(d.first, offset+headSize))
}

// Flag is the word ingrain_sleeping of grain.h: not 0 while programs are to
// wake the reader.
type Flag struct {
	word   *atomic.Uint32
	mapped []byte
}

// NewFlag is a flag that no program sees.
func NewFlag() *Flag { return &Flag{word: new(atomic.Uint32)} }

// OpenFlag maps the flag, the first word of m: the section .data.reader, an
// array with BPF_F_MMAPABLE. m may be closed once it is open.
func OpenFlag(m *ebpf.Map) (*Flag, error) {
	mapped, err := unix.Mmap(m.FD(), 0, os.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map the reader's flag: %w", err)
	}
	return &Flag{word: (*atomic.Uint32)(unsafe.Pointer(&mapped[0])), mapped: mapped}, nil
}

// Close unmaps the flag.
func (f *Flag) Close() error {
	if f.mapped == nil {
		return nil
	}
	err := unix.Munmap(f.mapped)
	f.mapped, f.word = nil, new(atomic.Uint32)
	return err
}
