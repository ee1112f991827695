// SPDX-License-Identifier: Apache-2.0

package http_test

import (
	"os"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/redsift/ingraind/runtime/sink/http"
)

// docs/sinks/http.md quotes this configuration, and has a row for each setting.
func TestTheConfigurationOfTheDocumentIsTaken(t *testing.T) {
	text, err := os.ReadFile("testdata/config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var config struct{ Sinks map[string]map[string]string }
	if err := yaml.Unmarshal(text, &config); err != nil {
		t.Fatal(err)
	}
	asked := config.Sinks["http"]
	if asked["spool"] == "" || asked["token_file"] == "" {
		t.Errorf("got %q, want a spool and a token", asked)
	}
	delete(asked, "spool") // a setting of any sink
	asked["token_file"] = write(t, "token", "t\n")
	known := map[string]bool{}
	page, err := os.ReadFile("../../../docs/sinks/http.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range http.Part().Settings {
		known[s.Name] = true
		row := "| `" + s.Name + "` |"
		if s.Name == "cert_file" || s.Name == "key_file" {
			row = "| `cert_file`, `key_file` |"
		}
		if s.Default != "" {
			row += " `" + s.Default + "` |"
		}
		if !strings.Contains(string(page), row) {
			t.Errorf("the document has no row %s", row)
		}
	}
	var settings []string
	for name, value := range asked {
		if settings = append(settings, name+"="+value); !known[name] {
			t.Errorf("there is no setting %s", name)
		}
	}
	open(t, asked["url"], settings...)
}
