// SPDX-License-Identifier: Apache-2.0

package statsd_test

import (
	"maps"
	"testing"

	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/runtimetest"
	"github.com/redsift/ingraind/runtime/sink/statsd"
	"github.com/redsift/ingraind/runtime/sinktest"
)

// open is the sink with its default settings, but for some: "mtu=512".
func open(t testing.TB, settings ...string) runtime.Sink {
	t.Helper()
	s, err := tryOpen(settings...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func tryOpen(settings ...string) (runtime.Sink, error) {
	return statsd.Part().Open(sinktest.Settings(statsd.Part(), settings...))
}

func TestMistakesInSettingsAreSaid(t *testing.T) {
	const address = " is neither HOST:PORT, such as 127.0.0.1:8125 or [::1]:8125, nor a socket, such as unix:///var/run/statsd.sock"
	for _, c := range []struct{ setting, want string }{
		{"address=", `address: ""` + address},
		{"address=localhost", `address: "localhost"` + address},
		{"address=:8125", `address: ":8125"` + address},
		{"address=::1:8125", `address: "::1:8125"` + address},
		{"address=localhost:0", `address: "localhost:0"` + address},
		{"address=localhost:70000", `address: "localhost:70000"` + address},
		{"address=unix://run/s", `address: "unix://run/s" is no socket such as unix:///var/run/statsd.sock: want the whole path`},
		{"dialect=datadog", `dialect: "datadog" is neither statsd nor dogstatsd`},
		{"prefix=a..b", `prefix: "a..b" is no name such as ingraind.metrics: up to 128 letters, digits, _ and -, with single dots between`},
		{"prefix=a:b", `prefix: "a:b" is no name such as ingraind.metrics: up to 128 letters, digits, _ and -, with single dots between`},
		{"mtu=1.4KiB", `mtu: "1.4KiB" is no number of bytes from 256 to 65507`},
		{"mtu=255", `mtu: "255" is no number of bytes from 256 to 65507`},
	} {
		if _, err := tryOpen(c.setting); err == nil || err.Error() != c.want {
			t.Errorf("%s: got %v, want %s", c.setting, err, c.want)
		}
	}
	for _, fine := range []string{"prefix=", "prefix=a", "address=[::1]:8125", "address=a.b:1", "address=unix:///x"} {
		if _, err := tryOpen(fine); err != nil {
			t.Errorf("%s: got %v", fine, err)
		}
	}
}

func TestTheVariablesOf2018TurnItOn(t *testing.T) {
	for _, c := range []struct {
		environ map[string]string
		address string
		on      bool
	}{
		{nil, "", false},
		{map[string]string{"STATSD_PORT": "1"}, "127.0.0.1:1", false},
		{map[string]string{"STATSD_HOST": "stats"}, "stats:8125", true},
		{map[string]string{"STATSD_HOST": "::1", "STATSD_PORT": "9"}, "[::1]:9", true},
		{map[string]string{"STATSD_HOST": "[::1]"}, "[::1]:8125", true},
	} {
		s, on := statsd.Part().Environ(func(name string) string { return c.environ[name] })
		want := runtime.Settings{"address": c.address}
		if c.address == "" {
			want = nil
		}
		if on != c.on || !maps.Equal(s, want) {
			t.Errorf("%v: got %v, %v, want %v, %v", c.environ, s, on, want, c.on)
		}
		if on {
			if _, err := tryOpen("address=" + s["address"]); err != nil {
				t.Errorf("%v: %v", c.environ, err)
			}
		}
	}
}

func TestTheConfigurationOfTheDocumentIsTaken(t *testing.T) {
	asked := runtimetest.SinkPage(t, statsd.Part(), "../../../docs/sinks/statsd.md", "testdata/config.yaml")
	s, err := statsd.Part().Open(asked)
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
}
