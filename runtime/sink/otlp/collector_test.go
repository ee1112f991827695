// SPDX-License-Identifier: Apache-2.0

package otlp_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	nethttp "net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redsift/ingraind/runtime"
)

const collectorBinary = "../../../.cache/otlp/bin/otelcol-ingraind"

// tally is a server that the collector hands on to, as JSON: it counts on its own.
type tally struct {
	mu      sync.Mutex
	seen    map[int]int
	records int
	batches map[string]bool
	sums    map[string]int64 // by metric
}

// What is read of the collector's JSON.
type (
	export struct {
		ResourceLogs []struct {
			Resource  struct{ Attributes []attribute }
			ScopeLogs []struct{ LogRecords []record }
		}
		ResourceMetrics []struct {
			ScopeMetrics []struct{ Metrics []sum }
		}
	}
	attribute struct {
		Key   string
		Value struct{ IntValue, StringValue string }
	}
	record struct {
		EventName  string
		Attributes []attribute
	}
	sum struct {
		Name string
		Sum  struct {
			DataPoints             []struct{ AsInt string }
			AggregationTemporality int
		}
		ExponentialHistogram struct {
			DataPoints []struct{ Count string }
		}
	}
)

func (c *tally) ServeHTTP(w nethttp.ResponseWriter, r *nethttp.Request) {
	body, err := io.ReadAll(r.Body)
	var e export
	if err = errors.Join(err, json.Unmarshal(body, &e)); err != nil {
		nethttp.Error(w, err.Error(), nethttp.StatusServiceUnavailable) // the collector was killed in the middle
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, rl := range e.ResourceLogs {
		for _, a := range rl.Resource.Attributes {
			if a.Key == "ingraind.batch" {
				c.batches[a.Value.StringValue] = true
			}
		}
		for _, sl := range rl.ScopeLogs {
			for _, l := range sl.LogRecords {
				c.records++
				for _, a := range l.Attributes {
					if n, err := strconv.Atoi(a.Value.IntValue); err == nil && a.Key == "ingraind.g.n" && l.EventName == "g.number" {
						c.seen[n]++
					}
				}
			}
		}
	}
	for _, rm := range e.ResourceMetrics {
		for _, sm := range rm.ScopeMetrics {
			for _, m := range sm.Metrics {
				for _, p := range m.Sum.DataPoints {
					if n, err := strconv.ParseInt(p.AsInt, 10, 64); err == nil && m.Sum.AggregationTemporality == 1 {
						c.sums[m.Name] += n
					}
				}
				for _, p := range m.ExponentialHistogram.DataPoints {
					n, _ := strconv.ParseInt(p.Count, 10, 64)
					c.sums[m.Name] += n
				}
			}
		}
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, "{}")
}

func (c *tally) distinct() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.seen)
}

// collector is an OpenTelemetry collector, which can be started again. It
// answers when what it got is handed on: it has no queue.
type collector struct {
	t      *testing.T
	config string
	grpc   string
	http   string
	cmd    *exec.Cmd
}

func newCollector(t *testing.T) (*collector, *tally) {
	t.Helper()
	if _, err := os.Stat(collectorBinary); err != nil {
		t.Fatalf("%v: run .ci/otlp", err)
	}
	counts := &tally{seen: map[int]int{}, batches: map[string]bool{}, sums: map[string]int64{}}
	server := httptest.NewServer(counts)
	t.Cleanup(server.Close)
	c := &collector{t: t, config: filepath.Join(t.TempDir(), "config.yaml"), grpc: free(t), http: free(t)}
	config := fmt.Sprintf(`
receivers:
  otlp: {protocols: {grpc: {endpoint: %q}, http: {endpoint: %q}}}
exporters:
  otlphttp: {endpoint: %q, encoding: json, compression: none, sending_queue: {enabled: false}, retry_on_failure: {enabled: false}}
service:
  telemetry: {metrics: {level: none}, logs: {level: error}}
  pipelines:
    logs: {receivers: [otlp], exporters: [otlphttp]}
    metrics: {receivers: [otlp], exporters: [otlphttp]}
`, c.grpc, c.http, server.URL)
	if err := os.WriteFile(c.config, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.kill()
		if said, _ := os.ReadFile(c.config + ".log"); t.Failed() {
			t.Logf("the collector said: %s", said)
		}
	})
	return c, counts
}

// free is an address that nobody has. Its port is below those that the kernel
// gives to connections, one of which could have it while the collector is away.
func free(t *testing.T) string {
	t.Helper()
	for range 100 {
		address := fmt.Sprintf("127.0.0.1:%d", 20000+rand.IntN(12000))
		if l, err := net.Listen("tcp", address); err == nil {
			l.Close()
			return address
		}
	}
	t.Fatal("found no free port")
	return ""
}

