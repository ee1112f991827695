// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

const module = "github.com/redsift/ingraind"

// part is what an agent can be built with.
type part struct {
	name   string // "sink s3"
	grains []string
	sinks  []string
	more   string  // another field of the agent
	aim    float64 // MB that it should add, or be, at most; 0: none
	to     string  // the part that it is added to; "": the first
	whole  bool    // bytes are of the agent, not what the part adds
	bytes  int64
}

// The agent that parts are added to.
var (
	grains = []string{"exec"}
	sinks  = []string{"console"}
)

// aims are in MB. The first part that is linked with net/http brings most of
// its own size with it.
var aims = map[string]float64{
	"statsd": 1, "syslog": 1, "journald": 1, "http": 4, "prometheus": 5, "s3": 10, "s3/parquet": 10, "otlp": 12, "kafka": 8,
}

// observer is the field of an agent that can be looked at.
const observer = ", Observer: observe.Part()"

// builder builds agents whose main is in no folder of the tree.
type builder struct {
	root, dir string
}

func newBuilder() (*builder, error) {
	mod, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return nil, fmt.Errorf("go env GOMOD: %w", err)
	}
	dir, err := os.MkdirTemp("", "ingraind-sizes-")
	return &builder{filepath.Dir(strings.TrimSpace(string(mod))), dir}, err
}

func (b *builder) close() { os.RemoveAll(b.dir) }

func (b *builder) file(name string) string { return filepath.Join(b.root, name) }

// parts are the smallest agent, one with each grain and each sink more, and one with all.
func (b *builder) parts() ([]part, error) {
	all := part{name: "all of them", whole: true}
	parts := []part{
		{name: "exec; console", grains: grains, sinks: sinks, whole: true},
		{name: "exec, conn; console, file", grains: []string{"exec", "conn"}, sinks: []string{"console", "file"}, aim: 7, whole: true},
	}
	found, err := filepath.Glob(b.file("grains/*.yaml"))
	for _, f := range found {
		name := strings.TrimSuffix(filepath.Base(f), ".yaml")
		if name == "agent" {
			continue
		}
		all.grains = append(all.grains, name)
		if name != grains[0] {
			parts = append(parts, part{name: "grain " + name, grains: append(grains[:1:1], name), sinks: sinks})
		}
	}
	more, moreErr := filepath.Glob(b.file("runtime/sink/*"))
	for _, f := range more {
		name := filepath.Base(f)
		if name == "internal" {
			continue
		}
		all.sinks = append(all.sinks, name)
		if name != sinks[0] {
			parts = append(parts, part{name: "sink " + name, grains: grains, sinks: append(sinks[:1:1], name), aim: aims[name]})
		}
	}
	for _, name := range []string{"s3/parquet"} { // sinks that are others, with more to them
		other := path.Dir(name)
		all.sinks[slices.Index(all.sinks, other)] = name
		parts = append(parts, part{name: "sink " + name, grains: grains, sinks: append(sinks[:1:1], name), aim: aims[name], to: "sink " + other})
	}
	all.more = observer
	parts = append(parts, part{name: "observe", grains: grains, sinks: sinks, more: observer, aim: aims["http"]})
	return append(parts, all), errors.Join(err, moreErr)
}

// size builds an agent and looks at it.
func (b *builder) size(p part) (int64, error) {
	agent := filepath.Join(b.dir, "agent")
	if _, err := b.tool(p, "build", "-trimpath", "-ldflags=-s -w", "-o", agent); err != nil {
		return 0, err
	}
	info, err := os.Stat(agent)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// links reports whether an agent is linked with a package.
func (b *builder) links(p part, name string) (bool, error) {
	deps, err := b.tool(p, "list", "-deps")
	return slices.Contains(strings.Fields(deps), name), err
}

// tool runs the go command on the main of an agent.
func (b *builder) tool(p part, verb string, flags ...string) (string, error) {
	main, overlay := filepath.Join(b.dir, "main.go"), filepath.Join(b.dir, "overlay.json")
	text, err := json.Marshal(map[string]any{"Replace": map[string]string{b.file("bench/sized/main.go"): main}})
	if err = errors.Join(err, os.WriteFile(main, appendMain(nil, p), 0o600), os.WriteFile(overlay, text, 0o600)); err != nil {
		return "", err
	}
	args := append([]string{verb, "-overlay", overlay}, flags...)
	cmd := exec.Command("go", append(args, "./bench/sized")...)
	cmd.Dir, cmd.Env = b.root, append(os.Environ(), "CGO_ENABLED=0")
	said, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%s: %w\n%s", p.name, err, said)
	}
	return string(said), err
}

// appendMain appends the program of an agent.
func appendMain(dst []byte, p part) []byte {
	dst = append(dst, "package main\n\nimport (\n"...)
	for _, g := range p.grains {
		dst = fmt.Appendf(dst, "\t%s_grain %q\n", g, module+"/generated/"+g)
	}
	for _, s := range p.sinks {
		dst = fmt.Appendf(dst, "\t%s_sink %q\n", path.Base(s), module+"/runtime/sink/"+s)
	}
	if p.more != "" {
		dst = fmt.Appendf(dst, "\t%q\n", module+"/runtime/observe")
	}
	dst = fmt.Appendf(dst, "\t%q\n\t%q\n)\n\n", module+"/runtime", module+"/runtime/agent")
	dst = append(dst, "func main() {\n\tagent.Main(agent.Agent{Name: \"sized\", Grains: []*runtime.Grain{"...)
	for _, g := range p.grains {
		dst = append(dst, g+"_grain.New(),"...)
	}
	dst = append(dst, "}, Sinks: []runtime.Part{"...)
	for _, s := range p.sinks {
		dst = append(dst, path.Base(s)+"_sink.Part(),"...)
	}
	return append(dst, "}"+p.more+"})\n}\n"...)
}
