// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Each testdata/config/X.yaml has its mistakes, all of one run, in X.want.
func TestConfigMistakesHavePositions(t *testing.T) {
	files, err := filepath.Glob("testdata/config/*.yaml")
	if err != nil || len(files) < 20 {
		t.Fatalf("got %d files and error %v, want at least 20", len(files), err)
	}
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) {
			c := newCall()
			code := c.run("-config", name)
			got := strings.ReplaceAll(c.errs.String(), "testdata/config/", "")
			golden(t, strings.TrimPrefix(strings.TrimSuffix(name, ".yaml"), "testdata/")+".want", got)
			if code != 2 || c.fake.called > 0 || len(c.sinks) > 0 {
				t.Errorf("got exit code %d, %d calls of the runtime and %d open sinks, want 2, 0 and 0", code, c.fake.called, len(c.sinks))
			}
		})
	}
}

func TestConfigMayBeEmptyAndMayUseAliases(t *testing.T) {
	for name, text := range map[string]string{
		"empty":       "",
		"comments":    "# nothing\n",
		"null":        "~\n",
		"a document":  "---\nrings: 1MiB\n",
		"alias":       "params: {exec.max_depth: &n 8, exec.max_args: *n}\ngrains: [exec]\n",
		"null sink":   "sinks:\n  console:\n",
		"null value":  "sinks: {file: {path: }}\n",
		"quoted":      "\"rings\": '4096'\n",
		"other grain": "grains: [exec]\nparams: {conn.idle: 5s}\n",
	} {
		c := newCall()
		if code := c.run("-config", file(t, "agent.yaml", text)); code != 0 {
			t.Errorf("%s: got exit code %d: %s", name, code, &c.errs)
		}
	}
}

// A configuration is never a panic, and what is wrong names the file.
func FuzzConfig(f *testing.F) {
	files, err := filepath.Glob("testdata/config/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		_, mistakes := readConfig("agent.yaml", text)
		for _, err := range mistakes {
			if !strings.HasPrefix(err.Error(), "agent.yaml:") {
				t.Errorf("got %q, want its position in front", err)
			}
		}
	})
}
