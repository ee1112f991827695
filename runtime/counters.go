// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"encoding/binary"
	"fmt"

	"github.com/cilium/ebpf"
)

// EventBooks appends what the kernel has counted for each kind of event of
// the grain, in the order of Grain.Events. It allocates and makes a system
// call for each: now and then, not for each event. Books may be read until
// Close.
func (l *Loaded) EventBooks(dst []EventBooks) ([]EventBooks, error) {
	g := l.plan.Grain
	for i := range g.Events {
		sum, err := sumCPUs(l.books[ledgerMap], uint32(i))
		if err != nil {
			return dst, fmt.Errorf("%s: ledger of %s: %w", g.Name, g.Events[i].Name, err)
		}
		dst = append(dst, EventBooks{
			Grain: g.Name, Event: g.Events[i].Name,
			// struct ingrain_counts
			Seen: sum[0], Rejected: sum[1], SampledOut: sum[2], Limited: sum[3], TableOnly: sum[4],
			Emitted: sum[5], Lost: sum[6], Errors: sum[7],
		})
	}
	return dst, nil
}

// ProbeBooks appends what each probe of the grain has counted, likewise.
func (l *Loaded) ProbeBooks(dst []ProbeBooks) ([]ProbeBooks, error) {
	g := l.plan.Grain
	skipped := l.skips()
	for i := range g.Probes {
		sum, err := sumCPUs(l.books[missedMap], uint32(i))
		if err != nil {
			return dst, fmt.Errorf("%s: ledger of %s: %w", g.Name, g.Probes[i].Name, err)
		}
		dst = append(dst, ProbeBooks{
			Grain: g.Name, Probe: g.Probes[i].Name,
			Compat: sum[0], Missed: skipped[i] + sum[1], // struct ingrain_missed
		})
	}
	return dst, nil
}

// skips is how often the kernel did not run a program, for each probe.
func (l *Loaded) skips() []uint64 {
	all := append([]uint64(nil), l.skipped...)
	for _, a := range l.links {
		all[a.probe] += a.missed()
	}
	for _, c := range l.plan.chosen {
		all[c.probe] += l.recursions(c)
	}
	return all
}

// recursions is how often the programs of a choice were skipped because they,
// or with kprobes any program, ran on that CPU already.
func (l *Loaded) recursions(c choice) uint64 {
	var sum uint64
	for _, loaded := range l.collections {
		for _, name := range c.Programs {
			if program := loaded.Programs[name]; program != nil {
				if stats, err := program.Stats(); err == nil {
					sum += stats.RecursionMisses
				}
			}
		}
	}
	return sum
}

// sumCPUs adds up a per-CPU array's structures of 64-bit counters.
func sumCPUs(m *ebpf.Map, index uint32) ([]uint64, error) {
	var cpus [][]byte
	if err := m.Lookup(index, &cpus); err != nil {
		return nil, err
	}
	sum := make([]uint64, m.ValueSize()/8)
	for _, raw := range cpus {
		for i := 0; i+8 <= len(raw) && i/8 < len(sum); i += 8 {
			sum[i/8] += binary.NativeEndian.Uint64(raw[i:])
		}
	}
	return sum, nil
}
