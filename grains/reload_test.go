// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redsift/ingraind/runtime/runtimetest"
)

// Processes end while the sink that has their rows is replaced again and again:
// another file, the same file otherwise, with a spool and without. No probe is
// detached and each process is in one of the files, once.
func TestSIGHUPReplacesSinksAndLosesNoRow(t *testing.T) {
	dir := folder(t)
	config := filepath.Join(dir, "agent.yaml")
	configure := func(sinks string) {
		// Renamed, so that the agent never reads half of it.
		must(t, os.WriteFile(config+".new", []byte("grains: [exec]\nsinks:\n"+sinks+"routes: {exec.exec: [], exec.starts: [], exec.ends: []}\n"), 0o600))
		must(t, os.Rename(config+".new", config))
	}
	file := func(name, more string) string {
		return fmt.Sprintf("  file: {path: %s%s}\n", filepath.Join(dir, name), more)
	}
	spool := ", spool: " + filepath.Join(dir, "spool")
	configure(file("a", ""))
	w := watch(t, io.Discard, "-config", config)
	var pids []int
	load := func() {
		for range 100 {
			pids = append(pids, fork(t, runtimetest.ExitGroup(0)).pid)
		}
	}
	reread := func(want string, times int) {
		for end := time.Now().Add(30 * time.Second); strings.Count(w.Said(), want) < times; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("waited 30 s for %q, %d times: %s", want, times, w.Said())
			}
		}
	}
	const again = "the configuration was read again"
	for n, sinks := range []string{
		file("b", ""), file("b", ", max_size: 4KiB, keep: 0"), file("b", ", max_size: 4KiB, keep: 0"+spool), file("a", spool+", spool_when: always"), file("c", ""),
	} {
		load()
		configure(sinks)
		w.Signal(t, syscall.SIGHUP)
		load()
		reread(again, n+1)
	}
	must(t, os.WriteFile(config, []byte("sinks:\n  fiel: {}\n"), 0o600))
	w.Signal(t, syscall.SIGHUP)
	reread("agent.yaml:2:3: unknown sink", 1)
	load()
	w.Signal(t, syscall.SIGTERM)
	if code := w.Code(t, 20*time.Second); code != 0 || !strings.Contains(w.Said(), "the books balance\n") {
		t.Errorf("got exit code %d: %s", code, w.Said())
	}
	if n := strings.Count(w.Said(), again); n != 5 {
		t.Errorf("it was read again %d times, want 5: %s", n, w.Said())
	}
	ended := map[int]int{}
	names, err := filepath.Glob(filepath.Join(dir, "[abc]*"))
	must(t, err)
	for _, name := range names {
		if strings.HasPrefix(filepath.Base(name), "agent") {
			continue
		}
		text, err := os.ReadFile(name)
		must(t, err)
		for _, row := range parse(t, text) {
			if row.Text("event") == "exit" {
				ended[int(row.Int("who.pid"))]++
			}
		}
	}
	missing, twice := 0, 0
	for _, pid := range pids {
		switch ended[pid] {
		case 0:
			missing++
		case 1:
		default:
			twice++
		}
	}
	if missing > 0 || twice > 0 {
		t.Errorf("of %d processes %d are in no file, %d twice: %s", len(pids), missing, twice, w.Said())
	}
}
