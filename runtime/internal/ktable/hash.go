// SPDX-License-Identifier: Apache-2.0

package ktable

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// hash reads hashes with cells for each CPU: many keys in a call, or where the
// kernel refuses that, one.
type hash struct {
	spec   *Spec
	maps   [2]*ebpf.Map // of the generations
	batch  *batch
	single bool // the kernel refuses batches
	sum    []uint64
}

func newHash(s *Spec) *hash {
	return &hash{spec: s, batch: newBatch(s), sum: make([]uint64, s.Words)}
}

// read calls row for each key of a generation, adding up its CPUs, and deletes
// it. No program counts in that generation now.
func (h *hash) read(generation int, row func(key []byte, cells []uint64, past bool)) error {
	m := h.maps[generation]
	h.batch.rewind()
	for !h.single {
		n, err := h.batch.take(m.FD())
		h.tell(n, row)
		switch {
		case err == nil:
		case errors.Is(err, unix.ENOENT):
			return nil // that was all
		case errors.Is(err, unix.ENOSPC):
			h.batch.grow() // a bucket has more keys than there is room for
		case errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EPERM) || errors.Is(err, notSupported):
			h.single = true
		default:
			return fmt.Errorf("read its keys: %w", err)
		}
	}
	h.batch.rewind()
	for {
		n, err := h.batch.takeOne(m)
		h.tell(n, row)
		if errors.Is(err, ebpf.ErrKeyNotExist) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read a key: %w", err)
		}
	}
}

// notSupported is what a kernel says of batches that a map does not have: its
// own ENOTSUPP (include/linux/errno.h).
const notSupported = unix.Errno(524)

// tell calls row for the first n keys of the batch.
func (h *hash) tell(n int, row func(key []byte, cells []uint64, past bool)) {
	size, words := h.spec.KeySize, h.spec.Words
	for i := range n {
		clear(h.sum)
		cells := h.batch.values[i*words*h.spec.CPUs:][:words*h.spec.CPUs]
		for ; len(cells) > 0; cells = cells[words:] {
			if cells[0] != 0 {
				h.spec.Merge(h.sum, cells[:words])
			}
		}
		if h.sum[0] != 0 {
			row(h.batch.keys[i*size:][:size], h.sum, false)
		}
	}
}
