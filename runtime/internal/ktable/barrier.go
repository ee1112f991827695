// SPDX-License-Identifier: Apache-2.0

package ktable

import (
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/cilium/ebpf"
)

// Barrier waits for the programs that are running. User space has no call for
// that, but one that does it: whoever puts a map into an array of maps is
// answered when no program can use the map any more that was there before
// (kernel/bpf/syscall.c, maybe_wait_bpf_programs: synchronize_rcu). For
// programs that may sleep that is not true; they have no tables.
//
// One goroutine at a time may wait; any may ask for the time.
type Barrier struct {
	outer, inner *ebpf.Map
	begun        atomic.Uint64 // how many waits have begun
	done         uint64        // the last of them that has ended well
}

// NewBarrier makes the maps it takes.
func NewBarrier() (*Barrier, error) {
	b := &Barrier{}
	inner := &ebpf.MapSpec{Name: "ingrain_none", Type: ebpf.Array, KeySize: 4, ValueSize: 4, MaxEntries: 1}
	var err error
	if b.inner, err = ebpf.NewMap(inner); err == nil {
		b.outer, err = ebpf.NewMap(&ebpf.MapSpec{
			Name: "ingrain_wait", Type: ebpf.ArrayOfMaps, KeySize: 4, ValueSize: 4, MaxEntries: 1, InnerMap: inner,
		})
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make a map to wait with: %w", err), b.Close())
	}
	return b, nil
}

// now is a mark in time for wait.
func (b *Barrier) now() uint64 { return b.begun.Load() }

// wait returns when each program has ended that was running at mark. When
// another wait has begun and ended since, it has done that.
func (b *Barrier) wait(mark uint64) error {
	if b.done > mark {
		return nil
	}
	n := b.begun.Add(1)
	if err := b.outer.Put(uint32(0), b.inner); err != nil {
		return fmt.Errorf("wait for running programs: %w", err)
	}
	b.done = n
	return nil
}

// Close releases the maps.
func (b *Barrier) Close() error { return errors.Join(b.outer.Close(), b.inner.Close()) }
