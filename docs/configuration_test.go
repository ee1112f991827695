// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"github.com/redsift/ingraind/generated/conn"
	"github.com/redsift/ingraind/generated/cpu"
	"github.com/redsift/ingraind/generated/dns"
	"github.com/redsift/ingraind/generated/exec"
	filegrain "github.com/redsift/ingraind/generated/file"
	"github.com/redsift/ingraind/generated/net"
	"github.com/redsift/ingraind/generated/priv"
	"github.com/redsift/ingraind/generated/syscall"
	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/agent"
	"github.com/redsift/ingraind/runtime/observe"
	"github.com/redsift/ingraind/runtime/sink/console"
	"github.com/redsift/ingraind/runtime/sink/file"
	"github.com/redsift/ingraind/runtime/sink/http"
	"github.com/redsift/ingraind/runtime/sink/journald"
	"github.com/redsift/ingraind/runtime/sink/kafka"
	"github.com/redsift/ingraind/runtime/sink/otlp"
	"github.com/redsift/ingraind/runtime/sink/prometheus"
	"github.com/redsift/ingraind/runtime/sink/s3/parquet"
	"github.com/redsift/ingraind/runtime/sink/statsd"
	"github.com/redsift/ingraind/runtime/sink/syslog"
)

var update = flag.Bool("update", false, "write what is generated of the documents")

// everything is an agent with all stock grains and all sinks; s3/parquet is s3,
// with more to it.
func everything() agent.Agent {
	return agent.Agent{
		Observer: observe.Part(),
		Name:     "ingraind",
		Grains:   []*runtime.Grain{exec.New(), conn.New(), cpu.New(), dns.New(), filegrain.New(), net.New(), priv.New(), syscall.New()},
		Optional: []string{"cpu", "dns", "file", "net", "priv", "syscall"},
		Sinks: []runtime.Part{
			console.Part(), file.Part(), http.Part(), journald.Part(), kafka.Part(), otlp.Part(), prometheus.Part(), parquet.Part(), statsd.Part(), syslog.Part(),
		},
	}
}

func TestEverythingIsThere(t *testing.T) {
	a := everything()
	for pattern, n := range map[string]int{"runtime/sink/*/*.go": len(a.Sinks), "grains/*.yaml": len(a.Grains) + 1} { // agent.yaml
		found, err := filepath.Glob(filepath.Join(root, pattern))
		folders := map[string]bool{}
		for _, name := range found {
			if strings.HasSuffix(name, ".go") {
				name = filepath.Dir(name)
			}
			folders[name] = true
		}
		if err != nil || len(folders) != n {
			t.Errorf("%s: got %d and error %v, want the %d of everything", pattern, len(folders), err, n)
		}
	}
}

// says is what an agent prints.
func says(t *testing.T, a agent.Agent, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	if code := agent.Run(context.Background(), a, args, agent.Env{Stdout: &out, Stderr: &errs}); code != 0 {
		t.Fatalf("%q: got exit code %d: %s", args, code, &errs)
	}
	return out.String()
}

func TestThePageOfConfigurationIsWhatAgentsPrint(t *testing.T) {
	generated(t, "docs/configuration.schema.json", says(t, everything(), "config", "-schema"))
	page := filepath.Join(root, "docs/configuration.md")
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(text), "<!-- printed -->\n```yaml\n")
	_, tail, more := strings.Cut(rest, "```\n")
	if !ok || !more {
		t.Fatal("configuration.md has no printed block")
	}
	generated(t, "docs/configuration.md", head+"<!-- printed -->\n```yaml\n"+says(t, everything(), "config")+"```\n"+tail)
}

// generated compares a file with what it is generated from, or writes it.
func generated(t *testing.T, name, want string) {
	t.Helper()
	path := filepath.Join(root, name)
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("%s is not what is printed (error %v): go test ./docs -run %s -update", name, err, t.Name())
	}
}

func TestTheSchemaTakesConfigurationsAndRefusesMistakes(t *testing.T) {
	compiler := jsonschema.NewCompiler()
	schema, err := compiler.Compile(filepath.Join(root, "docs/configuration.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	right := []string{"", "grains: [exec]", "sinks: {console: }", "routes: {exec: [file], '*': console, conn.connect: []}", "rings: 4096", "listen: 127.0.0.1:9464", "listen: {address: 127.0.0.1:9464, pprof: true}", "params: {exec.max_args: 4KiB}",
		regexp.MustCompile(`(?m)^#($|[^ ]|  )`).ReplaceAllString(says(t, everything(), "config"), "$1")}
	for _, d := range documents(t) {
		for _, b := range d.marked("config") {
			right = append(right, b.text)
		}
	}
	for _, text := range right {
		if err := schema.Validate(decoded(t, text)); err != nil {
			t.Errorf("%v: refused\n%s", err, text)
		}
	}
	for _, text := range []string{"grain: [exec]", "grains: []", "grains: [no]", "grains: exec", "sinks: {kafkaesque: }", "sinks: {file: {paht: /x}}", "sinks: {file: {path: [/x]}}",
		"routes: {exec: [no]}", "routes: {no: [file]}", "params: {exec.no: 1}", "on: {exec.no: [eth0]}", "transport: bus", "rings: [1]", "listen: [1]", "listen: {adress: x}", "[]"} {
		if schema.Validate(decoded(t, text)) == nil {
			t.Errorf("the schema takes\n%s", text)
		}
	}
}

// decoded is YAML as JSON's values.
func decoded(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := yaml.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	encoded, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	v, err = jsonschema.UnmarshalJSON(bytes.NewReader(encoded))
	if err != nil {
		t.Fatal(err)
	}
	return v
}
