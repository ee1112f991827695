// SPDX-License-Identifier: Apache-2.0

package ktable

import (
	"fmt"
	"os"
	"sync/atomic"
	"unsafe"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// All of this package's use of unsafe is in this file and in batch.go.

// mapped is the values of an array that are mapped, as words.
type mapped struct {
	raw   []byte
	words []uint64
}

// mapArray maps an array whose values have a multiple of 8 bytes.
func mapArray(m *ebpf.Map) (mapped, error) {
	words, page := int(m.MaxEntries())*int(m.ValueSize())/8, os.Getpagesize()
	size := (8*words + page - 1) / page * page
	raw, err := unix.Mmap(m.FD(), 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return mapped{}, fmt.Errorf("map %d bytes of cells: %w", size, err)
	}
	return mapped{raw, unsafe.Slice((*uint64)(unsafe.Pointer(&raw[0])), words)}, nil // a page is aligned for any word
}

func (m *mapped) close() error {
	if m.raw == nil {
		return nil
	}
	raw := m.raw
	m.raw, m.words = nil, nil
	return unix.Munmap(raw)
}

// shared is what programs and the agent know of a table: struct ingrain_table
// of table.h.
type shared struct {
	mapped
	current *uint32 // the generation that programs count in
}

const (
	sharedSize  = 128
	mostAt      = 1 // the place of its members, in words of 32 bits
	keysWord    = 8 // in words of 64
	refusedWord = 10
)

func openShared(m *ebpf.Map) (shared, error) {
	words, err := mapArray(m)
	if err != nil {
		return shared{}, err
	}
	return shared{words, (*uint32)(unsafe.Pointer(&words.raw[0]))}, nil
}

// setMost is for the time before any program runs.
func (s *shared) setMost(keys int) {
	*(*uint32)(unsafe.Pointer(&s.raw[4*mostAt])) = uint32(keys)
}

func (s *shared) generation() int { return int(atomic.LoadUint32(s.current)) }

// swap makes programs that begin from now on count in the other generation.
func (s *shared) swap() { atomic.StoreUint32(s.current, uint32(1-s.generation())) }

// keys is how many keys a generation's hash has.
func (s *shared) keys(generation int) uint64 {
	return atomic.LoadUint64(&s.words[keysWord+generation])
}

// noKeys says that programs may insert as many keys again. None of them counts
// in that generation now.
func (s *shared) noKeys(generation int) { atomic.StoreUint64(&s.words[keysWord+generation], 0) }

func (s *shared) refused() uint64 { return atomic.LoadUint64(&s.words[refusedWord]) }
