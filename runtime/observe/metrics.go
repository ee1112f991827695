// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"github.com/redsift/ingraind/runtime"
)

// column is a metric with a value for each of what books are kept of.
type column[T any] struct {
	name, kind, help string
	of               func(*T) uint64
}

const (
	counter = "counter"
	gauge   = "gauge"
)

var eventColumns = []column[runtime.EventBooks]{
	{"ingrain_events_seen_total", counter, "Events that happened.", func(e *runtime.EventBooks) uint64 { return e.Seen }},
	{"ingrain_events_rejected_total", counter, "Of those seen, those whose condition was not true.", func(e *runtime.EventBooks) uint64 { return e.Rejected }},
	{"ingrain_events_sampled_out_total", counter, "Of those seen, those that chance did not choose.", func(e *runtime.EventBooks) uint64 { return e.SampledOut }},
	{"ingrain_events_limited_total", counter, "Of those seen, those beyond the limit of a second.", func(e *runtime.EventBooks) uint64 { return e.Limited }},
	{"ingrain_events_table_only_total", counter, "Of those seen, those that the kernel counted in tables alone.", func(e *runtime.EventBooks) uint64 { return e.TableOnly }},
	{"ingrain_events_errors_total", counter, "Of those seen, those that no scratch memory was free for.", func(e *runtime.EventBooks) uint64 { return e.Errors }},
	{"ingrain_events_emitted_total", counter, "Of those seen, those handed to the transport.", func(e *runtime.EventBooks) uint64 { return e.Emitted }},
	{"ingrain_events_lost_total", counter, "Of those emitted, those that the transport had no room for.", func(e *runtime.EventBooks) uint64 { return e.Lost }},
	{"ingrain_events_read_total", counter, "Of those emitted, those that arrived, whole.", func(e *runtime.EventBooks) uint64 { return e.Read }},
	{"ingrain_events_unparsed_total", counter, "Of those read, those whose bytes the function of Go that parses them could not read.", func(e *runtime.EventBooks) uint64 { return e.Unparsed }},
	{"ingrain_events_filtered_total", counter, "Of those read, those whose condition was not true.", func(e *runtime.EventBooks) uint64 { return e.Filtered }},
	{"ingrain_events_counted_total", counter, "Of those read, those that the agent counted in tables alone.", func(e *runtime.EventBooks) uint64 { return e.Counted }},
	{"ingrain_events_rows_total", counter, "Of those read, those that became rows.", func(e *runtime.EventBooks) uint64 { return e.Rows }},
}

var tableColumns = []column[runtime.TableBooks]{
	{"ingrain_table_rows_total", counter, "Rows of tables.", func(t *runtime.TableBooks) uint64 { return t.Rows }},
	{"ingrain_table_overflow_total", counter, "Events of keys beyond a table's bound, which share a row.", func(t *runtime.TableBooks) uint64 { return t.Overflow }},
}

var probeColumns = []column[runtime.ProbeBooks]{
	{"ingrain_probe_missed_total", counter, "Times that the kernel skipped a probe.", func(p *runtime.ProbeBooks) uint64 { return p.Missed }},
	{"ingrain_probe_compat_total", counter, "Calls by 32-bit programs, which are not observed.", func(p *runtime.ProbeBooks) uint64 { return p.Compat }},
}

var readerColumns = []column[runtime.ReaderBooks]{
	{"ingrain_reader_records_total", counter, "Records that were read.", func(r *runtime.ReaderBooks) uint64 { return r.Read }},
	{"ingrain_reader_decoded_total", counter, "Records that were events.", func(r *runtime.ReaderBooks) uint64 { return r.Decoded }},
	{"ingrain_reader_undecodable_total", counter, "Records that were none.", func(r *runtime.ReaderBooks) uint64 { return r.Undecodable }},
	{"ingrain_reader_late_total", counter, "Events behind one that happened after them.", func(r *runtime.ReaderBooks) uint64 { return r.Late }},
	{"ingrain_reader_skipped_total", counter, "Stretches of a ring whose records could not be told apart.", func(r *runtime.ReaderBooks) uint64 { return r.Skipped }},
}

