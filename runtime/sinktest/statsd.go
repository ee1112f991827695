// SPDX-License-Identifier: Apache-2.0

package sinktest

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// Etsy is a statsd, the original one. It adds up and never flushes.
type Etsy struct {
	*Process
	Address string // of UDP, HOST:PORT
	manage  string
}

// NewEtsy is one that is running. script is where .ci/statsd puts it.
func NewEtsy(t testing.TB, script string) *Etsy {
	t.Helper()
	script = Installed(t, script, ".ci/statsd")
	e := &Etsy{NewProcess(t), FreeAddress(t), FreeAddress(t)}
	config := filepath.Join(t.TempDir(), "config.js")
	_, port, _ := net.SplitHostPort(e.Address)
	_, manage, _ := net.SplitHostPort(e.manage)
	text := fmt.Sprintf(`{address: "127.0.0.1", port: %s, mgmt_address: "127.0.0.1", mgmt_port: %s, flushInterval: 6000000, backends: []}`, port, manage)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	e.Start(exec.Command("node", script, config))
	Until(t, "statsd", func() bool { return Listening(e.manage) })
	return e
}

// Counters are what it has added up, its own ones among them.
func (e *Etsy) Counters() (map[string]float64, error) { return e.ask("counters") }

// Gauges are what gauges were set to last.
func (e *Etsy) Gauges() (map[string]float64, error) { return e.ask("gauges") }

// ask sends a command to its port for that: the answer is an object in the
// notation of JavaScript, one "name: number" a line.
func (e *Etsy) ask(command string) (map[string]float64, error) {
	conn, err := net.Dial("tcp", e.manage)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return nil, err
	}
	fmt.Fprintf(conn, "%s\n", command)
	got := map[string]float64{}
	for in := bufio.NewScanner(conn); in.Scan() && in.Text() != "END"; {
		name, value, ok := strings.Cut(strings.Trim(in.Text(), "{}, "), ": ")
		if !ok {
			continue
		}
		var x float64
		if _, err := fmt.Sscan(value, &x); err != nil {
			return nil, fmt.Errorf("%q: %w", in.Text(), err)
		}
		got[strings.Trim(name, "' ")] = x
	}
	return got, nil
}

// Telegraf is one that takes statsd's lines, or those of DogStatsD.
type Telegraf struct {
	*Process
	Address string // of UDP, HOST:PORT
	t       testing.TB
	out     string
}

// NewTelegraf is one that is running. binary is where .ci/statsd puts it.
func NewTelegraf(t testing.TB, binary string, dogstatsd bool) *Telegraf {
	t.Helper()
	binary, dir := Installed(t, binary, ".ci/statsd"), t.TempDir()
	g := &Telegraf{NewProcess(t), FreeAddress(t), t, filepath.Join(dir, "out.json")}
	config := filepath.Join(dir, "telegraf.conf")
	text := fmt.Sprintf(`
[agent]
  interval = "1s"
  flush_interval = "1s"
  omit_hostname = true
[[inputs.statsd]]
  protocol = "udp"
  service_address = %q
  metric_separator = "."
  delete_counters = true
  delete_gauges = false
  number_workers_threads = 1 # else datagrams are counted in any order, and a gauge ends as any of its values
  datadog_extensions = %v
[[outputs.file]]
  files = [%q]
  data_format = "json"
`, g.Address, dogstatsd, g.out)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	g.Start(exec.Command(binary, "--config", config))
	return g
}

// Counters are what it has added up. Those with tags are called as they were
// sent, "name tag:value,tag:value", with the tags in the order of tags.
func (g *Telegraf) Counters(tags ...string) map[string]float64 { return g.collected("counter", tags) }

// Gauges are what gauges were set to last.
func (g *Telegraf) Gauges(tags ...string) map[string]float64 { return g.collected("gauge", tags) }

func (g *Telegraf) collected(kind string, tags []string) map[string]float64 {
	g.t.Helper()
	f, err := os.Open(g.out)
	if err != nil {
		return nil // nothing was flushed
	}
	defer f.Close()
	all := map[string]float64{}
	for in := json.NewDecoder(f); ; {
		var m struct {
			Name   string             `json:"name"`
			Tags   map[string]string  `json:"tags"`
			Fields map[string]float64 `json:"fields"`
		}
		if err := in.Decode(&m); errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return all
		} else if err != nil {
			g.t.Fatal(err)
		}
		if m.Tags["metric_type"] != kind {
			continue
		}
		var tagged []string
		for _, tag := range tags {
			if v, ok := m.Tags[tag]; ok {
				tagged = append(tagged, tag+":"+v)
			}
		}
		name := strings.Join(slices.DeleteFunc([]string{m.Name, strings.Join(tagged, ",")}, func(s string) bool { return s == "" }), " ")
		if kind == "counter" {
			all[name] += m.Fields["value"]
		} else {
			all[name] = m.Fields["value"]
		}
	}
}
