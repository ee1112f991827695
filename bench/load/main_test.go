// SPDX-License-Identifier: Apache-2.0

package main

import (
	"path/filepath"
	"testing"
	"time"
)

func TestTotalIsRateTimesLength(t *testing.T) {
	if got := total(100_000, 1500*time.Millisecond); got != 150_000 {
		t.Errorf("got %d, want 150000", got)
	}
}

func TestLoadFailsWhenItCannotOpen(t *testing.T) {
	if _, err := load(filepath.Join(t.TempDir(), "none"), 1000, time.Second, time.Millisecond); err == nil {
		t.Error("got no error for a file that does not exist")
	}
}

func TestFloodCountsWhatItOpens(t *testing.T) {
	opens, err := flood("/dev/null", 20*time.Millisecond)
	if err != nil || opens == 0 {
		t.Errorf("got %d opens, %v, want some", opens, err)
	}
	if _, err := flood(filepath.Join(t.TempDir(), "none"), time.Second); err == nil {
		t.Error("got no error for a file that does not exist")
	}
}

func TestCallsSayWhatOneCosts(t *testing.T) {
	calls, ns := call(15_000)
	if calls != 15_000 || ns <= 0 {
		t.Errorf("got %d calls of %v ns, want 15000 of some", calls, ns)
	}
}
