// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/redsift/ingraind/runtime/runtimetest"
)

// built is the folder of the agent, once it has been built.
var built string

// buildAgent builds the agent once, unless INGRAIN_AGENT names one: where
// there is no compiler.
var buildAgent = sync.OnceValues(func() (string, error) {
	if name := os.Getenv("INGRAIN_AGENT"); name != "" {
		return name, nil
	}
	dir, err := os.MkdirTemp("", "ingraind")
	if err != nil {
		return "", err
	}
	built = dir
	if err := os.Chmod(dir, 0o755); err != nil {
		return "", err
	}
	name := filepath.Join(dir, "ingraind")
	build := exec.Command("go", "build", "-o", name, "../generated/ingraind")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the agent: %w\n%s", err, out)
	}
	return name, nil
})

// agentCommand is the agent with arguments.
func agentCommand(t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	name, err := buildAgent()
	if err != nil {
		t.Fatal(err)
	}
	return exec.Command(name, args...)
}

// watch starts the agent and waits until it watches. It is killed at the end
// of the test, if not before.
func watch(t testing.TB, out io.Writer, args ...string) *runtimetest.Watcher {
	t.Helper()
	cmd := agentCommand(t, append([]string{"-v"}, args...)...)
	cmd.Stdout = out
	return runtimetest.Watch(t, cmd)
}

// parse reads NDJSON as any JSON parser does.
func parse(t testing.TB, text []byte) (rows []runtimetest.Row) {
	t.Helper()
	if len(text) > 0 && text[len(text)-1] != '\n' {
		t.Error("the last line is not whole")
	}
	for line := range bytes.Lines(text) {
		d := json.NewDecoder(bytes.NewReader(line))
		d.UseNumber()
		var r runtimetest.Row
		if err := d.Decode(&r); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		rows = append(rows, r)
	}
	return rows
}

// checkWhole checks that each process of a load has its two events.
func checkWhole(t testing.TB, rows []runtimetest.Row, pids []int64) {
	t.Helper()
	got := map[string]int{}
	ours := map[int64]bool{}
	for _, pid := range pids {
		ours[pid] = true
	}
	for _, r := range rows {
		if ours[r.Int("who.pid")] && r.Text("who.comm") == "program" {
			got[r.Text("event")]++
		}
	}
	if got["exec"] != len(pids) || got["exit"] != len(pids) {
		t.Errorf("got %d exec and %d exit events, want %d of each", got["exec"], got["exit"], len(pids))
	}
}

func TestSignalEndsTheAgentWithAllFlushed(t *testing.T) {
	program := exits(t, "program", 0)
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(signal.String(), func(t *testing.T) {
			out := &bytes.Buffer{}
			w := watch(t, out, "-o", "json")
			pids := spawned(t, scale(1000), program, "load")
			w.Signal(t, signal)
			if code := w.Code(t, 5*time.Second); code != 0 {
				t.Errorf("got exit code %d, want 0: %s", code, w.Said())
			}
			checkWhole(t, parse(t, out.Bytes()), pids)
		})
	}
}

// TestSecondSignalEndsTheAgentAtOnce: the first one lets the sink have its
// time, and this one's never reads.
func TestSecondSignalEndsTheAgentAtOnce(t *testing.T) {
	program := exits(t, "program", 0)
	r, out, err := os.Pipe()
	must(t, err)
	defer r.Close()
	defer out.Close()
	_, err = unix.FcntlInt(out.Fd(), unix.F_SETPIPE_SZ, 4<<10)
	must(t, err)
	w := watch(t, out, "-o", "json")
	spawned(t, 50, program, "load") // more than the pipe holds
	w.Signal(t, syscall.SIGTERM)
	time.Sleep(time.Second)
	select {
	case <-w.Ended:
		t.Fatal("the agent ended, although its sink holds rows that nobody has read")
	default:
	}
	w.Signal(t, syscall.SIGTERM)
	if code := w.Code(t, time.Second); code != 128+int(syscall.SIGTERM) {
		t.Errorf("got exit code %d, want %d", code, 128+int(syscall.SIGTERM))
	}
}

func TestSIGUSR1PrintsTheLedger(t *testing.T) {
	w := watch(t, io.Discard, "-o", "json")
	before := len(w.Said())
	w.Signal(t, syscall.SIGUSR1)
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		text := w.Said()[before:]
		if strings.Contains(text, "exec.exec") && strings.Contains(text, "conn.connect") && strings.Contains(text, "console") {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("got %q after 5 s, want the ledger", text)
		}
	}
	w.Signal(t, syscall.SIGTERM)
	if code := w.Code(t, 5*time.Second); code != 0 {
		t.Errorf("got exit code %d, want 0", code)
	}
}

