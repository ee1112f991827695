// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"

	"github.com/redsift/ingraind/bench/emit"
)

// emitting measures what an event costs inside a program, without what a
// program that does nothing costs: filled in and sent, against helpers that
// fill the same in; and rejected by a condition, against sent.
func emitting(b *bench) ([]row, error) {
	const events, rings, size = 100_000, 1, 16 << 20 // room for all of a turn: nobody reads
	s, err := emit.New(rings, size)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	var errs []error
	way := func(p emit.Program) func() float64 {
		return func() float64 {
			ns, err := sendOn(s, p, events, []int{0})
			errs = append(errs, err)
			return ns
		}
	}
	ns := takeTurns(max(b.rounds(99), 15), way(emit.Nothing), way(emit.Emit), way(emit.Naive), way(emit.Reject))
	ours, naive, rejected := ns[1]-ns[0], ns[2]-ns[0], ns[3]-ns[0]
	return []row{
		compared("event of 64 bytes, filled in and sent, against helpers and one ring", "ns/event", ours, naive, 0.45),
		compared("event that a condition rejects, against one that is sent", "ns/event", rejected, ours, 0.10),
	}, errors.Join(errs...)
}
