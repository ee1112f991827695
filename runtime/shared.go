// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"errors"
	"fmt"
	"math/bits"
	"os"
	"strconv"
	"strings"

	"github.com/cilium/ebpf"

	"github.com/redsift/ingraind/runtime/internal/ktable"
)

// Shared is what the grains of an agent have in common: the way of events to
// the agent. It is made before any grain is loaded and closed after them.
type Shared struct {
	// Rings are the ring buffers, of Size bytes each. None means that events
	// come through Perf.
	Rings []*ebpf.Map
	Size  int
	Bytes int64 // of all rings, or perf buffers, together
	// Perf is the perf event array; its buffers are opened by its reader.
	Perf *ebpf.Map
	// Sleeping is an array of one 32-bit word that can be mapped: the reader
	// is about to sleep, or asleep.
	Sleeping *ebpf.Map

	outer   *ebpf.Map       // the array of Rings
	barrier *ktable.Barrier // what tables wait with for running programs
}

// SharedOptions say how events travel.
type SharedOptions struct {
	Rings int   // how many ring buffers; 0: see ringCount. CPU n writes to ring n % Rings
	Bytes int64 // of all rings together, at most; 0 means 8 MiB. A ring is a power of two of pages
	Perf  bool  // the perf buffer, also where the kernel has ring buffers
}

const (
	// defaultRingBytes holds some 60,000 events of 128 bytes.
	defaultRingBytes = 8 << 20
	// mostRings is how many there are at most. With more CPUs some share one:
	// the reader looks at each whenever it looks.
	mostRings = 32
	// leastRing is what a ring has at least when there is more than one. A
	// thread that opens files as fast as it can fills it in some 5 ms, and the
	// reader looks every millisecond.
	leastRing = 256 << 10
)

// Share makes what the grains of an agent have in common. Where the kernel
// has no ring buffers, it is for the perf buffer.
func (k *Kernel) Share(o SharedOptions) (*Shared, error) {
	o.Perf = o.Perf || k.RingBuffer() != nil
	return makeShared(o)
}

func makeShared(o SharedOptions) (*Shared, error) {
	s := &Shared{}
	if err := s.make(o, o.Perf); err != nil {
		return nil, errors.Join(fmt.Errorf("make shared maps: %w", err), s.Close())
	}
	return s, nil
}

func (s *Shared) make(o SharedOptions, perf bool) error {
	var err error
	if s.Perf, err = ebpf.NewMap(&ebpf.MapSpec{Name: "ingrain_perf", Type: ebpf.PerfEventArray}); err != nil {
		return err
	}
	if s.Sleeping, err = ebpf.NewMap(&ebpf.MapSpec{
		Name: "ingrain_asleep", Type: ebpf.Array, KeySize: 4, ValueSize: 4, MaxEntries: 1, Flags: mmapable,
	}); err != nil {
		return err
	}
	if s.barrier, err = ktable.NewBarrier(); err != nil {
		return err
	}
	total := o.Bytes
	if total <= 0 {
		total = defaultRingBytes
	}
	s.Bytes = total
	if perf {
		return nil
	}
	count := o.Rings
	if count == 0 {
		cpus, err := usedCPUs()
		if err != nil {
			return err
		}
		count = ringCount(total, cpus)
	}
	if s.Size, err = ringSize(total / int64(count)); err != nil {
		return err
	}
	ring := &ebpf.MapSpec{Name: "ingrain_ring", Type: ebpf.RingBuf, MaxEntries: uint32(s.Size)}
	outer := ringsSpec(&ebpf.MapSpec{Name: "ingrain_rings"}, count, ring)
	if s.outer, err = ebpf.NewMap(outer); err != nil {
		return err
	}
	for i := range count {
		m, err := ebpf.NewMap(ring)
		if err != nil {
			return fmt.Errorf("ring %d of %d bytes: %w", i, s.Size, err)
		}
		s.Rings = append(s.Rings, m)
		if err := s.outer.Put(uint32(i), m); err != nil {
			return err
		}
	}
	return nil
}

// mmapable is BPF_F_MMAPABLE (include/uapi/linux/bpf.h).
const mmapable = 1 << 10

// ringsSpec makes spec describe an array of count rings.
func ringsSpec(spec *ebpf.MapSpec, count int, ring *ebpf.MapSpec) *ebpf.MapSpec {
	spec.Type, spec.KeySize, spec.ValueSize = ebpf.ArrayOfMaps, 4, 4
	spec.MaxEntries, spec.InnerMap = uint32(count), ring
	return spec
}

// ringCount is how many rings total bytes make for so many CPUs: one each, as
// long as a ring is then large enough and there are not too many.
func ringCount(total int64, cpus int) int {
	return int(max(1, min(int64(cpus), mostRings, total/leastRing)))
}

// usedCPUs is how many rings there would be if each CPU that runs had its own.
// Many machines could have far more CPUs than they do, and a ring that nobody
// writes to is memory taken from the others. A CPU that is added later shares a
// ring.
func usedCPUs() (int, error) {
	online, err := os.ReadFile("/sys/devices/system/cpu/online")
	if err != nil {
		return ebpf.PossibleCPU()
	}
	last, err := lastCPU(string(online))
	return last + 1, err
}

// lastCPU is the greatest number in a list such as 0-3,8
// (Documentation/admin-guide/cputopology.rst).
func lastCPU(list string) (int, error) {
	list = strings.TrimSpace(list)
	last, err := strconv.Atoi(list[strings.LastIndexAny(list, "-,")+1:])
	if err != nil || last < 0 {
		return 0, fmt.Errorf("the CPUs that run are %q, which is no list of numbers", list)
	}
	return last, nil
}

// ringSize is the largest size that a ring of at most so many bytes can have:
// pages, a power of two of them (kernel/bpf/ringbuf.c). One page there always is.
func ringSize(most int64) (int, error) {
	page := int64(os.Getpagesize())
	size := page << (bits.Len64(uint64(max(most/page, 1))) - 1)
	if size > 1<<31 {
		return 0, fmt.Errorf("a ring of %d bytes is larger than the 2 GiB that one may have", most)
	}
	return int(size), nil
}

// Close releases the maps; the kernel frees them when no program uses them.
func (s *Shared) Close() error {
	var errs []error
	for _, m := range append(s.Rings, s.outer, s.Perf, s.Sleeping) {
		errs = append(errs, m.Close()) // of a nil map that does nothing
	}
	if s.barrier != nil {
		errs = append(errs, s.barrier.Close())
	}
	return errors.Join(errs...)
}