func (c *collector) start() {
	c.t.Helper()
	c.cmd = exec.Command(collectorBinary, "--config", "file:"+c.config)
	said, err := os.OpenFile(c.config+".log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		c.t.Fatal(err)
	}
	defer said.Close()
	c.cmd.Stderr = said
	if err := c.cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	for _, address := range []string{c.grpc, c.http} {
		until(c.t, "the collector", func() bool {
			conn, err := net.Dial("tcp", address)
			if err == nil {
				conn.Close()
			}
			return err == nil
		})
	}
}

func (c *collector) kill() {
	if c.cmd != nil {
		_ = c.cmd.Process.Kill()
		_ = c.cmd.Wait()
		c.cmd = nil
	}
}

func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(120 * time.Second); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited 120 s for %s", what)
		}
	}
}

func (c *collector) settings(protocol string) []string {
	address := c.http
	if protocol == "grpc" {
		address = c.grpc
	}
	return []string{"protocol=" + protocol, "endpoint=http://" + address, "timeout=2s"}
}

func TestEveryRowArrivesThoughTheCollectorIsKilledAndStuck(t *testing.T) {
	rows := 100_000
	if os.Getenv("INGRAIN_FULL") != "" {
		rows = 1_000_000
	}
	for _, protocol := range []string{"http/protobuf", "grpc"} {
		t.Run(protocol, func(t *testing.T) {
			c, counts := newCollector(t)
			spool, err := runtime.OpenSpool(runtime.SpoolOptions{Dir: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			var mu sync.Mutex
			said := map[string]int{}
			lanes := runtime.NewLanes(runtime.NewLane(runtime.LaneOptions{
				Name: "otlp", Sink: open(t, c.settings(protocol)...), Spool: spool,
				Log: func(err error) {
					mu.Lock()
					defer mu.Unlock()
					said[err.Error()]++
				},
			}))
			heard := func(what string) bool {
				mu.Lock()
				defer mu.Unlock()
				for text := range said {
					if strings.Contains(text, what) {
						return true
					}
				}
				return false
			}
			shipped := func() int { return int(lanes.Books()[0].Shipped) }
			g, e := &runtime.Grain{Name: "g"}, numbers()
			added := 0
			add := func(to int) {
				for ; added < to; added++ {
					lanes.Add(numbered(g, e, added))
				}
			}
			add(rows / 4) // nobody listens yet
			until(t, "a refusal", func() bool { return heard("connection refused") })
			c.start()
			until(t, "first rows", func() bool { return shipped() > 0 })
			if err := c.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
				t.Fatal(err)
			}
			add(rows / 2)
			until(t, "a timeout", func() bool { return heard("no answer within 2s") })
			if err := c.cmd.Process.Signal(syscall.SIGCONT); err != nil {
				t.Fatal(err)
			}
			before := shipped()
			until(t, "more rows", func() bool { return shipped() > before })
			c.kill()
			add(rows)
			c.start()
			until(t, "all rows", func() bool { lanes.Tick(time.Now().Add(time.Minute)); return shipped() == rows })
			if err := lanes.Close(t.Context()); err != nil {
				t.Error(err)
			}
			b := lanes.Books()[0]
			if b.Dropped != 0 || b.Retries == 0 || b.Shipped != b.In {
				t.Errorf("got %+v, want all rows shipped, with retries", b)
			}
			if n := counts.distinct(); n != rows || len(counts.batches) == 0 {
				t.Errorf("%d of %d numbers arrived", n, rows)
			}
			t.Logf("%d rows in %d batches, %d duplicates, %d retries", rows, len(counts.batches), counts.records-rows, b.Retries)
		})
	}
}

func TestTheCollectorsSumsAreThoseThatWereSent(t *testing.T) {
	for _, protocol := range []string{"http/protobuf", "grpc"} {
		for _, compression := range []string{"gzip", "none"} {
			t.Run(protocol+" "+compression, func(t *testing.T) {
				c, counts := newCollector(t)
				c.start()
				sink := open(t, append(c.settings(protocol), "timeout=60s", "compression="+compression)...)
				e, values := all()
				g, logged := &runtime.Grain{Name: "g"}, numbers()
				var want int64
				for n := range 20 {
					var rows []*runtime.Row
					b := &runtime.Batch{Name: fmt.Sprintf("%032x", n)}
					for i := range 50 {
						(*values)[4] = number(int64(n*i + 1))
						want += int64(n*i + 1)
						b.Bytes = sink.Encoding().AppendRow(b.Bytes, tableRow(e, 0))
						rows = append(rows, numbered(g, logged, 50*n+i))
						b.Bytes = sink.Encoding().AppendRow(b.Bytes, rows[i])
					}
					if err := sink.Ship(t.Context(), b); err != nil {
						t.Fatal(err)
					}
				}
				got := counts.sums
				if got["ingraind.g.t.n"] != want || got["ingraind.g.t.total"] != -3*1000 || got["ingraind.g.t.sizes"] != 6*1000 {
					t.Errorf("got %v, want n to be %d", got, want)
				}
				if counts.records != 1000 || counts.distinct() != 1000 || len(counts.batches) != 20 {
					t.Errorf("got %d log records of %d numbers in %d batches", counts.records, counts.distinct(), len(counts.batches))
				}
			})
		}
	}
}
