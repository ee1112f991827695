// SPDX-License-Identifier: Apache-2.0

package sinktest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
)

// Collector is an OpenTelemetry collector. It has no queue, and answers when
// what it got is handed on, as JSON, to a server that counts on its own.
type Collector struct {
	*Process
	GRPC, HTTP string // HOST:PORT
	*Collected

	t      testing.TB
	binary string
	config string
}

// NewCollector is one that is not started. binary is where .ci/otlp puts it;
// numbers gets those of log records' attribute that is called so.
func NewCollector(t testing.TB, binary, attribute string, numbers *Tally) *Collector {
	t.Helper()
	binary = Installed(t, binary, ".ci/otlp")
	counts := &Collected{attribute: attribute, numbers: numbers, batches: map[string]int{}, sums: map[string]int64{}}
	server := httptest.NewServer(counts)
	t.Cleanup(server.Close)
	c := &Collector{t: t, binary: binary, config: filepath.Join(t.TempDir(), "config.yaml"), GRPC: FreeAddress(t), HTTP: FreeAddress(t), Collected: counts}
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
`, c.GRPC, c.HTTP, server.URL)
	if err := os.WriteFile(c.config, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if said, _ := os.ReadFile(c.config + ".log"); t.Failed() {
			t.Logf("the collector said: %s", said)
		}
	})
	c.Process = NewProcess(t)
	return c
}

// Start starts it and waits until it answers.
func (c *Collector) Start() {
	c.t.Helper()
	cmd := exec.Command(c.binary, "--config", "file:"+c.config)
	said, err := os.OpenFile(c.config+".log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		c.t.Fatal(err)
	}
	defer said.Close()
	cmd.Stderr = said
	c.Process.Start(cmd)
	Until(c.t, "the collector", func() bool { return Listening(c.GRPC) && Listening(c.HTTP) })
}

// Collected is what a collector handed on.
type Collected struct {
	attribute string
	numbers   *Tally

	mu      sync.Mutex
	batches map[string]int // how many requests had each name
	sums    map[string]int64
}

// Batches are the names of batches with log records, and how many requests had each.
func (c *Collected) Batches() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.batches)
}

// Sum is what the points of a metric add up to: the deltas of a sum, the counts of a histogram.
func (c *Collected) Sum(metric string) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sums[metric]
}

// What is read of the collector's JSON.
type (
	export struct {
		ResourceLogs []struct {
			Resource  struct{ Attributes []attribute }
			ScopeLogs []struct{ LogRecords []record }
		}
		ResourceMetrics []struct {
			ScopeMetrics []struct{ Metrics []metric }
		}
	}
	attribute struct {
		Key   string
		Value struct{ IntValue, StringValue string }
	}
	record struct{ Attributes []attribute }
	metric struct {
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

func (c *Collected) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var e export
	if err = errors.Join(err, json.Unmarshal(body, &e)); err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable) // the collector was killed in the middle
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, rl := range e.ResourceLogs {
		for _, a := range rl.Resource.Attributes {
			if a.Key == "ingraind.batch" {
				c.batches[a.Value.StringValue]++
			}
		}
		for _, sl := range rl.ScopeLogs {
			for _, l := range sl.LogRecords {
				c.count(l)
			}
		}
	}
	for _, rm := range e.ResourceMetrics {
		for _, sm := range rm.ScopeMetrics {
			for _, m := range sm.Metrics {
				c.add(m)
			}
		}
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, "{}")
}

func (c *Collected) count(l record) {
	for _, a := range l.Attributes {
		if n, err := strconv.Atoi(a.Value.IntValue); err == nil && a.Key == c.attribute {
			c.numbers.Add(n)
		}
	}
}

// add adds up what points of deltas count.
func (c *Collected) add(m metric) {
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
