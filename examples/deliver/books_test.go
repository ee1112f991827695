// SPDX-License-Identifier: Apache-2.0

package deliver

import (
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redsift/ingraind/runtime/runtimetest"
)

// books are what an agent at work prints of its sinks, by name and column.
func books(t *testing.T, w *runtimetest.Watcher) map[string]map[string]int {
	t.Helper()
	before := len(w.Said())
	w.Signal(t, syscall.SIGUSR1)
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if text := w.Said()[before:]; strings.Contains(text, "the books ") {
			return parseBooks(text)
		}
	}
	t.Fatalf("the agent prints no books: %s", w.Said())
	return nil
}

// parseBooks reads the tables of a ledger that are called sinks and spools.
func parseBooks(ledger string) map[string]map[string]int {
	all := map[string]map[string]int{}
	var columns []string
	for line := range strings.Lines(ledger) {
		words := strings.Fields(line)
		switch {
		case len(words) == 0:
		case !strings.HasPrefix(line, "  "):
			columns = nil
			if words[0] == "sinks" || words[0] == "spools" {
				columns = words[1:]
			}
		case len(words) == len(columns)+1:
			name := words[0]
			if all[name] == nil {
				all[name] = map[string]int{}
			}
			for i, column := range columns {
				all[name][column], _ = strconv.Atoi(words[1+i])
			}
		}
	}
	return all
}

// sum is a column over all sinks.
func sum(books map[string]map[string]int, column string) (n int) {
	for _, b := range books {
		n += b[column]
	}
	return n
}
