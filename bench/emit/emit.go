// SPDX-License-Identifier: Apache-2.0

// Package emit sends events as grains do, for those who measure what that
// costs. Its object is made of bpf/emit.bpf.c, with clang, by
//
//	GOPACKAGE=emit go tool bpf2go -cc clang-19 -strip llvm-strip-19 -target bpfel emit bpf/emit.bpf.c -- -O2 -mcpu=v3 -D__TARGET_ARCH_x86 -I../../bpf/include
//
// The architecture matters only to parts of the headers that are not used.
package emit

import (
	"fmt"
	"os"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// RecordSize is the room that an event takes in a ring.
const RecordSize = 8 + 16 + 40 + 8

// Sender is programs that send events, and the rings that they send into.
type Sender struct {
	objects *ebpf.Collection
	rings   []*ebpf.Map
}

// New makes a sender into so many rings of size bytes each, of which CPU n uses
// ring n % rings. It needs root.
func New(rings, size int) (*Sender, error) {
	s := &Sender{}
	if err := s.load(rings, size); err != nil {
		s.Close()
		return nil, fmt.Errorf("load the programs that send events (needs root): %w", err)
	}
	return s, nil
}

func (s *Sender) load(rings, size int) error {
	spec, err := loadEmit()
	if err != nil {
		return err
	}
	// struct ingrain_agent of bpf/include/ingrain.h.
	agent := struct {
		Rings   uint32
		Grain   uint16
		Atomics uint8
		Alone   uint8
	}{Rings: uint32(rings), Atomics: 1, Alone: 1}
	if err := spec.Variables["ingrain_agent"].Set(agent); err != nil {
		return err
	}
	spec.Maps[emitMapNaiveRing].MaxEntries = uint32(size)
	outer := spec.Maps["ingrain_rings"]
	outer.MaxEntries = uint32(rings)
	outer.InnerMap.MaxEntries = uint32(size)
	for i := range rings {
		ring, err := ebpf.NewMap(&ebpf.MapSpec{Type: ebpf.RingBuf, MaxEntries: uint32(size)})
		if err != nil {
			return err
		}
		s.rings = append(s.rings, ring)
		outer.Contents = append(outer.Contents, ebpf.MapKV{Key: uint32(i), Value: ring})
	}
	s.objects, err = ebpf.NewCollection(spec)
	return err
}

// Rings are the rings; they stay the sender's.
func (s *Sender) Rings() []*ebpf.Map { return s.rings }

// Flag is the map of the word that is not 0 while the reader sleeps.
func (s *Sender) Flag() *ebpf.Map { return s.objects.Maps[".data.reader"] }

// Program is what a test run of it does.
type Program string

const (
	Nothing  Program = emitProgNothing  // nothing: what a test run costs
	Bare     Program = emitProgBare     // sends an event that is not filled in
	Adaptive Program = emitProgAdaptive // the same, and wakes the reader as the kernel sees fit
	Emit     Program = emitProgEmit     // sends an event
	Reject   Program = emitProgReject   // counts an event that a condition does not want
	Naive    Program = emitProgNaive    // fills the same event in with helpers, and sends it into a ring for all CPUs
)

// Run runs a program n times on this thread's CPU, or more often, when signals
// interrupt it.
func (s *Sender) Run(p Program, n int) error {
	if _, err := s.objects.Programs[string(p)].Run(&ebpf.RunOptions{Data: make([]byte, 64), Repeat: uint32(n)}); err != nil {
		return fmt.Errorf("send events: %w", err)
	}
	return nil
}

// Counted is how many events were sent and how many of them were lost, so far.
func (s *Sender) Counted() (emitted, lost uint64, err error) {
	var each []emitIngrainCounts
	if err := s.objects.Maps[emitMapIngrainLedger].Lookup(uint32(0), &each); err != nil {
		return 0, 0, fmt.Errorf("read the ledger: %w", err)
	}
	for _, c := range each {
		emitted, lost = emitted+c.Emitted, lost+c.Lost
	}
	return emitted, lost, nil
}

// Empty gives all that the rings hold back to the kernel, unread. No program
// may run meanwhile.
func (s *Sender) Empty() error {
	page := os.Getpagesize()
	for _, ring := range append(s.rings[:len(s.rings):len(s.rings)], s.objects.Maps[emitMapNaiveRing]) {
		ours, err := unix.Mmap(ring.FD(), 0, page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
		if err != nil {
			return fmt.Errorf("map the consumer's position: %w", err)
		}
		theirs, err := unix.Mmap(ring.FD(), int64(page), page, unix.PROT_READ, unix.MAP_SHARED)
		if err == nil {
			copy(ours[:8], theirs[:8])
			unix.Munmap(theirs)
		}
		unix.Munmap(ours)
		if err != nil {
			return fmt.Errorf("map the producer's position: %w", err)
		}
	}
	return nil
}

// Close frees the rings.
func (s *Sender) Close() {
	if s.objects != nil {
		s.objects.Close()
	}
	for _, ring := range s.rings {
		ring.Close()
	}
}
