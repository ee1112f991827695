// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"fmt"
	"slices"
	"strings"

	"github.com/redsift/ingraind/runtime"
)

// appendLedger appends the books as tables, and whether they balance. Those
// of a kernel are left out of a replay's. While the agent is running, events
// may be on their way to it.
func appendLedger(dst []byte, l runtime.Ledger, kernel, running bool) []byte {
	events := eventTable(l.Events, kernel)
	tables := table{{"tables", "rows", "overflow"}}
	for _, t := range l.Tables {
		tables = append(tables, append([]string{"  " + t.Grain + "." + t.Table}, decimals(t.Rows, t.Overflow)...))
	}
	probes := table{{"probes", "compat", "missed"}}
	for _, p := range l.Probes {
		if p.Compat > 0 || p.Missed > 0 {
			probes = append(probes, append([]string{"  " + p.Grain + "." + p.Probe}, decimals(p.Compat, p.Missed)...))
		}
	}
	r := l.Reader
	reader := table{{"reader", "read", "decoded", "undecodable", "late", "skipped"},
		append([]string{""}, decimals(r.Read, r.Decoded, r.Undecodable, r.Late, r.Skipped)...)}
	sinks := table{{"sinks", "in", "shipped", "pending", "spooled", "dropped", "retries"}}
	name := func(s runtime.LaneBooks) string {
		if s.Ended {
			return "  " + s.Sink + ", as it was"
		}
		return "  " + s.Sink
	}
	for _, s := range l.Lanes {
		sinks = append(sinks, append([]string{name(s)}, decimals(s.In, s.Shipped, s.Pending, s.Spooled, s.Dropped, s.Retries)...))
	}
	spools := table{{"spools", "inherited", "damaged", "crashed"}}
	for _, s := range l.Lanes {
		if s.Inherited+s.Damaged+s.Crashed > 0 {
			spools = append(spools, append([]string{name(s)}, decimals(s.Inherited, s.Damaged, s.Crashed)...))
		}
	}
	dst = appendTables(dst, events, tables, probes, reader, sinks, spools)
	flying, err := balance(l, kernel, running)
	switch {
	case err != nil:
		dst = append(dst, "the books do not balance:\n"...)
		for line := range strings.SplitSeq(err.Error(), "\n") {
			dst = append(dst, "  "+line+"\n"...)
		}
	case flying > 0:
		dst = fmt.Appendf(dst, "the books balance, with %d events on their way from the kernel\n", flying)
	default:
		dst = append(dst, "the books balance\n"...)
	}
	return dst
}

// eventTable is the books of events. What no grain of this agent does has no
// column.
func eventTable(books []runtime.EventBooks, kernel bool) table {
	columns := []struct {
		name   string
		kernel bool
		always bool
		of     func(e *runtime.EventBooks) uint64
	}{
		{"seen", true, true, func(e *runtime.EventBooks) uint64 { return e.Seen }},
		{"rejected", true, false, func(e *runtime.EventBooks) uint64 { return e.Rejected }},
		{"sampled out", true, false, func(e *runtime.EventBooks) uint64 { return e.SampledOut }},
		{"limited", true, false, func(e *runtime.EventBooks) uint64 { return e.Limited }},
		{"table only", true, false, func(e *runtime.EventBooks) uint64 { return e.TableOnly }},
		{"emitted", true, true, func(e *runtime.EventBooks) uint64 { return e.Emitted }},
		{"lost", true, true, func(e *runtime.EventBooks) uint64 { return e.Lost }},
		{"errors", true, true, func(e *runtime.EventBooks) uint64 { return e.Errors }},
		{"read", false, true, func(e *runtime.EventBooks) uint64 { return e.Read }},
		{"filtered", false, false, func(e *runtime.EventBooks) uint64 { return e.Filtered }},
		{"counted", false, false, func(e *runtime.EventBooks) uint64 { return e.Counted }},
		{"unparsed", false, false, func(e *runtime.EventBooks) uint64 { return e.Unparsed }},
	}
	events := table{{"events"}}
	for i := range books {
		events = append(events, []string{"  " + books[i].Grain + "." + books[i].Event})
	}
	for _, c := range columns {
		shown := c.always
		for i := range books {
			shown = shown || c.of(&books[i]) > 0
		}
		if !shown || c.kernel && !kernel {
			continue
		}
		events[0] = append(events[0], c.name)
		for i := range books {
			events[i+1] = append(events[i+1], decimals(c.of(&books[i]))...)
		}
	}
	return events
}

// balance checks the books where they are due. Those of a kernel are not in a
// replay, and not while the agent runs: what was emitted and not yet read is
// then on its way.
func balance(l runtime.Ledger, kernel, running bool) (flying uint64, err error) {
	l.Events = slices.Clone(l.Events)
	for i := range l.Events {
		e := &l.Events[i]
		if kernel && !running {
			continue
		}
		if read := e.Lost + e.Read; kernel && e.Emitted > read {
			flying += e.Emitted - read
		}
		e.Emitted = e.Lost + e.Read
		e.Seen = e.Rejected + e.SampledOut + e.Limited + e.TableOnly + e.Emitted + e.Errors
	}
	return flying, l.Balance()
}
