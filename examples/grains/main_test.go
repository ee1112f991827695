// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"os"
	"os/exec"
	"testing"
)

// TestMain lets the test binary play other roles: what a test needs a process
// of its own for.
func TestMain(m *testing.M) {
	if role, ok := roles[os.Getenv("INGRAIN_ROLE")]; ok {
		role()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// roles are what the test binary can be told to do instead of testing.
var roles = map[string]func(){
	"agent":   agentRole,
	"returns": returnsRole,
	"dial":    dialRole,
	"mark":    markRole,
}

// role is a command that plays a role.
func role(t testing.TB, name string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Env = append(os.Environ(), "INGRAIN_ROLE="+name)
	return cmd
}
