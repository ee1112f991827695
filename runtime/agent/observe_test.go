// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"context"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/redsift/ingraind/runtime"
)

// observed is a call of an agent with an observer, which notes what it is opened with.
func observed() (c *call, opened *[]runtime.Settings, ended *int) {
	c, opened, ended = newCall(), new([]runtime.Settings), new(int)
	c.agent.Observer = &runtime.Observer{
		Settings: []runtime.Setting{{Name: "address", Help: "Where."}, {Name: "pprof", Default: "false", Help: "Whether."}},
		Open: func(s runtime.Settings, o runtime.Observed) (io.Closer, error) {
			if s.Text("address") == "taken" {
				return nil, errors.New("that port is taken")
			}
			*opened = append(*opened, s)
			return closer(func() error { *ended++; return nil }), nil
		},
	}
	return c, opened, ended
}

type closer func() error

func (c closer) Close() error { return c() }

func TestListenOpensTheObserverWhileTheAgentRuns(t *testing.T) {
	at := "127.0.0.1:9464"
	for text, want := range map[string]runtime.Settings{
		"":                                  nil,
		"listen: 127.0.0.1:9464":            {"address": at, "pprof": "false"},
		"listen: {address: 127.0.0.1:9464}": {"address": at, "pprof": "false"},
		"listen: {pprof: true}":             nil,
		"listen: {address: x, pprof: true}": {"address": "x", "pprof": "true"},
		"-listen 127.0.0.1:9464":            {"address": at, "pprof": "false"},
		"-listen 127.0.0.1:9464,pprof=true": {"address": at, "pprof": "true"},
		"-listen ,address=y":                {"address": "y", "pprof": "false"},
	} {
		c, opened, ended := observed()
		args := strings.Fields(text)
		if !strings.HasPrefix(text, "-") {
			args = []string{"-config", file(t, "agent.yaml", text)}
		}
		if code := c.run(args...); code != 0 {
			t.Fatalf("%s: got exit code %d: %s", text, code, &c.errs)
		}
		var got runtime.Settings
		if len(*opened) > 0 {
			got = (*opened)[0]
		}
		if !reflect.DeepEqual(got, want) || *ended != len(*opened) {
			t.Errorf("%s: opened with %v and ended %d times, want %v and as often as it was opened", text, got, *ended, want)
		}
	}
}

func TestListenSaysWhatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		"listen: [a]":          "agent.yaml:1:9: listen: want keys and values, as in {address: 127.0.0.1:9464}",
		"listen: {adress: a}":  `agent.yaml:1:10: unknown key "adress"; did you mean "address"?`,
		"listen: {pprof: [a]}": "agent.yaml:1:17: pprof: want one value",
		"listen: taken":        "ingraind: listen: that port is taken",
	} {
		c, _, _ := observed()
		path := file(t, "agent.yaml", text)
		code := c.run("-config", path)
		if got := strings.ReplaceAll(c.errs.String(), strings.TrimSuffix(path, "agent.yaml"), ""); code == 0 || !strings.HasPrefix(got, want) || c.fake.called > 0 {
			t.Errorf("%s: got exit code %d and %q, want %q", text, code, got, want)
		}
	}
	c := newCall()
	if code := c.run("-listen", "127.0.0.1:9464"); code != 2 || !strings.Contains(c.errs.String(), "-listen: this agent was built without an observer") {
		t.Errorf("without an observer: got exit code %d and %q", code, &c.errs)
	}
}

func TestOnlyAgentsWithAnObserverSpeakOfIt(t *testing.T) {
	for _, args := range [][]string{{"help"}, {"config"}, {"config", "-schema"}, {"completion", "bash"}, {"completion", "zsh"}, {"completion", "fish"}} {
		with, _, _ := observed()
		without := newCall()
		with.run(args...)
		without.run(args...)
		if !strings.Contains(with.out.String(), "listen") || strings.Contains(without.out.String(), "listen:") || strings.Contains(without.out.String(), "-listen") {
			t.Errorf("%q: want it of an agent with an observer alone", args)
		}
	}
	c, _, _ := observed()
	if asked, mistakes := readConfig("printed.yaml", []byte(defaultsOf(t, c.agent))); len(mistakes) > 0 || asked.listen == nil {
		t.Errorf("got %v and %v", asked.listen, mistakes)
	}
}

// Who asks for a report of an agent that does not answer gives up in time.
func TestAReportIsWaitedForNoLongerThanItsContext(t *testing.T) {
	c, _, _ := observed()
	var report func(context.Context) (runtime.Report, error)
	c.agent.Observer.Open = func(_ runtime.Settings, o runtime.Observed) (io.Closer, error) {
		report = o.Report
		return closer(func() error { return nil }), nil
	}
	c.run("-listen", "127.0.0.1:9464") // the fake never answers
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := report(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the context's error", err)
	}
}
