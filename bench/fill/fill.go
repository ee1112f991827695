// SPDX-License-Identifier: Apache-2.0

// Package fill puts records into a ring of the kernel, for those who measure
// what reading them costs. Its object is made of bpf/fill.bpf.c, with clang, by
//
//	GOPACKAGE=fill go tool bpf2go -cc clang-19 -strip llvm-strip-19 -target bpfel fill bpf/fill.bpf.c -- -O2 -I../../bpf/include
package fill

import (
	"fmt"

	"github.com/cilium/ebpf"
)

// Ring is a ring buffer with a program that writes to it.
type Ring struct {
	objects fillObjects
}

// New makes a ring of 8 MiB. It needs root.
func New() (*Ring, error) {
	r := &Ring{}
	if err := loadFillObjects(&r.objects, nil); err != nil {
		return nil, fmt.Errorf("load the program that fills a ring (needs root): %w", err)
	}
	return r, nil
}

// Map is the ring buffer. It stays the Ring's.
func (r *Ring) Map() *ebpf.Map { return r.objects.Ring }

// Fill writes n records of 64 bytes, and wakes nobody. What finds no room is
// lost: 8 MiB hold 116,508 of them.
func (r *Ring) Fill(n int) error {
	_, err := r.objects.Fill.Run(&ebpf.RunOptions{Data: make([]byte, 64), Repeat: uint32(n)})
	if err != nil {
		return fmt.Errorf("fill a ring: %w", err)
	}
	return nil
}

// Close frees the ring.
func (r *Ring) Close() error { return r.objects.Close() }