func TestReaderThatLeavesEndsTheAgent(t *testing.T) {
	program := exits(t, "program", 0)
	r, out, err := os.Pipe()
	must(t, err)
	w := watch(t, out, "-o", "json", "-grains", "exec")
	out.Close()
	spawned(t, 2, program, "load")
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, `{"time":"`) {
		t.Errorf("got %q (%v), want a row", line, err)
	}
	r.Close()
	spawned(t, 2, program, "load") // what it notices it by
	if code := w.Code(t, 5*time.Second); code != 0 {
		t.Errorf("got exit code %d, want 0: %s", code, w.Said())
	}
}

func TestForEndsTheAgentByItself(t *testing.T) {
	out := &bytes.Buffer{}
	began := time.Now()
	w := watch(t, out, "-o", "json", "-for", "1s")
	if code := w.Code(t, 6*time.Second); code != 0 || time.Since(began) < time.Second {
		t.Errorf("got exit code %d after %v, want 0 after a second", code, time.Since(began))
	}
	parse(t, out.Bytes())
}

func TestReplayGivesTheRowsOfTheWatch(t *testing.T) {
	program := exits(t, "program", 0)
	recording := filepath.Join(folder(t), "events.rec")
	live := &bytes.Buffer{}
	w := watch(t, live, "-o", "json", "-record", recording)
	pids := spawned(t, scale(1000), program, "load")
	traffic{"", "tcp4", "127.0.0.1:0", 1, 1, scale(500), 1, false}.flow(t)
	w.Signal(t, syscall.SIGTERM)
	if code := w.Code(t, 5*time.Second); code != 0 {
		t.Fatalf("got exit code %d, want 0: %s", code, w.Said())
	}
	checkWhole(t, parse(t, live.Bytes()), pids)
	replay := agentCommand(t, "replay", "-o", "json", recording)
	replay.Stderr = os.Stderr
	again, err := replay.Output()
	if got, want := events(again), events(live.Bytes()); err != nil || !bytes.Equal(got, want) {
		t.Errorf("got %d bytes of events (%v), want the %d bytes of the watch", len(got), err, len(want))
	}
	if !bytes.Contains(again, []byte(`"table":"ends"`)) || bytes.Contains(again, []byte(`"table":"starts"`)) {
		t.Error("want the tables of the agent in the replay, and not those of the kernel")
	}
}

// events are the lines that are no rows of tables: intervals of a replay begin
// with its first event, and what programs counted is in no recording.
func events(lines []byte) (kept []byte) {
	for line := range bytes.Lines(lines) {
		if !bytes.Contains(line, []byte(`,"table":"`)) {
			kept = append(kept, line...)
		}
	}
	return kept
}

func TestFileRotatesUnderLoadAndLosesNothing(t *testing.T) {
	program := exits(t, "program", 0)
	path := filepath.Join(folder(t), "rows.ndjson")
	w := watch(t, io.Discard, "-grains", "exec", "-sink", "file:path="+path+",max_size=64KiB,keep=0")
	pids := spawned(t, max(scale(5000), 300), program, "load")
	w.Signal(t, syscall.SIGTERM)
	if code := w.Code(t, 5*time.Second); code != 0 {
		t.Fatalf("got exit code %d, want 0: %s", code, w.Said())
	}
	files, err := filepath.Glob(path + "*")
	must(t, err)
	var rows []runtimetest.Row
	for _, name := range files {
		text, err := os.ReadFile(name)
		must(t, err)
		if len(text) > 64<<10 {
			t.Errorf("%s has %d bytes, want 64 KiB or less", name, len(text))
		}
		rows = append(rows, parse(t, text)...)
	}
	checkWhole(t, rows, pids)
	if len(files) < 2 {
		t.Errorf("got %d files, want one that is full", len(files))
	}
}

func TestWithoutRootTheAgentSaysInALineWhatItNeeds(t *testing.T) {
	c := agentCommand(t)
	c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := c.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 || bytes.Count(out, []byte("\n")) != 1 || !bytes.Contains(out, []byte("needs root")) {
		t.Errorf("got %v and %q, want exit code 1 and a line that says that it needs root", err, out)
	}
}

func TestUnknownKeyOfTheConfigurationHasItsPlace(t *testing.T) {
	name := filepath.Join(folder(t), "agent.yaml")
	must(t, os.WriteFile(name, []byte("latency: 10ms\ngrain: [exec]\n"), 0o644))
	out, err := agentCommand(t, "-config", name).CombinedOutput()
	var exit *exec.ExitError
	want := name + `:2:1: unknown key "grain"; did you mean "grains"?`
	if !errors.As(err, &exit) || exit.ExitCode() != 2 || !strings.Contains(string(out), want) {
		t.Errorf("got %v and %q, want exit code 2 and %q", err, out, want)
	}
}
