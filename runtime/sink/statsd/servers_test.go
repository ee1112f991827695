// SPDX-License-Identifier: Apache-2.0

package statsd_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
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

// server is a process that ends with the test.
type server struct {
	cmd    *exec.Cmd
	output *bytes.Buffer
	ended  bool
}

func start(t *testing.T, installed, name string, args ...string) *server {
	t.Helper()
	if _, err := os.Stat(installed); err != nil {
		t.Fatalf("the server is not installed: run .ci/statsd, which needs npm and Go (%v)", err)
	}
	s := &server{cmd: exec.Command(name, args...), output: &bytes.Buffer{}}
	s.cmd.Stdout, s.cmd.Stderr = s.output, s.output
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.end()
		if t.Failed() {
			t.Logf("%s printed:\n%s", name, s.output)
		}
	})
	return s
}

// end asks the server to end, and waits for it.
func (s *server) end() {
	if !s.ended {
		s.ended = true
		_ = s.cmd.Process.Signal(syscall.SIGTERM)
		kill := time.AfterFunc(10*time.Second, func() { _ = s.cmd.Process.Kill() })
		_ = s.cmd.Wait()
		kill.Stop()
	}
}

// freePorts are ports of UDP and TCP that nobody had a moment ago.
func freePorts(t *testing.T) (udp, tcp int) {
	t.Helper()
	p := listen(t, "udp", "127.0.0.1:0")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p.Close()
	l.Close()
	return p.LocalAddr().(*net.UDPAddr).Port, l.Addr().(*net.TCPAddr).Port
}

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
	udp, tcp := freePorts(t)
	config := filepath.Join(t.TempDir(), "config.js")
	text := fmt.Sprintf(`{address: "127.0.0.1", port: %d, mgmt_address: "127.0.0.1", mgmt_port: %d, flushInterval: 600000, backends: []}`, udp, tcp)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, etsy, "node", etsy, config)
	want := sent(t, "statsd")
	shipSent(t, open(t, fmt.Sprintf("address=127.0.0.1:%d", udp)), want)
	counters, gauges := sums(t, want)

	var gotCounters, gotGauges map[string]float64
	eventually(t, "ask the server", func() error {
		var err error
		if gotCounters, err = asked(tcp, "counters"); err != nil {
			return err
		}
		if gotGauges, err = asked(tcp, "gauges"); err != nil {
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

// asked is the answer of etsy's statsd to a command at its port for that: an
// object in the notation of JavaScript, one "name: number" a line.
func asked(port int, command string) (map[string]float64, error) {
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
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
		var x float64
		if !ok {
			continue
		}
		if _, err := fmt.Sscan(value, &x); err != nil {
			return nil, fmt.Errorf("%q: %w", in.Text(), err)
		}
		got[strings.Trim(name, "' ")] = x
	}
	return got, nil
}

func TestTelegrafCountsWhatWasSent(t *testing.T) {
	for _, dialect := range dialects {
		t.Run(dialect, func(t *testing.T) {
			dir := t.TempDir()
			udp, _ := freePorts(t)
			out := filepath.Join(dir, "out.json")
			config := filepath.Join(dir, "telegraf.conf")
			text := fmt.Sprintf(`
[agent]
  interval = "1s"
  flush_interval = "1s"
  omit_hostname = true
[[inputs.statsd]]
  protocol = "udp"
  service_address = "127.0.0.1:%d"
  metric_separator = "."
  delete_counters = true
  delete_gauges = false
  number_workers_threads = 1 # else datagrams are counted in any order, and a gauge ends as any of its values
  datadog_extensions = %v
[[outputs.file]]
  files = [%q]
  data_format = "json"
`, udp, dialect == "dogstatsd", out)
			if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			server := start(t, telegraf, telegraf, "--config", config)
			want := sent(t, dialect)
			shipSent(t, open(t, fmt.Sprintf("address=127.0.0.1:%d", udp), "dialect="+dialect), want)
			counters, gauges := sums(t, want)
			if dialect == "dogstatsd" { // telegraf takes a sign in front as "change by" in this one, too
				for name, x := range gauges {
					if x < 0 {
						delete(gauges, name)
					}
				}
			}
			eventually(t, "counters", func() error {
				if diff := cmp.Diff(counters, collected(t, out, "counter")); diff != "" {
					return fmt.Errorf("-sent +counted:\n%s", diff)
				}
				return nil
			})
			server.end()
			if diff := cmp.Diff(counters, collected(t, out, "counter")); diff != "" {
				t.Errorf("counters: -sent +counted:\n%s", diff)
			}
			got := collected(t, out, "gauge")
			for name, x := range gauges {
				if got[name] != x {
					t.Errorf("gauge %s: got %v, want %v", name, got[name], x)
				}
			}
			if bytes.Contains(server.output.Bytes(), []byte("E! ")) {
				t.Error("telegraf printed an error")
			}
		})
	}
}

// collected are the metrics of a kind that telegraf wrote, named as they were
// sent: counters added up, gauges as they were last.
func collected(t *testing.T, file, kind string) map[string]float64 {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	all := map[string]float64{}
	for in := json.NewDecoder(bytes.NewReader(text)); ; {
		var m struct {
			Name   string             `json:"name"`
			Tags   map[string]string  `json:"tags"`
			Fields map[string]float64 `json:"fields"`
		}
		if err := in.Decode(&m); err == io.EOF || err == io.ErrUnexpectedEOF {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		if m.Tags["metric_type"] != kind {
			continue
		}
		name, separator := m.Name, " "
		for _, tag := range []string{"comm", "exe", "uid", "code", "signal", "role", "peer", "port", "error", "took", "le"} {
			if v, ok := m.Tags[tag]; ok {
				name += separator + tag + ":" + v
				separator = ","
			}
		}
		if kind == "counter" {
			all[name] += m.Fields["value"]
		} else {
			all[name] = m.Fields["value"]
		}
	}
}
