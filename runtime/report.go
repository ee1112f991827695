// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"context"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/cilium/ebpf"
)

// Report is how a running agent does: its books, and what it costs. It is made
// on the reading goroutine, with some system calls for each program and map.
type Report struct {
	Ledger
	Grains   []string // those that run
	Programs []ProgramCost
	Maps     []MapCost
	// Lag is the longest that an event waited for the reader since the report
	// before this one.
	Lag time.Duration
}

// ProgramCost is what the kernel counted for a program. It does so only while
// its statistics are on (kernel.bpf_stats_enabled, or EnableStats): Runs and
// Time count what happened meanwhile.
type ProgramCost struct {
	Grain, Probe, Program string

	Runs uint64
	Time time.Duration
}

// MapCost is the kernel's memory of a grain's maps of one name; of no grain
// for those that all share.
type MapCost struct {
	Grain, Map string

	Bytes uint64
}

// Observer serves a running agent's reports; an agent is built with one or none.
type Observer struct {
	Settings []Setting // the first is what it is called with: an address
	Open     func(Settings, Observed) (io.Closer, error)
}

// Observed is what an observer may ask. Report may be called by any goroutine;
// it waits for the reading one, or until ctx is done.
type Observed struct {
	Agent, Version string
	Report         func(ctx context.Context) (Report, error)
	Log            *slog.Logger
}

// report is how the agent does now.
func (s *session) report() Report {
	r := Report{Ledger: s.ledger()}
	if s.intake != nil {
		r.Lag, s.intake.lag = time.Duration(s.intake.lag), 0
	}
	for _, l := range s.loaded {
		r.Grains = append(r.Grains, l.plan.Grain.Name)
		r.Programs, r.Maps = l.cost(r.Programs, r.Maps)
	}
	if s.shared != nil {
		r.Maps = append(r.Maps, MapCost{Map: "rings", Bytes: uint64(s.shared.Bytes)})
	}
	return r
}

// cost appends what the grain's programs and maps take.
func (l *Loaded) cost(programs []ProgramCost, maps []MapCost) ([]ProgramCost, []MapCost) {
	if len(l.collections) == 0 {
		return programs, maps
	}
	name := l.plan.Grain.Name
	for _, c := range l.plan.chosen {
		for _, program := range c.Programs {
			cost := ProgramCost{Grain: name, Probe: l.plan.Grain.Probes[c.probe].Name, Program: program}
			for _, loaded := range l.collections {
				if p := loaded.Programs[program]; p != nil {
					if stats, err := p.Stats(); err == nil {
						cost.Runs, cost.Time = cost.Runs+stats.RunCount, cost.Time+stats.Runtime
					}
				}
			}
			programs = append(programs, cost)
		}
	}
	for _, t := range l.plan.Grain.Tables {
		if made := l.tables[t.Map]; made != nil {
			maps = append(maps, MapCost{name, t.Name, uint64(made.Bytes())})
		}
	}
	first := len(maps)
	for m, made := range l.collections[0].Maps {
		if bytes, ok := l.takes(m, made); ok {
			maps = append(maps, MapCost{name, m, bytes})
		}
	}
	slices.SortFunc(maps[first:], func(a, b MapCost) int { return strings.Compare(a.Map, b.Map) })
	return programs, maps
}

// takes is how much memory a map takes that is neither a table's nor shared.
func (l *Loaded) takes(name string, m *ebpf.Map) (bytes uint64, ok bool) {
	for _, t := range l.tables {
		if t.Has(name) {
			return 0, false
		}
	}
	if name == ringsMap || name == perfMap || name == readerSection {
		return 0, false
	}
	info, err := m.Info()
	if err != nil {
		return 0, false
	}
	return info.Memlock()
}
