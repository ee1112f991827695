// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/redsift/ingraind/runtime"
)

// reloads runs an agent with the texts of a configuration, one after the other,
// and SIGHUP between them; it returns the changes that the runtime was asked for
// in words, and what the agent logged.
func reloads(t *testing.T, texts ...string) (changes []string, c *call) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "agent.yaml")
	write := func(text string) {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c = newCall()
	c.fake.work = func(ctx context.Context, o runtime.Options) (runtime.Ledger, error) {
		for _, text := range texts[1:] {
			write(text)
			c.signals <- syscall.SIGHUP
			c.signals <- syscall.SIGUSR1 // taken when the one before was served
			(<-o.Ledger)(runtime.Ledger{})
			select {
			case change := <-o.Changes:
				changes = append(changes, inWords(change))
			default:
				changes = append(changes, "none")
			}
		}
		return runtime.Ledger{}, nil
	}
	write(texts[0])
	if code := c.run("-config", name); code != 0 {
		t.Fatalf("got exit code %d: %s", code, &c.errs)
	}
	return changes, c
}

func inWords(c runtime.Change) string {
	var words []string
	for _, l := range c.Lanes {
		switch {
		case l.Sink == nil:
			words = append(words, "keep "+l.Name)
		case l.OpenSpool != nil:
			words = append(words, "new "+l.Name+" with a spool")
		default:
			words = append(words, "new "+l.Name)
		}
	}
	for _, name := range []string{"conn.connect", "exec.exec", "exec.exit"} {
		if sinks, ok := c.Routes[name]; ok {
			words = append(words, name+" to ["+strings.Join(sinks, " ")+"]")
		}
	}
	return strings.Join(words, ", ")
}

func TestSIGHUPMakesSinksAndRoutesThoseOfTheFile(t *testing.T) {
	changes, c := reloads(t,
		"sinks: {console: }",
		"sinks: {console: , file: {path: /tmp/a}}",
		"sinks: {console: , file: {path: /tmp/b, spool: /tmp/s}}\nroutes: {exec: [file], exec.exit: [], '*': console}",
		"sinks: {file: {path: /tmp/b, spool: /tmp/s}}\nrings: 1MiB\ngrains: [exec]",
		"sinks: {file: {path: /tmp/b, spool: /tmp/s, memory: 1MiB}}\nrings: 1MiB\ngrains: [exec]",
	)
	want := []string{
		"keep console, new file",
		"keep console, new file with a spool, conn.connect to [console], exec.exec to [file], exec.exit to []",
		"keep file",
		"new file with a spool",
	}
	if diff := cmp.Diff(want, changes); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for _, want := range []string{
		`sinks="console kept, file added"`, `sinks="console kept, file changed"`,
		`sinks="file kept, console removed" after_a_restart="grains, rings"`,
	} {
		if !strings.Contains(c.errs.String(), want) {
			t.Errorf("want %s in the log:\n%s", want, &c.errs)
		}
	}
}

func TestAFileWithAMistakeChangesNothing(t *testing.T) {
	changes, c := reloads(t,
		"sinks: {console: }",
		"sinks:\n  fiel: {path: /tmp/a}\n  console:\n    frmt: json\n",
		"sinks: {console: , file: {path: /missing/a}}",
		"sinks: [console",
		"sinks: {console: }\nroutes: {exec: []}",
	)
	want := []string{"none", "none", "none", "keep console, exec.exec to [], exec.exit to []"}
	if diff := cmp.Diff(want, changes); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for _, want := range []string{`agent.yaml:2:3: unknown sink`, `agent.yaml:4:5: sink console: unknown key`, `agent.yaml:1:20: sink file: path: no such directory`, "YAML syntax"} {
		if !strings.Contains(c.errs.String(), want) {
			t.Errorf("want %s in the log:\n%s", want, &c.errs)
		}
	}
}

func TestSIGHUPWithoutAFileEndsTheAgent(t *testing.T) {
	c := newCall()
	c.fake.work = func(ctx context.Context, _ runtime.Options) (runtime.Ledger, error) {
		c.signals <- syscall.SIGHUP
		<-ctx.Done()
		return runtime.Ledger{}, ctx.Err()
	}
	if code := c.run(); code != 0 {
		t.Errorf("got exit code %d: %s", code, &c.errs)
	}
}
