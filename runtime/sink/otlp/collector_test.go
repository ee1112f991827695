// SPDX-License-Identifier: Apache-2.0

package otlp_test

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/sinktest"
)

const collectorBinary = "../../../.cache/otlp/bin/otelcol-ingraind"

// newCollector is one that counts the numbers of sinktest's rows.
func newCollector(t *testing.T, rows int) (*sinktest.Collector, *sinktest.Tally) {
	t.Helper()
	tally := sinktest.NewTally(rows)
	return sinktest.NewCollector(t, collectorBinary, "ingraind.numbers.n", tally), tally
}

// protocols are those of the sink, the collector's address of each, and what the
// lane says of a status of HTTP.
type protocol struct {
	name string
	at   func(*sinktest.Collector) string
	said func(status int) string
}

func protocols() []protocol {
	return []protocol{
		{"http/protobuf", func(c *sinktest.Collector) string { return c.HTTP }, strconv.Itoa},
		{"grpc", func(c *sinktest.Collector) string { return c.GRPC }, func(status int) string {
			return map[int]string{403: "7 PERMISSION_DENIED", 500: "2 UNKNOWN"}[status] // others are 14, which other faults are as well
		}},
	}
}

func TestEveryRowArrivesThroughAllFaults(t *testing.T) {
	for _, p := range protocols() {
		t.Run(p.name, func(t *testing.T) {
			collector, tally := newCollector(t, sinktest.Rows())
			collector.Start()
			gate := sinktest.NewGate(t, p.at(collector))
			stuck := sinktest.Fault{Name: "a collector that is stuck", Said: "no answer within 1s", Begin: collector.Pause, End: collector.Resume}
			outage := sinktest.Outage{
				Name: "otlp", Sink: open(t, "protocol="+p.name, "endpoint=http://"+gate.Address, "timeout=1s"), Rows: sinktest.Rows(),
				Faults: append(gate.Faults(503, p.said), stuck, gate.Away(collector.Kill, collector.Start)),
			}
			outage.Run(t)
			tally.MustHold(t, false)
			t.Logf("%d rows came again", tally.Again())
		})
	}
}

// A 500 ends a batch, as OTLP has it: what does not arrive is counted.
func TestRowsThatAreRefusedForGoodAreCounted(t *testing.T) {
	for _, p := range protocols() {
		t.Run(p.name, func(t *testing.T) {
			const rows = 50_000
			collector, tally := newCollector(t, rows)
			collector.Start()
			gate := sinktest.NewGate(t, p.at(collector))
			outage := sinktest.Outage{
				Name: "otlp", Sink: open(t, "protocol="+p.name, "endpoint=http://"+gate.Address), Rows: rows,
				Faults: []sinktest.Fault{gate.Fault("Internal Server Error", p.said(500), sinktest.Refuse(500))},
			}
			b := outage.Try(t)
			if got := uint64(rows - tally.Distinct()); got != b.Dropped || got == 0 || b.Shipped+b.Dropped != rows {
				t.Errorf("%d rows did not arrive, want those that the books call dropped: %+v", got, b)
			}
		})
	}
}

func TestTheCollectorsSumsAreThoseThatWereSent(t *testing.T) {
	for _, p := range protocols() {
		for _, compression := range []string{"gzip", "none"} {
			t.Run(p.name+" "+compression, func(t *testing.T) {
				c, tally := newCollector(t, 1000)
				c.Start()
				sink := open(t, "protocol="+p.name, "endpoint=http://"+p.at(c), "timeout=60s", "compression="+compression)
				e, values := all()
				logged := sinktest.NewNumbers()
				var want int64
				for n := range 20 {
					b := &runtime.Batch{Name: fmt.Sprintf("%032x", n)}
					for i := range 50 {
						(*values)[4] = sinktest.Number(int64(n*i + 1))
						want += int64(n*i + 1)
						b.Bytes = sink.Encoding().AppendRow(b.Bytes, sinktest.TableRow(e, false))
						b.Bytes = sink.Encoding().AppendRow(b.Bytes, logged.Row(50*n+i))
					}
					if err := sink.Ship(t.Context(), b); err != nil {
						t.Fatal(err)
					}
				}
				for metric, want := range map[string]int64{"n": want, "total": -3 * 1000, "sizes": 6 * 1000} {
					if got := c.Sum("ingraind.g.t." + metric); got != want {
						t.Errorf("%s: got %d, want %d", metric, got, want)
					}
				}
				if tally.MustHold(t, true); len(c.Batches()) != 20 {
					t.Errorf("got %d batches of log records, want 20", len(c.Batches()))
				}
			})
		}
	}
}
