// SPDX-License-Identifier: Apache-2.0

package ktable

import (
	"errors"
	"fmt"
	"math/bits"
	"os"

	"github.com/cilium/ebpf"
)

const (
	// mostValue is how many bytes a value for each CPU may have
	// (PCPU_MIN_UNIT_SIZE of include/linux/percpu.h).
	mostValue = 32 << 10
	// mostKey is how many bytes a key may have: it stands on a program's stack
	// (MAX_BPF_STACK of include/linux/filter.h).
	mostKey = 512
	// mmapable is BPF_F_MMAPABLE (include/uapi/linux/bpf.h).
	mmapable = 1 << 10
	// lineWords is how many words a cache line has.
	lineWords = 8
)

// check says what no kernel has room for, or a program could not use.
func (s *Spec) check() error {
	switch {
	case s.Words < 1:
		return errors.New("it has no cells, and needs one for its events")
	case 8*s.Words > mostValue:
		return fmt.Errorf("its cells have %d bytes, more than the %d that a kernel keeps for each CPU", 8*s.Words, mostValue)
	case s.CPUs < 1:
		return fmt.Errorf("%d CPUs are none", s.CPUs)
	case s.Merge == nil || s.Dense > 0 && s.Key == nil:
		return errors.New("nobody said how its cells and keys are read")
	case s.Dense < 0 || s.Dense == 0 && s.Max < 1:
		return errors.New("it has no keys")
	case s.Dense > 0 && int64(s.CPUs)*2*int64(s.stride()) > 1<<32-1:
		return fmt.Errorf("%d keys for each of %d CPUs are more than an array has", s.Dense, s.CPUs)
	case s.Dense == 0 && (s.KeySize < 1 || s.KeySize > mostKey || s.KeySize%8 != 0):
		return fmt.Errorf("its keys have %d bytes; a multiple of 8 is wanted, up to %d", s.KeySize, mostKey)
	}
	return nil
}

// checkCPUs makes sure that the kernel writes as many values as there is room
// for.
func (s *Spec) checkCPUs() error {
	possible, err := ebpf.PossibleCPU()
	if err != nil {
		return fmt.Errorf("count CPUs: %w", err)
	}
	if possible != s.CPUs {
		return fmt.Errorf("its cells are for %d CPUs, and %d may exist", s.CPUs, possible)
	}
	return nil
}

// stride is how many rows of cells each CPU has in a generation: one for each
// key of an array, and the overflow's, and as many more as make cache lines
// whole (ingrain_stride of table.h).
func (s *Spec) stride() int {
	whole := lineWords / min(lineWords, 1<<bits.TrailingZeros(uint(s.Words)))
	return (s.Dense + whole) / whole * whole
}

// Bytes is how much of the kernel's memory a table's maps take.
func (s *Spec) Bytes() int64 {
	page, value := int64(os.Getpagesize()), 8*int64(s.Words)
	whole := func(n int64) int64 { return page + (n+page-1)/page*page } // of an array to be mapped: its head has a page
	sum := whole(sharedSize) + whole(int64(s.CPUs)*2*int64(s.stride())*value)
	if s.Dense > 0 {
		return sum
	}
	// kernel/bpf/hashtab.c: struct htab_elem with its key and a pointer, and
	// struct bucket.
	const element, bucket = 48 + 8, 16
	buckets := int64(1) << bits.Len(uint(s.Max-1))
	return sum + 2*(int64(s.Max)*(element+int64(s.KeySize)+int64(s.CPUs)*value)+buckets*bucket)
}

func sharedSpec(s *Spec) (name string, spec *ebpf.MapSpec) {
	return ".data.table." + s.Name, &ebpf.MapSpec{
		Type: ebpf.Array, KeySize: 4, ValueSize: sharedSize, MaxEntries: 1, Flags: mmapable,
	}
}

func rowsSpec(s *Spec) (name string, spec *ebpf.MapSpec) {
	name = "ingrain_over_"
	if s.Dense > 0 {
		name = "ingrain_rows_"
	}
	return name + s.Name, &ebpf.MapSpec{
		Type: ebpf.Array, KeySize: 4, ValueSize: uint32(8 * s.Words), MaxEntries: uint32(s.CPUs * 2 * s.stride()), Flags: mmapable,
	}
}

func hashSpec(s *Spec) *ebpf.MapSpec {
	return &ebpf.MapSpec{
		Type: ebpf.PerCPUHash, KeySize: uint32(s.KeySize), ValueSize: uint32(8 * s.Words), MaxEntries: uint32(s.Max),
	}
}
