// SPDX-License-Identifier: Apache-2.0

package statsd_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/sinktest"
)

// The servers that .ci/statsd installs.
const (
	etsy     = "../../../.cache/statsd/node_modules/statsd/stats.js"
	telegraf = "../../../.cache/statsd/bin/telegraf"
)

// eventually calls try until it is content, for half a minute.
func eventually(t *testing.T, what string, try func() error) {
	t.Helper()
	var err error
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if err = try(); err == nil {
			return
		}
	}
	t.Fatalf("%s: %v", what, err)
}

// sums are what the counters of lines add up to, and what the gauges were set
// to last, by name and tags.
func sums(t *testing.T, text string) (counters, gauges map[string]float64) {
	t.Helper()
	counters, gauges = map[string]float64{}, map[string]float64{}
	for line := range strings.Lines(text) {
		metric, tags, _ := strings.Cut(strings.TrimSpace(line), "|#")
		name, value, _ := strings.Cut(metric, ":")
		value = strings.TrimPrefix(value, "0|g:")
		var x float64
		var kind string
		if _, err := fmt.Sscanf(strings.Replace(value, "|", " ", 1), "%g %s", &x, &kind); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if tags != "" {
			name += " " + tags
		}
		if kind == "c" {
			counters[name] += x
		} else {
			gauges[name] = x
		}
	}
	return counters, gauges
}

// sent is what the servers are sent: rows of the stock grains, a row with all
// kinds of cells, in two batches, and one of numbers.
func sent(t *testing.T, dialect string) string {
	event, values := sinktest.AllCells()
	row := encoded(t, dialect, sinktest.TableRow(event, false))
	(*values)[8], (*values)[12] = sinktest.Number(-5), sinktest.Float(-7.25) // from below zero to below zero
	return replayed(t, "conn", dialect) + replayed(t, "exec", dialect) + row + encoded(t, dialect, sinktest.TableRow(event, false)) + string(numbered(200).Bytes)
}

// shipSent ships it, some lines at a time, when the server has its port.
func shipSent(t *testing.T, s runtime.Sink, text string) {
	t.Helper()
	b := &runtime.Batch{Name: "a", Bytes: []byte(text)}
	eventually(t, "ship", func() error { return s.Ship(t.Context(), b) })
}

func TestEtsysStatsdCountsWhatWasSent(t *testing.T) {
	server := sinktest.NewEtsy(t, etsy)
	want := sent(t, "statsd")
	shipSent(t, open(t, "address="+server.Address), want)
	counters, gauges := sums(t, want)

	var gotCounters, gotGauges map[string]float64
	eventually(t, "ask the server", func() error {
		var err error
		if gotCounters, err = server.Counters(); err != nil {
			return err
		}
		if gotGauges, err = server.Gauges(); err != nil {
			return err
		}
		if got := gotCounters["statsd.metrics_received"]; got != float64(strings.Count(want, "\n")) {
			return fmt.Errorf("got %v lines, want %d", got, strings.Count(want, "\n"))
		}
		return nil
	})
	if bad := gotCounters["statsd.bad_lines_seen"]; bad != 0 {
		t.Errorf("got %v bad lines, want 0", bad)
	}
	for _, own := range []string{"statsd.metrics_received", "statsd.bad_lines_seen", "statsd.packets_received"} {
		delete(gotCounters, own)
	}
	delete(gotGauges, "statsd.timestamp_lag")
	if diff := cmp.Diff(counters, gotCounters); diff != "" {
		t.Errorf("counters: -sent +counted:\n%s", diff)
	}
	if diff := cmp.Diff(gauges, gotGauges); diff != "" {
		t.Errorf("gauges: -sent +shown:\n%s", diff)
	}
}

// tags are those of what is sent, in its order.
var tags = []string{"comm", "exe", "uid", "code", "signal", "role", "peer", "port", "error", "took", "le"}

func TestTelegrafCountsWhatWasSent(t *testing.T) {
	for _, dialect := range dialects {
		t.Run(dialect, func(t *testing.T) {
			server := sinktest.NewTelegraf(t, telegraf, dialect == "dogstatsd")
			want := sent(t, dialect)
			shipSent(t, open(t, "address="+server.Address, "dialect="+dialect), want)
			counters, gauges := sums(t, want)
			if dialect == "dogstatsd" { // telegraf takes a sign in front as "change by" in this one, too
				for name, x := range gauges {
					if x < 0 {
						delete(gauges, name)
					}
				}
			}
			eventually(t, "counters", func() error {
				if diff := cmp.Diff(counters, server.Counters(tags...)); diff != "" {
					return fmt.Errorf("-sent +counted:\n%s", diff)
				}
				return nil
			})
			server.End()
			if diff := cmp.Diff(counters, server.Counters(tags...)); diff != "" {
				t.Errorf("counters: -sent +counted:\n%s", diff)
			}
			got := server.Gauges(tags...)
			for name, x := range gauges {
				if got[name] != x {
					t.Errorf("gauge %s: got %v, want %v", name, got[name], x)
				}
			}
			if strings.Contains(server.Printed(), "E! ") {
				t.Error("telegraf printed an error")
			}
		})
	}
}
