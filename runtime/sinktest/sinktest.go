// SPDX-License-Identifier: Apache-2.0

// Package sinktest is what the tests of sinks share: numbered rows and counts of
// those that arrived, outages that a sink meets on its way, servers that
// outlive it, and rows of tables with each kind of cell.
package sinktest

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/redsift/ingraind/runtime"
)

// Settings are a sink's defaults, changed by "name=value".
func Settings(part runtime.Part, changes ...string) runtime.Settings {
	s := runtime.Settings{}
	for _, one := range part.Settings {
		s[one.Name] = one.Default
	}
	for _, change := range changes {
		name, value, _ := strings.Cut(change, "=")
		s[name] = value
	}
	return s
}

// Open opens and starts a sink with these settings. Who opens it closes it.
func Open(t testing.TB, part runtime.Part, changes ...string) runtime.Sink {
	t.Helper()
	s, err := part.Open(Settings(part, changes...))
	if err == nil {
		err = runtime.Start(s)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Full reports whether tests shall leave nothing out.
func Full() bool { return os.Getenv("INGRAIN_FULL") != "" }

// Rows is how many numbered rows an outage has.
func Rows() int {
	if Full() {
		return 1_000_000
	}
	return 100_000
}

// Until waits until done is true, and fails the test when that takes long.
func Until(t testing.TB, what string, done func() bool) {
	t.Helper()
	const most = 3 * time.Minute
	for end := time.Now().Add(most); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited %v for %s", most, what)
		}
	}
}