var sinkColumns = []column[runtime.LaneBooks]{
	{"ingrain_sink_rows_total", counter, "Rows for a sink.", func(l *runtime.LaneBooks) uint64 { return l.In }},
	{"ingrain_sink_inherited_rows_total", counter, "Rows that an agent before this one left in the spool.", func(l *runtime.LaneBooks) uint64 { return l.Inherited }},
	{"ingrain_sink_shipped_rows_total", counter, "Rows that the sink took.", func(l *runtime.LaneBooks) uint64 { return l.Shipped }},
	{"ingrain_sink_dropped_rows_total", counter, "Rows that were lost.", func(l *runtime.LaneBooks) uint64 { return l.Dropped }},
	{"ingrain_sink_damaged_rows_total", counter, "Of those dropped, rows that could not be read from the spool.", func(l *runtime.LaneBooks) uint64 { return l.Damaged }},
	{"ingrain_sink_crashed_rows_total", counter, "Rows that, at least, went down with the agent before.", func(l *runtime.LaneBooks) uint64 { return l.Crashed }},
	{"ingrain_sink_retries_total", counter, "Times that a batch was shipped again.", func(l *runtime.LaneBooks) uint64 { return l.Retries }},
	{"ingrain_sink_pending_rows", gauge, "Rows that wait in memory.", func(l *runtime.LaneBooks) uint64 { return l.Pending }},
	{"ingrain_sink_spooled_rows", gauge, "Rows that wait on disk.", func(l *runtime.LaneBooks) uint64 { return l.Spooled }},
}

// columns appends the metrics of what books are kept of, each with its labels.
func columns[T any](p *page, all []column[T], of []T, labels func(*T) []string) {
	for _, c := range all {
		p.family(c.name, c.kind, c.help)
		for i := range of {
			p.value(float64(c.of(&of[i])), labels(&of[i])...)
		}
	}
}

// appendMetrics appends a report in Prometheus' text format 0.0.4. All names
// begin with ingrain_, but for those that any program has.
func (k *server) appendMetrics(dst []byte, r runtime.Report) []byte {
	p := &page{text: dst}
	p.family("ingrain_info", gauge, "The agent and its version.")
	p.value(1, "agent", k.Agent, "version", k.Version)
	columns(p, eventColumns, r.Events, func(e *runtime.EventBooks) []string { return []string{"grain", e.Grain, "event", e.Event} })
	columns(p, tableColumns, r.Tables, func(t *runtime.TableBooks) []string { return []string{"grain", t.Grain, "table", t.Table} })
	columns(p, probeColumns, r.Probes, func(b *runtime.ProbeBooks) []string { return []string{"grain", b.Grain, "probe", b.Probe} })
	columns(p, readerColumns, []runtime.ReaderBooks{r.Reader}, func(*runtime.ReaderBooks) []string { return nil })
	columns(p, sinkColumns, bySink(r.Lanes), func(l *runtime.LaneBooks) []string { return []string{"sink", l.Sink} })
	p.family("ingrain_reader_lag_seconds", gauge, "The longest that an event waited for the reader since the last look.")
	p.value(r.Lag.Seconds())
	p.family("ingrain_program_runs_total", counter, "Runs of a program while the kernel counted them.")
	for _, c := range r.Programs {
		p.value(float64(c.Runs), "grain", c.Grain, "probe", c.Probe, "program", c.Program)
	}
	p.family("ingrain_program_seconds_total", counter, "Time in a program while the kernel measured it.")
	for _, c := range r.Programs {
		p.value(c.Time.Seconds(), "grain", c.Grain, "probe", c.Probe, "program", c.Program)
	}
	p.family("ingrain_map_bytes", gauge, "Memory of the kernel that maps take.")
	for _, m := range r.Maps {
		p.value(float64(m.Bytes), "grain", m.Grain, "map", m.Map)
	}
	p.process()
	return p.text
}

// bySink adds the books of sinks that were replaced to those of their
// successors: counters never fall.
func bySink(lanes []runtime.LaneBooks) []runtime.LaneBooks {
	var sums []runtime.LaneBooks
	at := map[string]int{}
	for _, l := range lanes {
		i, ok := at[l.Sink]
		if !ok {
			at[l.Sink] = len(sums)
			sums = append(sums, l)
			continue
		}
		s := &sums[i]
		s.In, s.Inherited, s.Shipped, s.Dropped = s.In+l.In, s.Inherited+l.Inherited, s.Shipped+l.Shipped, s.Dropped+l.Dropped
		s.Pending, s.Spooled = s.Pending+l.Pending, s.Spooled+l.Spooled
		s.Retries, s.Damaged, s.Crashed = s.Retries+l.Retries, s.Damaged+l.Damaged, s.Crashed+l.Crashed
	}
	return sums
}
