// SPDX-License-Identifier: Apache-2.0

package deliver

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redsift/ingraind/runtime/runtimetest"
	"github.com/redsift/ingraind/runtime/sinktest"
)

// A sink that is away while 50,000 rows come in a second costs the agent bounded
// memory and no row, and when it is back the backlog goes five times as fast as
// rows come.
func TestABacklogGoesFiveTimesAsFastAsRowsCome(t *testing.T) {
	const rate, most = 50_000, 100_000_000
	away := 4 * time.Second
	if sinktest.Full() {
		away = 60 * time.Second
	}
	for _, sink := range []string{"file", "http"} {
		t.Run(sink, func(t *testing.T) {
			dir := t.TempDir()
			logs := filepath.Join(dir, "logs")
			if err := os.Mkdir(logs, 0o700); err != nil {
				t.Fatal(err)
			}
			move := func(from, to string) {
				if err := os.Rename(from, to); err != nil {
					t.Fatal(err)
				}
			}
			spool := "spool: " + filepath.Join(dir, "spool")
			receiver := sinktest.NewReceiver(t)
			line := map[string]string{
				"file": fmt.Sprintf("file: {path: %s, keep: 0, %s}", filepath.Join(logs, "rows"), spool),
				"http": fmt.Sprintf("http: {url: 'http://%s/rows', %s}", receiver.Address, spool),
			}[sink]
			leave := map[string]func(){"file": func() { move(logs, logs+".away") }, "http": receiver.Kill}[sink]
			back := map[string]func(){"file": func() { move(logs+".away", logs) }, "http": receiver.Start}[sink]
			w := watch(t, sinks(line)+onlyNumbers)
			asker := ask(t, 1, most, rate)
			time.Sleep(2 * time.Second)
			before := memory(t, w, "VmRSS")
			leave()
			time.Sleep(away)
			b := books(t, w)[sink]
			peak := memory(t, w, "VmHWM")
			t.Logf("after %v: %d rows are spooled, %d in memory; the agent had %d KiB, now at most %d", away, b["spooled"], b["pending"], before, peak)
			back()
			// Retries have pauses: the way back begins when the last look saw no row shipped.
			var began time.Time
			var now map[string]int
			for now = b; now["shipped"] == b["shipped"]; now = books(t, w)[sink] {
				began = time.Now()
			}
			sinktest.Until(t, "the backlog to go", func() bool { now = books(t, w)[sink]; return now["spooled"] == 0 })
			took := time.Since(began)
			last := asker.Stop()
			ratio := float64(now["shipped"]-b["shipped"]) / took.Seconds() / rate
			t.Logf("%d rows in %v: %.1f times as fast as rows came", now["shipped"]-b["shipped"], took, ratio)
			w.Signal(t, syscall.SIGTERM)
			if code := w.Code(t, 20*time.Second); code != 0 || !strings.Contains(w.Said(), "the books balance\n") {
				t.Errorf("got exit code %d: %s", code, w.Said())
			}
			end := parseBooks(w.Said())[sink]
			if end["in"] != last-1 || end["shipped"] != last-1 || end["dropped"] > 0 {
				t.Errorf("got %v of %d numbers, want all of them shipped", end, last-1)
			}
			// The lane's 8 MiB, the batches between, and what Go's collector has not got round to.
			if most := 48 << 10; peak-before > most {
				t.Errorf("the agent had %d KiB, and %d while the sink was away, want at most %d more", before, peak, most)
			}
			if ratio < 5 {
				t.Errorf("the backlog went %.1f times as fast as rows came, want 5", ratio)
			}
		})
	}
}

// memory is a line of what the kernel says of an agent's memory, in KiB.
func memory(t *testing.T, w *runtimetest.Watcher, name string) (kib int) {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", w.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	_, line, _ := strings.Cut(string(text), name+":")
	if _, err := fmt.Sscan(line, &kib); err != nil {
		t.Fatal(err)
	}
	return kib
}
