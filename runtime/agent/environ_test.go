// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/redsift/ingraind/runtime"
)

// newCallWithin is a call of an agent that has a sink that heeds STATS_HOST,
// which turns it on, and STATS_PATH, which does not.
func newCallWithin(environ map[string]string) *call {
	c := newCall()
	part := c.sinks.part("stats", "Sends numbers.", runtime.Setting{Name: "path"}, runtime.Setting{Name: "host", Default: "here"})
	part.Variables = []runtime.Variable{{Name: "STATS_HOST", Help: "Turns the sink stats on."}, {Name: "STATS_PATH", Help: "Its path."}}
	part.Environ = func(lookup func(string) string) (runtime.Settings, bool) {
		s := runtime.Settings{}
		if v := lookup("STATS_HOST"); v != "" {
			s["host"] = v
		}
		if v := lookup("STATS_PATH"); v != "" {
			s["path"] = v
		}
		return s, s["host"] != ""
	}
	c.agent.Sinks = append(c.agent.Sinks, part)
	c.env.Variable = func(name string) string { return environ[name] }
	return c
}

func TestTheEnvironmentTurnsASinkOn(t *testing.T) {
	config := filepath.Join(t.TempDir(), "c.yaml")
	if err := os.WriteFile(config, []byte("sinks: {stats: {host: from-file}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	host := map[string]string{"STATS_HOST": "a", "STATS_PATH": "/p"}
	for _, c := range []struct {
		environ map[string]string
		args    []string
		sinks   string // as the lanes have them
		want    runtime.Settings
	}{
		{nil, nil, "console", nil},
		{map[string]string{"STATS_PATH": "/p"}, nil, "console", nil},
		{map[string]string{"STATS_PATH": "/p"}, []string{"-sink", "stats"}, "stats", runtime.Settings{"host": "here", "path": "/p"}},
		{host, nil, "console stats", runtime.Settings{"host": "a", "path": "/p"}},
		{host, []string{"-sink", "file"}, "file stats", runtime.Settings{"host": "a", "path": "/p"}},
		{host, []string{"-sink", "stats:host=b"}, "stats", runtime.Settings{"host": "b", "path": "/p"}},
		{host, []string{"-config", config}, "stats", runtime.Settings{"host": "from-file", "path": "/p"}},
	} {
		call := newCallWithin(c.environ)
		if code := call.run(c.args...); code != 0 {
			t.Errorf("%v %q: got exit code %d and %q", c.environ, c.args, code, &call.errs)
			continue
		}
		var names []string
		for _, lane := range call.fake.order.Lanes {
			names = append(names, lane.Name)
		}
		if got := strings.Join(names, " "); got != c.sinks {
			t.Errorf("%v %q: got sinks %s, want %s", c.environ, c.args, got, c.sinks)
		}
		for name, want := range c.want {
			if got := call.sinks["stats"].settings[name]; got != want {
				t.Errorf("%v %q: got %s %q, want %q", c.environ, c.args, name, got, want)
			}
		}
	}
}

// Rows of long ago are no news to a server that counts what arrives.
func TestTheEnvironmentTurnsNoSinkOnForAReplay(t *testing.T) {
	c := newCallWithin(map[string]string{"STATS_HOST": "a"})
	if code := c.run("replay", "-"); code != 0 || len(c.fake.order.Lanes) != 1 {
		t.Errorf("got exit code %d, %q and %d lanes, want the console alone", code, &c.errs, len(c.fake.order.Lanes))
	}
}

func TestAMistakeOfTheEnvironmentIsSaidToBeThere(t *testing.T) {
	c := newCallWithin(map[string]string{"STATS_HOST": "a", "STATS_PATH": "/missing"})
	if code := c.run(); code != 1 || c.errs.String() != "ingraind: environment: sink stats: path: no such directory\n" {
		t.Errorf("got exit code %d and %q", code, &c.errs)
	}
}

func TestHelpNamesTheVariablesOfSinks(t *testing.T) {
	c := newCallWithin(nil)
	if code := c.run("help", "run"); code != 0 || !regexp.MustCompile(`STATS_HOST +Turns the sink stats on\.`).Match(c.out.Bytes()) {
		t.Errorf("got exit code %d and\n%s", code, &c.out)
	}
}
