// SPDX-License-Identifier: Apache-2.0

package runtime

import "time"

// intake is what a raw record goes through on the reading goroutine: its head
// says which event it is, the event says whether it is whole, and the lanes
// get it as a row.
type intake struct {
	grains []*Grain
	lanes  *Lanes
	record *RecordingWriter // nil: nothing is recorded

	offset int64  // wall clock less CLOCK_MONOTONIC, ns
	latest uint64 // time of an event, CLOCK_MONOTONIC
	first  bool   // the next event is the first of those that waited together
	lag    int64  // the longest that such a one waited, ns
	whole  []byte // memory of an event with what was parsed in it
	row    Row
	books  ReaderBooks
	events [][]arrival // by grain and event
}

// arrival is what becomes of the events of a kind that arrive.
type arrival struct {
	params []int64 // the grain's
	tables []Group // of it, in the agent

	read     uint64 // whole ones; read = filtered + counted + rows
	filtered uint64 // its condition was not true
	counted  uint64 // for tables alone
	rows     uint64
	unparsed uint64 // beside the sum: its bytes could not be read
}

func newIntake(grains []*Grain, lanes *Lanes) *intake {
	in := &intake{grains: grains, lanes: lanes}
	for _, g := range grains {
		in.events = append(in.events, make([]arrival, len(g.Events)))
	}
	return in
}

// setClock learns the offset between the clocks. It changes only when the wall
// clock is set or the machine was suspended, so differences below a
// millisecond are those of reading two clocks one after the other, and left
// alone: times of events stay in the events' order.
func (in *intake) setClock(now time.Time) {
	offset := now.UnixNano() - monotonic()
	if diff := offset - in.offset; diff > 1e6 || diff < -1e6 {
		in.offset = offset
	}
}

// take is called with each raw record, which is valid during the call.
func (in *intake) take(raw []byte) {
	in.books.Read++
	if in.record != nil {
		_ = in.record.Append(raw, in.offset) // counts what it loses
	}
	head, ok := ParseHead(raw)
	if !ok || int(head.Grain) >= len(in.grains) {
		in.books.Undecodable++
		return
	}
	g := in.grains[head.Grain]
	if int(head.Event) >= len(g.Events) || !g.Events[head.Event].Check(raw[HeadSize:]) {
		in.books.Undecodable++
		return
	}
	in.books.Decoded++
	if in.first {
		in.first, in.lag = false, max(in.lag, monotonic()-int64(head.Time))
	}
	if head.Time >= in.latest {
		in.latest = head.Time
	} else {
		in.books.Late++
	}
	e, a := &g.Events[head.Event], &in.events[head.Grain][head.Event]
	a.read++
	body, parsed := e.Whole(&in.whole, raw[HeadSize:])
	if !parsed {
		a.unparsed++
	}
	in.row = Row{Grain: g, Event: e, Record: Record{
		Time:   int64(head.Time) + in.offset,
		Offset: in.offset,
		Weight: head.Weight,
		Body:   body,
	}}
	if e.Where != nil && !e.Where(&in.row.Record, a.params) {
		a.filtered++
		return
	}
	for _, table := range a.tables {
		table.Update(&in.row.Record)
	}
	if !e.Stream {
		a.counted++
		return
	}
	a.rows++
	in.lanes.Add(&in.row)
}

// eventBooks adds what was read to the kernel's counts, or makes books of it
// alone.
func (in *intake) eventBooks(kernel []EventBooks) []EventBooks {
	for i, g := range in.grains {
		for n := range g.Events {
			e := &g.Events[n]
			at := -1
			for k := range kernel {
				if kernel[k].Grain == g.Name && kernel[k].Event == e.Name {
					at = k
				}
			}
			if at < 0 {
				at = len(kernel)
				kernel = append(kernel, EventBooks{Grain: g.Name, Event: e.Name})
			}
			a := &in.events[i][n]
			kernel[at].Read, kernel[at].Filtered, kernel[at].Counted, kernel[at].Rows = a.read, a.filtered, a.counted, a.rows
			kernel[at].Unparsed = a.unparsed
		}
	}
	return kernel
}
