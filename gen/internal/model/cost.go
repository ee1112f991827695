// SPDX-License-Identifier: Apache-2.0

package model

import "fmt"

// What parts of a program cost, in ns, measured on a two-core virtual machine
// (docs/performance.md has the ratios; a machine's own figures come from
// `make bench`).
const (
	costCount  = 2.0  // an atomic addition to a counter of this CPU
	costZero   = 3.0  // zeroing an event
	costClock  = 33.0 // bpf_ktime_get_ns
	costRing   = 25.0 // reserve and submit
	costOutput = 36.0 // bpf_ringbuf_output, which copies
	costHash   = 32.0 // finding a key in a per-CPU hash
	costDense  = 4.0  // finding one in an array
	costBucket = 3.0  // counting in a histogram
	costLimit  = 65.0 // finding a bucket, and the clock
	costChance = 8.0  // a random number

	// These are of programs that run in a loop. One that is run by what happens
	// finds less of itself and of its maps in the caches: by so much, with the
	// grains ask and calls of examples/grains.
	costLive = 2.5
)

// whoCosts are those of the members of struct who, by direct loads.
var whoCosts = map[string]float64{"pid": 1, "tid": 1, "comm": 2, "uid": 2, "ppid": 2, "cgroup": 4}

// Costs is about what an event costs in the kernel, beside what its probe
// does: when it is rejected, counted, sent.
func (e *Event) Costs() string {
	who := func(members []string) (sum float64) {
		for _, m := range members {
			sum += whoCosts[m]
		}
		return sum
	}
	cost := costZero + 2*costCount
	text := ""
	for i, t := range e.Reject {
		cost += t.Cost() + who(t.Who)
		if i == 0 {
			text = fmt.Sprintf("%.0f ns to be rejected by the first question, ", costLive*cost)
		}
	}
	cost += who(e.Who.Tables)
	for _, t := range e.Tables {
		if t.Kernel {
			cost += t.cost()
		}
	}
	if !e.Sent {
		return text + fmt.Sprintf("%.0f ns to be counted", costLive*cost)
	}
	if e.Sample > 0 {
		cost += costChance
	}
	if e.Limit > 0 {
		cost += costLimit
	}
	send := costRing
	if e.Slot {
		send = costOutput
	}
	return text + fmt.Sprintf("%.0f ns to be sent", costLive*(cost+who(e.Who.Sent)+costClock+send+costCount))
}

func (t *Table) cost() float64 {
	cost := costHash
	if t.Dense > 0 {
		cost = costDense
	}
	for _, c := range t.Key {
		cost += c.Expr.Cost()
	}
	for _, c := range t.Cells {
		cost += costCount
		if c.Words > 2 {
			cost += costBucket
		}
	}
	return cost + costCount
}
