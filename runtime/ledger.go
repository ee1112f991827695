// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"errors"
	"fmt"
)

// Ledger is the books of an agent: every event and row accounted for, each
// term a counter of its own, never a subtraction.
type Ledger struct {
	Events []EventBooks
	Tables []TableBooks
	Probes []ProbeBooks
	Reader ReaderBooks
	Lanes  []LaneBooks
}

// EventBooks is what the kernel counted for one kind of event:
// Seen = Rejected + SampledOut + Limited + TableOnly + Emitted + Errors, and
// Emitted = Lost + Read as long as every record that was read was whole; and
// what the agent did: Read = Filtered + Counted + Rows.
type EventBooks struct {
	Grain, Event string

	Seen       uint64 // it happened
	Rejected   uint64 // its condition was not true
	SampledOut uint64 // by chance not one of those that are sent
	Limited    uint64 // beyond what may be sent in a second
	TableOnly  uint64 // counted in the kernel's tables, and wanted by nobody else
	Emitted    uint64 // handed to the transport
	Lost       uint64 // of those, what the transport had no room for
	Errors     uint64 // no scratch memory was free
	Read       uint64 // arrived, and was whole
	Filtered   uint64 // of those: the part of its condition that the agent tells was not true
	Counted    uint64 // for tables in the agent alone
	Rows       uint64 // as rows to the lanes
	Unparsed   uint64 // beside the sum: of those read, whose bytes its function of Go could not read
}

// TableBooks is what became of a table.
type TableBooks struct {
	Grain, Table string

	Rows     uint64 // to the lanes
	Overflow uint64 // events of keys beyond the bound, which share a row
}

// ProbeBooks is what a probe counted beside its events.
type ProbeBooks struct {
	Grain, Probe string

	Compat uint64 // calls by 32-bit programs, which are not observed
	Missed uint64 // times that the kernel skipped the program (recursion, return probes), or a map of the grain had no room
}

// ReaderBooks is what the agent read: Read = Decoded + Undecodable.
type ReaderBooks struct {
	Read        uint64
	Decoded     uint64
	Undecodable uint64
	Late        uint64 // beside the sum: of those decoded, behind one that happened after it
	Skipped     uint64 // beside the sum: stretches of a ring whose records could not be told apart
}

// LaneBooks is what became of one sink's rows:
// In + Inherited = Shipped + Pending + Spooled + Dropped.
type LaneBooks struct {
	Sink  string
	Ended bool // of the sink as it was before a Change, or more than one

	In        uint64 // came from this agent's reader
	Inherited uint64 // an agent before this one left them in the spool
	Shipped   uint64
	Pending   uint64 // in memory
	Spooled   uint64 // on disk; at the end, for the next agent
	Dropped   uint64
	Retries   uint64 // beside the sum: times a batch was shipped again
	Damaged   uint64 // of those dropped, what could not be read from the spool
	Crashed   uint64 // beside the sum: at least so many rows went down with the agent before, when it crashed
}

// Balance checks the sums that must hold once an agent has stopped, and says
// which do not.
func (l *Ledger) Balance() error {
	var errs []error
	check := func(what string, whole uint64, parts ...uint64) {
		var sum uint64
		for _, p := range parts {
			sum += p
		}
		if whole != sum {
			errs = append(errs, fmt.Errorf("%s: %d, but its parts are %d", what, whole, sum))
		}
	}
	var read, emitted, lost uint64
	for _, e := range l.Events {
		check(e.Grain+"."+e.Event+" seen = rejected + sampled out + limited + table only + emitted + errors",
			e.Seen, e.Rejected, e.SampledOut, e.Limited, e.TableOnly, e.Emitted, e.Errors)
		check(e.Grain+"."+e.Event+" read = filtered + counted + rows", e.Read, e.Filtered, e.Counted, e.Rows)
		if l.Reader.Undecodable == 0 { // else nobody knows of which event a record was
			check(e.Grain+"."+e.Event+" emitted = lost + read", e.Emitted, e.Lost, e.Read)
		}
		read, emitted, lost = read+e.Read, emitted+e.Emitted, lost+e.Lost
	}
	if l.Reader.Undecodable > 0 && emitted > 0 {
		check("events: emitted = lost + read", emitted, lost, l.Reader.Read)
	}
	check("reader: read = decoded + undecodable", l.Reader.Read, l.Reader.Decoded, l.Reader.Undecodable)
	check("reader: decoded = events read", l.Reader.Decoded, read)
	for _, k := range l.Lanes {
		check("lane "+k.Sink+": in + inherited = shipped + pending + spooled + dropped", k.In+k.Inherited, k.Shipped, k.Pending, k.Spooled, k.Dropped)
	}
	return errors.Join(errs...)
}

// Losses is how many events and rows did not arrive where they should have,
// those included that the kernel never ran a probe for.
func (l *Ledger) Losses() uint64 {
	n := l.Reader.Undecodable + l.Reader.Skipped
	for _, p := range l.Probes {
		n += p.Missed
	}
	for _, e := range l.Events {
		n += e.Lost + e.Errors
	}
	for _, k := range l.Lanes {
		n += k.Dropped
	}
	return n
}
