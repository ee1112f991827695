// SPDX-License-Identifier: Apache-2.0

package kafka_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// An agent like examples/ship, as it is shipped, with this sink and without.
func TestTheSinkMakesAnAgentAtMost8MBLarger(t *testing.T) {
	const most = 8e6
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	ship, err := os.ReadFile(root + "/examples/ship/generated/ship/main.go")
	if err != nil {
		t.Fatal(err)
	}
	built := func(name, source string) float64 {
		t.Helper()
		dir := t.TempDir()
		overlay, err := json.Marshal(map[string]map[string]string{"Replace": {
			root + "/examples/ship/generated/" + name + "/main.go": write(t, dir+"/main.go", source),
		}})
		if err != nil {
			t.Fatal(err)
		}
		c := exec.Command("go", "build", "-overlay", write(t, dir+"/overlay", string(overlay)), "-trimpath", "-ldflags=-s -w", "-o", dir+"/agent", "./examples/ship/generated/"+name)
		c.Dir, c.Env = root, append(os.Environ(), "CGO_ENABLED=0")
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		info, err := os.Stat(dir + "/agent")
		if err != nil {
			t.Fatal(err)
		}
		return float64(info.Size())
	}
	with := strings.NewReplacer("runtime/sink/s3", "runtime/sink/kafka", "s3.Part()", "kafka.Part()").Replace(string(ship))
	without := strings.NewReplacer(`"github.com/redsift/ingraind/runtime/sink/s3"`, "", "s3.Part(),", "").Replace(string(ship))
	if with == string(ship) || without == string(ship) || !strings.Contains(with, "kafka.Part(),") {
		t.Fatalf("examples/ship does not list s3:\n%s", ship)
	}
	a, b := built("with", with), built("without", without)
	t.Logf("%.2f MB with the sink, %.2f MB without: %.2f MB", a/1e6, b/1e6, (a-b)/1e6)
	if a-b > most {
		t.Errorf("the sink makes it %.2f MB larger, want at most %.0f", (a-b)/1e6, most/1e6)
	}
}
