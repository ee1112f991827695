// SPDX-License-Identifier: Apache-2.0

package deliver

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/redsift/ingraind/runtime/runtimetest"
	"github.com/redsift/ingraind/runtime/sinktest"
)

func TestMain(m *testing.M) {
	sinktest.BeReceiver()
	code := m.Run()
	if built != "" {
		os.RemoveAll(built)
	}
	os.Exit(code)
}

// built is the folder of the agent, once it has been built.
var built string

var buildAgent = sync.OnceValues(func() (string, error) {
	if os.Geteuid() != 0 {
		return "", errors.New("these tests run an agent: run them as root")
	}
	var err error
	if built, err = os.MkdirTemp("", "deliver"); err != nil {
		return "", err
	}
	name := filepath.Join(built, "deliver")
	build := exec.Command("go", "build", "-o", name, "./generated/deliver")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the agent: %w\n%s", err, out)
	}
	return name, nil
})

// watch starts the agent with a configuration, of which more lines are sinks,
// and waits until it watches. It tells of single numbers alone, unless told to
// tell more.
func watch(t testing.TB, config string) *runtimetest.Watcher {
	t.Helper()
	name, err := buildAgent()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "agent.yaml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return runtimetest.Watch(t, exec.Command(name, "-v", "-config", file))
}

// onlyNumbers routes the rows of tables nowhere.
const onlyNumbers = "routes: {number.counted: []}\n"

// sinks are the lines of a configuration, a sink each.
func sinks(lines ...string) string { return "sinks:\n  " + strings.Join(lines, "\n  ") + "\n" }

// Where .ci installs servers.
const cache = "../../.cache/"
