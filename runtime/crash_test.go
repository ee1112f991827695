// SPDX-License-Identifier: Apache-2.0

package runtime_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redsift/ingraind/runtime"
)

// journal is a receiver that outlives the agent: a batch is a line of a file,
// its name and its numbers, that one write appends.
type journal struct {
	file *os.File
	mood func() error
}

func (*journal) Encoding() runtime.Encoding { return runtime.NDJSON{} }
func (*journal) Close() error               { return nil }

func (j *journal) Ship(_ context.Context, b *runtime.Batch) error {
	if err := j.mood(); err != nil {
		return err
	}
	line := b.Name + " " + strings.ReplaceAll(strings.TrimSpace(string(b.Bytes)), "\n", " ") + "\n"
	if _, err := j.file.WriteString(line); err != nil {
		return err
	}
	return j.mood() // it may have been taken, and the answer lost
}

// TestCrashingAgent is no test, but the agent that the test below kills. It
// says "begun" and its books, adds numbers from its argument on, notes how far
// it is; when it is told to stop, it says "quiet" when its books must be noted.
func TestCrashingAgent(t *testing.T) {
	args := strings.Fields(os.Getenv("INGRAIN_CRASHING_AGENT"))
	if len(args) != 5 {
		return // run by TestKilledAgentsLoseOnlyWhatWasNotSpooled alone
	}
	dir, always, quiet := args[0], args[1] == "always", args[2] == "quiet"
	first, _ := strconv.Atoi(args[3])
	seed, _ := strconv.ParseUint(args[4], 10, 64)
	random := rand.New(rand.NewPCG(seed, 9))
	received, err := os.OpenFile(filepath.Join(dir, "received"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	added, err := os.Create(filepath.Join(dir, "added"))
	if err != nil {
		t.Fatal(err)
	}
	down := time.Now().Add(time.Duration(random.IntN(200)) * time.Millisecond)
	moods := rand.New(rand.NewPCG(seed, 10))
	sink := &journal{received, func() error {
		if time.Now().Before(down) || moods.IntN(10) == 0 {
			return errors.New("away")
		}
		return nil
	}}
	spool, err := runtime.OpenSpool(runtime.SpoolOptions{Dir: filepath.Join(dir, "spool"), Always: always, Sync: runtime.Sync{When: runtime.SyncNever}})
	if err != nil {
		t.Fatal(err)
	}
	lanes := runtime.NewLanes(runtime.NewLane(runtime.LaneOptions{Name: "journal", Sink: sink, Spool: spool}))
	b := lanes.Books()[0]
	fmt.Println("begun", b.Inherited, b.Crashed)
	if first < 0 { // the last one ships what is left
		for b := lanes.Books()[0]; b.Spooled > 0; b = lanes.Books()[0] {
			time.Sleep(10 * time.Millisecond)
		}
		mustClose(t, lanes)
		return
	}
	e := numbers()
	n := first
	started := time.Now()
	var now time.Time
	for {
		for range 500 {
			lanes.Add(numbered(e, n))
			n++
		}
		if _, err := added.WriteAt(fmt.Appendf(nil, "%10d", n), 0); err != nil {
			t.Fatal(err)
		}
		now = time.Now()
		lanes.Tick(now)
		time.Sleep(5 * time.Millisecond)
		if quiet && now.Sub(started) > 300*time.Millisecond {
			break
		}
	}
	for range 100 { // no batch grows older, and the books are noted
		lanes.Tick(now)
		time.Sleep(5 * time.Millisecond)
	}
	fmt.Println("quiet")
	time.Sleep(time.Hour)
}

// An agent that is killed loses what was in its open batch, and what was not
// yet spooled; the next one says so, and ships the rest under the names it had.
func TestKilledAgentsLoseOnlyWhatWasNotSpooled(t *testing.T) {
	kills := 16
	if testing.Short() {
		kills = 4
	}
	for _, always := range []string{"always", "trouble"} {
		dir := t.TempDir()
		random := rand.New(rand.NewPCG(uint64(len(always)), 2))
		type life struct {
			first, added int
			quiet        bool
			claimed      int
		}
		var lives []life
		first := 0
		for k := range kills + 1 {
			l := life{first: first, quiet: k%4 == 3}
			from := strconv.Itoa(first)
			if k == kills {
				from = "-1"
			}
			mode := map[bool]string{true: "quiet", false: "busy"}[l.quiet]
			cmd := exec.Command(os.Args[0], "-test.run=^TestCrashingAgent$")
			cmd.Env = append(os.Environ(), fmt.Sprintf("INGRAIN_CRASHING_AGENT=%s %s %s %s %d", dir, always, mode, from, k))
			cmd.Stderr = os.Stderr
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewScanner(out)
			for lines.Scan() {
				var inherited, crashed int
				if _, err := fmt.Sscanf(lines.Text(), "begun %d %d", &inherited, &crashed); err == nil {
					if k > 0 {
						lives[k-1].claimed = crashed
					}
					break
				}
			}
			if k == kills {
				for lines.Scan() {
				}
				if err := cmd.Wait(); err != nil {
					t.Fatalf("the last agent: %v", err)
				}
				break
			}
			if l.quiet {
				for lines.Scan() && lines.Text() != "quiet" {
				}
			} else {
				time.Sleep(time.Duration(random.IntN(700)) * time.Millisecond)
			}
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait()
			text, err := os.ReadFile(filepath.Join(dir, "added"))
			if err != nil {
				t.Fatal(err)
			}
			l.added, _ = strconv.Atoi(strings.TrimSpace(string(text)))
			lives = append(lives, l)
			first = l.added + 10_000 // the note may be late
		}
		text, err := os.ReadFile(filepath.Join(dir, "received"))
		if err != nil {
			t.Fatal(err)
		}
		batches, again := map[string]string{}, 0
		seen := map[int]string{}
		for line := range strings.Lines(string(text)) {
			name, rows, _ := strings.Cut(strings.TrimSpace(line), " ")
			if before, ok := batches[name]; ok {
				if again++; before != rows {
					t.Errorf("batch %s came with other rows", name)
				}
				continue
			}
			batches[name] = rows
			for _, word := range strings.Fields(rows) {
				n, err := strconv.Atoi(word)
				if err != nil {
					t.Fatal(err)
				}
				if other := seen[n]; other != "" {
					t.Errorf("row %d is in batches %s and %s", n, other, name)
				}
				seen[n] = name
			}
		}
		for k, l := range lives {
			var missing []int
			for n := l.first; n < l.added; n++ {
				if seen[n] == "" {
					missing = append(missing, n)
				}
			}
			if len(missing) > 0 && (missing[len(missing)-1] != l.added-1 || missing[0] != l.added-len(missing)) {
				t.Errorf("%s: life %d: %d rows from %d to %d are missing, want one range, up to %d", always, k, len(missing), missing[0], missing[len(missing)-1], l.added-1)
			}
			if most := 64 << 10 / 5; len(missing) > most {
				t.Errorf("%s: life %d: %d rows are missing, want at most those of an open batch, %d", always, k, len(missing), most)
			}
			const slack = 1500 // rows between two notes of the test's own
			if l.claimed > len(missing)+slack || l.quiet && l.claimed != len(missing) {
				t.Errorf("%s: life %d, quiet %v: %d rows are missing, the next agent said %d", always, k, l.quiet, len(missing), l.claimed)
			}
			t.Logf("%s: life %d, quiet %v: %d rows, %d missing, %d said", always, k, l.quiet, l.added-l.first, len(missing), l.claimed)
		}
		t.Logf("%s: %d batches, %d of them again", always, len(batches), again)
		if len(slices.Collect(func(yield func(string) bool) {
			for name := range batches {
				if len(name) != 32 && !yield(name) {
					return
				}
			}
		})) > 0 {
			t.Error("a batch came without its name")
		}
	}
}
