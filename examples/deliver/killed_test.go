// SPDX-License-Identifier: Apache-2.0

package deliver

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redsift/ingraind/runtime/sinktest"
)

// life is what an agent was there for: numbers from first on, up to end.
type life struct {
	first, end int
	quiet      bool           // it had nothing to do when it was killed
	crashed    map[string]int // what its successor said was lost, by sink
}

// An agent is killed at random while it ships to four sinks, one of which may be
// away. Of each life and sink one stretch of numbers is missing at most, the
// last ones: no more than a batch that was being filled, those on their way to
// the disk, and what was in the rings. The next agent says so. Nothing is there
// twice where the receiver can tell, elsewhere at most one batch for each time
// that one of the two was killed.
func TestAKilledAgentLosesTheEndOfALifeAndSaysSo(t *testing.T) {
	const rate, most = 20_000, 10_000_000
	kills := 5
	if sinktest.Full() {
		kills = 25
	}
	random := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
	dir := t.TempDir()
	received := sinktest.NewTally(most)
	receiver, s3 := sinktest.NewReceiver(t), sinktest.NewS3(t, cache+"s3/versitygw")
	collector := sinktest.NewCollector(t, cache+"otlp/bin/otelcol-ingraind", "ingraind.number.number", received)
	collector.Start()
	spool := ", spool: " + filepath.Join(dir, "spool")
	config := sinks(
		fmt.Sprintf("file: {path: %s, max_size: 8MiB, keep: 0, fsync: never, spool_when: always%s}", filepath.Join(dir, "rows"), spool),
		fmt.Sprintf("http: {url: 'http://%s/rows', fsync: never, spool_when: always%s}", receiver.Address, spool),
		fmt.Sprintf("otlp: {endpoint: 'http://%s', spool_when: always%s}", collector.HTTP, spool),
		fmt.Sprintf("s3: {bucket: rows, endpoint: 'http://%s', interval: 1s, object_size: 64KiB, timeout: 3s%s}", s3.Address, spool),
	) + onlyNumbers

	var lives []*life
	first, ended := 1, 0 // how often an agent or a server was killed
	for k := range kills {
		away := []func() func(){
			func() func() { return func() {} },
			func() func() { ended++; receiver.Kill(); return receiver.Start },
			func() func() { s3.Pause(); return s3.Resume },
			func() func() { ended++; collector.Kill(); return collector.Start },
		}[random.IntN(4)]
		w := watch(t, config)
		if k > 0 {
			lives[k-1].crashed = crashed(t, w.Said())
		}
		l := &life{first: first, quiet: k%5 == 4}
		lives = append(lives, l)
		asker := ask(t, first, most, rate)
		time.Sleep(time.Duration(random.IntN(500)) * time.Millisecond)
		back := away()
		time.Sleep(time.Duration(random.IntN(1000)) * time.Millisecond)
		if l.quiet {
			l.end = asker.Stop()
			time.Sleep(300 * time.Millisecond) // the books are noted; a batch is a second old at the earliest
		}
		w.Signal(t, syscall.SIGKILL)
		ended++
		if !l.quiet {
			l.end = asker.Stop()
		}
		w.Code(t, 10*time.Second)
		back()
		first = l.end + 1000
	}
	w := watch(t, config)
	lives[kills-1].crashed = crashed(t, w.Said())
	sinktest.Until(t, "all that was spooled", func() bool { b := books(t, w); return sum(b, "spooled")+sum(b, "pending") == 0 })
	w.Signal(t, syscall.SIGTERM)
	if code := w.Code(t, 20*time.Second); code != 0 || !strings.Contains(w.Said(), "the books balance\n") {
		t.Errorf("got exit code %d: %s", code, w.Said())
	}

	tallies := map[string]*sinktest.Tally{"file": sinktest.NewTally(most), "http": sinktest.NewTally(most), "s3": sinktest.NewTally(most), "otlp": received}
	files, err := filepath.Glob(filepath.Join(dir, "rows*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		addNumbers(t, tallies["file"], string(text))
	}
	for _, text := range receiver.Batches() {
		addNumbers(t, tallies["http"], text)
	}
	for _, text := range s3.Objects() {
		addNumbers(t, tallies["s3"], text)
	}
	const (
		open  = 64<<10/200 + 1 // a batch, of rows that have more than 200 bytes
		write = 16             // so many are written at a time
		rings = rate / 5       // what the load did until all of the agent was gone
	)
	for sink, tally := range tallies {
		most, said, lost := open+rings, 0, 0
		if sink == "s3" || sink == "otlp" { // they wait for the disk
			most += write * open
		}
		for k, l := range lives {
			n := checkLife(t, fmt.Sprintf("%s, life %d", sink, k), tally.Missing(l.first, l.end), l, l.crashed[sink], most)
			lost, said = lost+n, said+l.crashed[sink]
		}
		t.Logf("%s: %d numbers, %d again; %d are missing, agents said that at least %d are", sink, tally.Distinct(), tally.Again(), lost, said)
		if sink != "otlp" && tally.Again() > 0 {
			t.Errorf("%s: %d rows are there twice", sink, tally.Again())
		}
		if said < lost/10 {
			t.Errorf("%s: agents said that %d rows are missing, of %d", sink, said, lost)
		}
	}
	if again, differs := receiver.Again(); again > ended || differs > 0 {
		t.Errorf("http: %d batches came again, want at most %d; %d of them with other rows", again, ended, differs)
	}
	again := 0
	for _, times := range collector.Batches() {
		again += times - 1
	}
	if again > ended {
		t.Errorf("otlp: %d batches came again, want at most %d", again, ended)
	}
}

// checkLife wants one stretch of a life to be missing at most, its last, and the
// next agent to have said so, of all of it when it was quiet. It says how many
// numbers are missing.
func checkLife(t *testing.T, what string, missing []sinktest.Stretch, l *life, said, most int) (lost int) {
	t.Helper()
	for _, s := range missing {
		lost += s.Len()
	}
	t.Logf("%s, quiet %v: %d numbers, %d missing, %d said", what, l.quiet, l.end-l.first, lost, said)
	if len(missing) > 1 || lost > 0 && missing[0].To != l.end-1 {
		t.Errorf("%s: missing of %d to %d are %v, want one stretch, the last", what, l.first, l.end-1, missing)
	}
	if lost > most {
		t.Errorf("%s: %d numbers are missing, want at most %d", what, lost, most)
	}
	if said > lost || l.quiet && said != lost {
		t.Errorf("%s: %d numbers are missing, the next agent said %d", what, lost, said)
	}
	return lost
}

// crashed is what an agent says at its start of the one before, by sink.
func crashed(t *testing.T, log string) map[string]int {
	t.Helper()
	all := map[string]int{}
	for line := range strings.Lines(log) {
		var said struct {
			Sink    string
			AtLeast int `json:"at_least"`
		}
		if err := json.Unmarshal([]byte(line), &said); err == nil && said.AtLeast > 0 {
			all[said.Sink] = said.AtLeast
		}
	}
	return all
}

// addNumbers counts the numbers of rows, a JSON object a line.
func addNumbers(t *testing.T, tally *sinktest.Tally, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		var row struct{ Number int }
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatalf("%v: %q", err, line)
		}
		tally.Add(row.Number)
	}
}
