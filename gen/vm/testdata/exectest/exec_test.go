// SPDX-License-Identifier: Apache-2.0

// Package exectest is run inside a guest by TestGoTestExecWorks.
package exectest

import (
	"os"
	"strings"
	"testing"
)

func TestInGuest(t *testing.T) {
	text, err := os.ReadFile("testdata/hello.txt")
	if err != nil {
		t.Fatal(err)
	}
	version, err := os.ReadFile("/proc/version")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s on %s", strings.TrimSpace(string(text)), version)
	if os.Getenv("INGRAIN_VMTEST_FAIL") != "" {
		t.Error("told to fail")
	}
}
