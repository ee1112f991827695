// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// ship is an agent that was built with an observer, while it runs.
type ship struct {
	at   string // its address
	cmd  *exec.Cmd
	rows string // the file with its rows
	log  *syncLog
}

type syncLog struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *syncLog) add(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.WriteString(line + "\n")
}

func (l *syncLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

var listening = regexp.MustCompile(`"listening","address":"([^"]+)"`)

func start(t *testing.T, more string) *ship {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("this test loads eBPF programs: run it as root")
	}
	dir := t.TempDir()
	binary := filepath.Join(dir, "ship")
	if out, err := exec.Command("go", "build", "-o", binary, "../../examples/ship/generated/ship").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	s := &ship{rows: filepath.Join(dir, "rows"), log: &syncLog{}}
	out, err := os.Create(s.rows)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	s.cmd = exec.Command(binary, "-sink", "console", "-listen", "127.0.0.1:0"+more)
	s.cmd.Stdout, s.cmd.SysProcAttr = out, &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	errs, err := s.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.cmd.Process.Kill(); s.cmd.Wait() })
	addresses := make(chan string, 1)
	go func() {
		for lines := bufio.NewScanner(errs); lines.Scan(); {
			s.log.add(lines.Text())
			if found := listening.FindStringSubmatch(lines.Text()); found != nil {
				addresses <- found[1]
			}
		}
		close(addresses)
	}()
	select {
	case s.at = <-addresses:
	case <-time.After(30 * time.Second):
	}
	if s.at == "" {
		t.Fatalf("it does not listen: %s", s.log)
	}
	return s
}

// get is a page, and its status.
func (s *ship) get(t *testing.T, path string) (string, int) {
	t.Helper()
	resp, err := http.Get("http://" + s.at + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text), resp.StatusCode
}

// await asks for a page until its status is 200.
func (s *ship) await(t *testing.T, path string) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		text, code := s.get(t, path)
		if code == http.StatusOK {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s: got %d for 30 s: %s", path, code, text)
		}
	}
}

// metric is the value of a series.
func metric(t *testing.T, page, series string) int {
	t.Helper()
	for line := range strings.Lines(page) {
		if text, ok := strings.CutPrefix(strings.TrimSpace(line), series+" "); ok {
			v, err := strconv.ParseFloat(text, 64)
			if err != nil {
				t.Fatal(err)
			}
			return int(v)
		}
	}
	t.Fatalf("there is no %s in\n%s", series, page)
	return 0
}

func TestAnAgentThatListensCountsWhatItSees(t *testing.T) {
	s := start(t, ",run_time=true,pprof=true")
	s.await(t, "/readyz")
	s.await(t, "/healthz")
	const n = 300
	for range n {
		if err := exec.Command("/bin/true").Run(); err != nil {
			t.Fatal(err)
		}
	}
	series := func(name, labels string) string { return fmt.Sprintf("ingrain_%s{%s}", name, labels) }
	const exit = `grain="exec",event="exit"`
	var page string
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(100 * time.Millisecond) { // until all that was seen is a row
		page, _ = s.get(t, "/metrics")
		if seen := metric(t, page, series("events_seen_total", exit)); seen >= n && seen == metric(t, page, series("events_rows_total", exit)) {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("waited 30 s for %d processes to be rows:\n%s", n, page)
		}
	}
	checkMetrics(t, page)
	// At least the exec and the end of each.
	if runs := metric(t, page, `ingrain_reader_decoded_total`); runs < 2*n {
		t.Errorf("got %d events, want at least %d", runs, 2*n)
	}
	if !regexp.MustCompile(`ingrain_program_runs_total\{grain="exec",probe="\w+",program="\w+"\} [1-9]`).MatchString(page) ||
		!regexp.MustCompile(`ingrain_program_seconds_total\{[^}]+\} 0\.0*[1-9]|ingrain_program_seconds_total\{[^}]+\} [1-9]`).MatchString(page) {
		t.Errorf("no program ran for any time:\n%s", page)
	}
	if !regexp.MustCompile(`ingrain_map_bytes\{grain="exec",map="starts"\} [1-9]`).MatchString(page) {
		t.Errorf("the table starts takes no memory:\n%s", page)
	}
	if text, code := s.get(t, "/debug/pprof/goroutine?debug=1"); code != 200 || !strings.Contains(text, "goroutine profile") {
		t.Errorf("pprof: got %d and %.200s", code, text)
	}
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("%v: %s", err, s.log)
	}
	rows, err := os.ReadFile(s.rows)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(string(rows), `"event":"exit"`); got < n || metric(t, page, series("sink_rows_total", `sink="console"`)) > strings.Count(string(rows), "\n") {
		t.Errorf("got %d rows of exit and %d in all, want at least %d, and what the metrics said", got, strings.Count(string(rows), "\n"), n)
	}
}

func TestProfilesAreServedWhenTheyAreAskedFor(t *testing.T) {
	s := start(t, "")
	s.await(t, "/healthz")
	if _, code := s.get(t, "/debug/pprof/"); code != http.StatusNotFound {
		t.Errorf("pprof, which nobody asked for: got %d, want 404", code)
	}
}
