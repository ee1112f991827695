// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redsift/ingraind/runtime"
)

// promtool is what .ci/prometheus installs.
const promtool = "../../.cache/prometheus/promtool"

// report has a number of its own for each of the books.
func report() runtime.Report {
	return runtime.Report{
		Ledger: runtime.Ledger{
			Events: []runtime.EventBooks{{
				Grain: "exec", Event: "exit", Seen: 1, Rejected: 2, SampledOut: 3, Limited: 4, TableOnly: 5, Emitted: 6, Lost: 7, Errors: 8, Read: 9, Filtered: 10, Counted: 11, Rows: 12, Unparsed: 34,
			}},
			Tables: []runtime.TableBooks{{Grain: "exec", Table: "ends", Rows: 13, Overflow: 14}},
			Probes: []runtime.ProbeBooks{{Grain: "exec", Probe: "ended", Compat: 15, Missed: 16}},
			Reader: runtime.ReaderBooks{Read: 17, Decoded: 18, Undecodable: 19, Late: 20, Skipped: 21},
			Lanes: []runtime.LaneBooks{
				{Sink: "s3", In: 22, Inherited: 23, Shipped: 24, Pending: 25, Spooled: 26, Dropped: 27, Retries: 28, Damaged: 29, Crashed: 30},
				{Sink: "file", In: 1, Shipped: 1, Ended: true},
				{Sink: "file", In: 2, Shipped: 1, Pending: 1},
			},
		},
		Grains:   []string{"exec"},
		Programs: []runtime.ProgramCost{{Grain: "exec", Probe: "ended", Program: "ended_raw_tp", Runs: 31, Time: 1500 * time.Millisecond}},
		Maps:     []runtime.MapCost{{Map: "rings", Bytes: 32}, {Grain: "exec", Map: "ends", Bytes: 1 << 53}},
		Lag:      33 * time.Millisecond,
	}
}

func TestEachOfTheBooksIsAMetric(t *testing.T) {
	k := &server{Observed: runtime.Observed{Agent: "a", Version: `1 "x" \ ` + "\n"}}
	page := string(k.appendMetrics(nil, report()))
	for _, want := range []string{
		`ingrain_info{agent="a",version="1 \"x\" \\ \n"} 1`,
		`ingrain_events_seen_total{grain="exec",event="exit"} 1`,
		`ingrain_events_rejected_total{grain="exec",event="exit"} 2`,
		`ingrain_events_sampled_out_total{grain="exec",event="exit"} 3`,
		`ingrain_events_limited_total{grain="exec",event="exit"} 4`,
		`ingrain_events_table_only_total{grain="exec",event="exit"} 5`,
		`ingrain_events_emitted_total{grain="exec",event="exit"} 6`,
		`ingrain_events_lost_total{grain="exec",event="exit"} 7`,
		`ingrain_events_errors_total{grain="exec",event="exit"} 8`,
		`ingrain_events_read_total{grain="exec",event="exit"} 9`,
		`ingrain_events_filtered_total{grain="exec",event="exit"} 10`,
		`ingrain_events_counted_total{grain="exec",event="exit"} 11`,
		`ingrain_events_unparsed_total{grain="exec",event="exit"} 34`,
		`ingrain_events_rows_total{grain="exec",event="exit"} 12`,
		`ingrain_table_rows_total{grain="exec",table="ends"} 13`,
		`ingrain_table_overflow_total{grain="exec",table="ends"} 14`,
		`ingrain_probe_compat_total{grain="exec",probe="ended"} 15`,
		`ingrain_probe_missed_total{grain="exec",probe="ended"} 16`,
		`ingrain_reader_records_total 17`,
		`ingrain_reader_decoded_total 18`,
		`ingrain_reader_undecodable_total 19`,
		`ingrain_reader_late_total 20`,
		`ingrain_reader_skipped_total 21`,
		`ingrain_sink_rows_total{sink="s3"} 22`,
		`ingrain_sink_inherited_rows_total{sink="s3"} 23`,
		`ingrain_sink_shipped_rows_total{sink="s3"} 24`,
		`ingrain_sink_pending_rows{sink="s3"} 25`,
		`ingrain_sink_spooled_rows{sink="s3"} 26`,
		`ingrain_sink_dropped_rows_total{sink="s3"} 27`,
		`ingrain_sink_retries_total{sink="s3"} 28`,
		`ingrain_sink_damaged_rows_total{sink="s3"} 29`,
		`ingrain_sink_crashed_rows_total{sink="s3"} 30`,
		`ingrain_sink_rows_total{sink="file"} 3`,
		`ingrain_sink_shipped_rows_total{sink="file"} 2`,
		`ingrain_program_runs_total{grain="exec",probe="ended",program="ended_raw_tp"} 31`,
		`ingrain_program_seconds_total{grain="exec",probe="ended",program="ended_raw_tp"} 1.5`,
		`ingrain_map_bytes{grain="",map="rings"} 32`,
		`ingrain_map_bytes{grain="exec",map="ends"} 9.007199254740992e+15`,
		`ingrain_reader_lag_seconds 0.033`,
	} {
		if !strings.Contains(page, "\n"+want+"\n") {
			t.Errorf("%s is missing", want)
		}
	}
	if t.Failed() {
		t.Log(page)
	}
	checkMetrics(t, page)
}

