// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"go/build"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// An agent is put together in its main: this package knows no grain and no
// sink. It is the one place outside of the generator that reads YAML.
func TestAgentImportsOnlyTheRuntimeAndYAML(t *testing.T) {
	allowed := []string{"github.com/redsift/ingraind/runtime", "gopkg.in/yaml.v3", "golang.org/x/sys/unix"}
	pkg, err := build.ImportDir(".", 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range pkg.Imports {
		host, _, _ := strings.Cut(path, "/")
		if strings.Contains(host, ".") && !slices.Contains(allowed, path) {
			t.Errorf("got an import of %s, want only the standard library and %v", path, allowed)
		}
	}
}

// These make every agent megabytes larger.
func TestAgentLinksNoHTTPAndNoTemplates(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	deps := strings.Fields(string(out))
	for _, heavy := range []string{"net/http", "crypto/tls", "text/template", "html/template"} {
		if slices.Contains(deps, heavy) {
			t.Errorf("the agent links %s", heavy)
		}
	}
}
