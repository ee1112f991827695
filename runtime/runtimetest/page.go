// SPDX-License-Identifier: Apache-2.0

package runtimetest

import (
	"os"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/redsift/ingraind/runtime"
)

// SinkPage holds a sink's page to the sink: page has a row for each setting,
// with its default, and the configuration in the file config, which the page
// quotes, sets nothing else. It returns what that configuration asks for,
// defaults included, for Part.Open.
func SinkPage(t testing.TB, part runtime.Part, page, config string) runtime.Settings {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	settings := runtime.Settings{}
	for _, s := range part.Settings {
		settings[s.Name] = s.Default
		if !hasRow(string(text), s) {
			t.Errorf("%s has no row for %s, default %q", page, s.Name, s.Default)
		}
	}
	if text, err = os.ReadFile(config); err != nil {
		t.Fatal(err)
	}
	var asked struct{ Sinks map[string]map[string]string }
	if err := yaml.Unmarshal(text, &asked); err != nil {
		t.Fatal(err)
	}
	for name, value := range asked.Sinks[part.Name] {
		if _, ok := settings[name]; ok {
			settings[name] = value
		} else if !slices.Contains([]string{"fsync", "memory", "on_full", "spool", "spool_max", "spool_when"}, name) { // of any sink
			t.Errorf("%s: there is no setting %s", config, name)
		}
	}
	return settings
}

// hasRow looks for a row of a Markdown table such as
//
//	| `cert_file`, `key_file` | | what they are |
//	| `timeout` | `10s` | what it is |
func hasRow(page string, s runtime.Setting) bool {
	for line := range strings.Lines(page) {
		columns := strings.Split(line, "|")
		if len(columns) < 4 || !strings.Contains(columns[1], "`"+s.Name+"`") {
			continue
		}
		return s.Default == "" || strings.Contains(columns[2], "`"+s.Default+"`")
	}
	return false
}