// checkMetrics has promtool read them.
func checkMetrics(t *testing.T, page string) {
	t.Helper()
	path, err := filepath.Abs(promtool)
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		t.Fatalf("promtool is not installed: run .ci/prometheus, which needs Go (%v)", err)
	}
	cmd := exec.Command(path, "check", "metrics")
	cmd.Stdin = strings.NewReader(page)
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("promtool: %v: %s\n%s", err, out, page)
	}
}

func observed(report func(context.Context) (runtime.Report, error)) *server {
	return &server{Observed: runtime.Observed{Agent: "a", Log: slog.New(slog.DiscardHandler), Report: report}}
}

func TestHealthIsThatTheReaderAnswers(t *testing.T) {
	grains := []string(nil)
	fine := observed(func(context.Context) (runtime.Report, error) { return runtime.Report{Grains: grains}, nil })
	stuck := observed(func(ctx context.Context) (runtime.Report, error) { return runtime.Report{}, errors.New("stuck") })
	get := func(k *server, path string) int {
		w := httptest.NewRecorder()
		k.pages(false).ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w.Code
	}
	for path, want := range map[string][2]int{"/healthz": {200, 503}, "/readyz": {503, 503}, "/metrics": {200, 503}, "/debug/pprof/": {404, 404}, "/": {404, 404}} {
		if got := [2]int{get(fine, path), get(stuck, path)}; got != want {
			t.Errorf("%s: got %v when it answers and when not, want %v", path, got, want)
		}
	}
	grains = []string{"exec"}
	if got := get(fine, "/readyz"); got != 200 {
		t.Errorf("/readyz with a grain: got %d, want 200", got)
	}
}

func TestWhatCannotBeOpenedSaysWhy(t *testing.T) {
	o := observed(nil).Observed
	settings := func(pairs ...string) runtime.Settings {
		s := runtime.Settings{}
		for _, setting := range Part().Settings {
			s[setting.Name] = setting.Default
		}
		for i := 0; i+1 < len(pairs); i += 2 {
			s[pairs[i]] = pairs[i+1]
		}
		return s
	}
	first, err := open(settings("address", "127.0.0.1:0"), o)
	if err != nil {
		t.Fatal(err)
	}
	taken := address(first)
	for want, s := range map[string]runtime.Settings{
		`address: "9464" is no HOST:PORT`: settings("address", "9464"),
		`address: ":x" is no HOST:PORT`:   settings("address", ":x"),
		"address already in use":          settings("address", taken),
		"pprof: \"yes\" is neither":       settings("address", "127.0.0.1:0", "pprof", "yes"),
		"run_time: \"1s\" is neither":     settings("address", "127.0.0.1:0", "run_time", "1s"),
	} {
		if k, err := open(s, o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: got %v and %v, want %q", s, k, err, want)
		}
	}
	if err := first.Close(); err != nil {
		t.Error(err)
	}
	again, err := open(settings("address", taken), o)
	if err != nil {
		t.Fatalf("after Close: %v", err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}

func address(c io.Closer) string { return c.(*server).listener.Addr().String() }

func TestNumbersAreWhole(t *testing.T) {
	p := page{name: "x"}
	p.value(math.MaxUint32)
	if got := string(p.text); got != "x 4.294967295e+09\n" {
		t.Errorf("got %q", got)
	}
}
