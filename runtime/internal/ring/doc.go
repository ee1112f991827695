// SPDX-License-Identifier: Apache-2.0

// Package ring is the reading side of the transport: records on their way from
// eBPF programs to the agent.
//
// A Source is where one goroutine reads them. Reader is the usual one, over
// mapped ring buffers, without a copy or a system call while it is busy; Perf
// is the older one. bpf/include/grain.h is the other side of both.
//
//	for running {
//		source.Drain(handle)
//		source.Wait(flush)
//	}
package ring

// Source hands on records. Drain and Wait belong to one goroutine, and so does
// Close, after the last of them has returned; Wake and Lost may be called from
// any goroutine at any time.
type Source interface {
	// Drain calls handle with each record that is there, in the order of its
	// ring, and returns how many that were. The bytes belong to the kernel and
	// are valid until handle returns. Drain does not block, and ends even while
	// records come faster than they are handled.
	Drain(handle func(raw []byte)) int

	// Wait returns when it is time for Drain again, and may block until then:
	// while records come for one tick, else until one comes or Wake is called,
	// and never longer than a second. Before it blocks for longer than a tick
	// it calls beforeSleep, once for all that was drained since it last did:
	// what should not lie around while nothing happens is sent on there.
	Wait(beforeSleep func())

	// Wake makes the Wait that blocks, or else the next one that would, return
	// at once.
	Wake()

	// Lost is how many records could not be read although the kernel has
	// written them. What the kernel had no room for is not among them: the
	// program that met a full buffer has counted it in its grain's ledger.
	Lost() uint64

	// Close gives back memory and descriptors. Nothing may be called after it
	// but Wake, which then does nothing, and Lost.
	Close() error
}
