// SPDX-License-Identifier: Apache-2.0

package prometheus_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/bits"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/agg"
	"github.com/redsift/ingraind/runtime/sink/prometheus"
	"github.com/redsift/ingraind/runtime/sinktest"
)

// What .ci/prometheus installs.
const (
	server   = "../../../.cache/prometheus/prometheus"
	promtool = "../../../.cache/prometheus/promtool"
)

func installed(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		t.Fatalf("it is not installed: run .ci/prometheus, which needs Go (%v)", err)
	}
	return path
}

func TestPromtoolTakesWhatIsSent(t *testing.T) {
	s := open(t)
	event, _ := calls()
	ship(t, s, sinktest.TableRow(event, false))
	cmd := exec.Command(installed(t, promtool), "check", "metrics")
	cmd.Stdin = strings.NewReader(scrape(t, s, "text/plain"))
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("got %v: %s", err, out)
	}
}

// calls is a table of counters and histograms, and its row's values.
func calls() (*runtime.Event, *[]runtime.Value) {
	values := &[]runtime.Value{
		{Type: runtime.TypeString, Bytes: []byte("a")}, sinktest.Number(1), sinktest.Number(1),
		{Type: runtime.TypeHistogram, Cell: make([]uint64, 65)}, {Type: runtime.TypeHistogram, Cell: make([]uint64, 65)},
		sinktest.Number(1),
	}
	event := sinktest.Made("calls", []runtime.Field{sinktest.Field("comm", runtime.TypeString)}, []runtime.Field{
		sinktest.CellOf("n", runtime.TypeUint, agg.Cell{Kind: agg.Count}),
		sinktest.CellOf("busy", runtime.TypeDuration, agg.Cell{Kind: agg.Sum}),
		sinktest.CellOf("took", runtime.TypeDuration, agg.Cell{Kind: agg.Exp2, Bits: 64}),
		sinktest.CellOf("sizes", runtime.TypeBytes, agg.Cell{Kind: agg.Exp2, Bits: 64}),
		sinktest.CellOf("largest", runtime.TypeBytes, agg.Cell{Kind: agg.Max}),
	}, values)
	event.Table.Help = "Calls."
	for i := range event.Fields {
		event.Fields[i].Help = "What it counts."
	}
	return event, values
}

// startPrometheus scrapes the sink; ask is one of its values, by query.
func startPrometheus(t *testing.T, target net.Addr, native bool) (ask func(query string) (float64, error)) {
	t.Helper()
	program, dir := installed(t, server), t.TempDir()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := l.Addr().String()
	l.Close()
	config := filepath.Join(dir, "prometheus.yml")
	text := fmt.Sprintf("global: {scrape_interval: 500ms, scrape_timeout: 500ms}\nscrape_configs:\n- {job_name: a, scrape_native_histograms: %v, static_configs: [{targets: [%q]}]}\n", native, target)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+at)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		kill := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait()
		kill.Stop()
		if out, _ := os.ReadFile(log.Name()); t.Failed() {
			t.Logf("prometheus printed:\n%s", out)
		}
		log.Close()
	})
	return func(query string) (float64, error) {
		answer, err := http.Get("http://" + at + "/api/v1/query?query=" + url.QueryEscape(query))
		if err != nil {
			return 0, err
		}
		defer answer.Body.Close()
		var got struct {
			Data struct{ Result []struct{ Value [2]any } }
		}
		if err := json.NewDecoder(answer.Body).Decode(&got); err != nil {
			return 0, err
		}
		if len(got.Data.Result) != 1 {
			return 0, fmt.Errorf("%s: got %d results, want one", query, len(got.Data.Result))
		}
		return strconv.ParseFloat(got.Data.Result[0].Value[1].(string), 64)
	}
}

func eventually(t *testing.T, try func() error) {
	t.Helper()
	var err error
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if err = try(); err == nil {
			return
		}
	}
	t.Error(err)
}

// Two servers scrape one sink, one of them native histograms. What they say is
// held to what the test counted itself, of single values.
func TestPrometheusSaysWhatWasCounted(t *testing.T) {
	s := open(t)
	classic := startPrometheus(t, prometheus.Addr(s), false)
	native := startPrometheus(t, prometheus.Addr(s), true)

	event, v := calls()
	var sizes, took []uint64
	var busy uint64
	for i := range 1000 {
		size := uint64(3 + i*i%5000)
		long := size * 1009
		sizes, took, busy = append(sizes, size), append(took, long), busy+long
		(*v)[0].Bytes = []byte{byte('a' + i%3)}
		(*v)[2] = sinktest.Number(int64(long))
		clear((*v)[3].Cell)
		clear((*v)[4].Cell)
		(*v)[3].Cell[bits.Len64(long)]++
		(*v)[4].Cell[bits.Len64(size)]++
		ship(t, s, sinktest.TableRow(event, false))
	}
	slices.Sort(sizes)
	slices.Sort(took)
	equals := func(ask func(string) (float64, error), query string, want float64) {
		t.Helper()
		eventually(t, func() error {
			got, err := ask(query)
			if err == nil && math.Abs(got-want) > 1e-9*want {
				err = fmt.Errorf("%s: got %v, want %v", query, got, want)
			}
			return err
		})
	}
	// A bucket of powers of two is right within a factor of two.
	within := func(ask func(string) (float64, error), query string, want float64) {
		t.Helper()
		eventually(t, func() error {
			got, err := ask(query)
			if err == nil && (got < want/2 || got > want*2) {
				err = fmt.Errorf("%s: got %v, want %v within a factor of two", query, got, want)
			}
			return err
		})
	}
	for _, ask := range []func(string) (float64, error){classic, native} {
		equals(ask, "sum(ingraind_g_calls_n_total)", 1000)
		equals(ask, `ingraind_g_calls_n_total{comm="b"}`, 333)
		equals(ask, "sum(ingraind_g_calls_busy_seconds_total)", float64(busy)/1e9)
	}
	equals(classic, "sum(ingraind_g_calls_sizes_bytes_count)", 1000)
	equals(native, "sum(histogram_count(ingraind_g_calls_sizes_bytes))", 1000)
	for _, q := range []float64{0.1, 0.5, 0.9, 0.99} {
		at := int(q*1000) - 1
		within(classic, fmt.Sprintf("histogram_quantile(%v, sum by (le) (ingraind_g_calls_sizes_bytes_bucket))", q), float64(sizes[at]))
		within(classic, fmt.Sprintf("histogram_quantile(%v, sum by (le) (ingraind_g_calls_took_seconds_bucket))", q), float64(took[at])/1e9)
		within(native, fmt.Sprintf("histogram_quantile(%v, sum(ingraind_g_calls_sizes_bytes))", q), float64(sizes[at]))
	}
}
