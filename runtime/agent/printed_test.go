// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"bytes"
	"encoding/json"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// defaultsOf is the printed configuration with what is commented out in force.
func defaultsOf(t *testing.T, a Agent) string {
	t.Helper()
	return regexp.MustCompile(`(?m)^#($|[^ ]|  )`).ReplaceAllString(string(appendConfig(nil, a)), "$1")
}

func TestThePrintedConfigurationChangesNothing(t *testing.T) {
	c := newCall()
	if code := c.run("config"); code != 0 {
		t.Fatalf("got exit code %d: %s", code, &c.errs)
	}
	golden(t, "config.txt", c.out.String())
	asked, mistakes := readConfig("printed.yaml", c.out.Bytes())
	if len(mistakes) > 0 || !reflect.DeepEqual(asked, request{}) {
		t.Errorf("got %+v and %v, want nothing", asked, mistakes)
	}
}

// Each line that is commented out is read, and says what holds without it.
func TestThePrintedDefaultsAreTheDefaults(t *testing.T) {
	c := newCall()
	text := defaultsOf(t, c.agent)
	s := &session{agent: c.agent, env: c.env, verb: runVerb()}
	standard, mistakes := s.setup()
	s.flags.config = file(t, "agent.yaml", text)
	printed, more := s.setup()
	if mistakes = append(mistakes, more...); len(mistakes) > 0 {
		t.Fatalf("%v in\n%s", mistakes, text)
	}
	if !reflect.DeepEqual(printed.grains, standard.grains) {
		t.Errorf("grains: got %v", printed.request.grains)
	}
	for name, v := range printed.params {
		if _, param := c.agent.param(name); param.Default != v {
			t.Errorf("param %s: got %d, want its default %d", name, v, param.Default)
		}
	}
	if len(printed.params)+len(printed.calls) != len(c.agent.paramNames()) || len(printed.sinks) != len(c.agent.Sinks) {
		t.Errorf("got %d params and %d sinks, want all", len(printed.params)+len(printed.calls), len(printed.sinks))
	}
	for _, sink := range printed.sinks {
		if !reflect.DeepEqual(sink.settings, defaults(sink.part)) || !reflect.DeepEqual(sink.delivery, c.agent.deliveryDefaults(sink.part)) {
			t.Errorf("sink %s: got %v and %v", sink.part.Name, sink.settings, sink.delivery)
		}
	}
	if len(printed.on)+len(printed.routes) > 0 {
		t.Errorf("got on %v and routes %v, want none", printed.on, printed.routes)
	}
	for _, key := range namesOfKeys(c.agent.keys()) {
		if !strings.Contains(text, "\n"+key+":") {
			t.Errorf("the key %s is missing in\n%s", key, text)
		}
	}
}

func TestTheSchemaDescribesEachKey(t *testing.T) {
	c := newCall()
	if code := c.run("config", "-schema"); code != 0 {
		t.Fatalf("got exit code %d: %s", code, &c.errs)
	}
	golden(t, "config.schema.json", c.out.String())
	var s schema
	decoder := json.NewDecoder(bytes.NewReader(c.out.Bytes()))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&s); err != nil {
		t.Fatal(err)
	}
	for _, key := range namesOfKeys(c.agent.keys()) {
		if s.Properties[key].Description == "" {
			t.Errorf("the key %s is not described", key)
		}
	}
	for _, part := range c.agent.Sinks {
		for _, name := range append(settingNames(&part), namesOf(deliverySettings())...) {
			if s.Properties["sinks"].Properties[part.Name].Properties[name].Description == "" {
				t.Errorf("the key %s of sink %s is not described", name, part.Name)
			}
		}
	}
}

func TestAnEmptyAgentHasAConfigurationToo(t *testing.T) {
	if _, mistakes := readConfig("printed.yaml", []byte(defaultsOf(t, Agent{Name: "empty"}))); len(mistakes) > 2 {
		t.Errorf("got %v", mistakes)
	}
}

func TestAPairIsReadAsItWasWritten(t *testing.T) {
	for _, value := range []string{"", "1MiB", "127.0.0.1:8125", "yes", "null", "~", "it's", "a: b", "# no", "8", "- x", "{a}", "*", "\\"} {
		asked, mistakes := readConfig("pair.yaml", []byte("params: {"+pair("x.y", value)+"}"))
		if len(mistakes) > 0 || asked.params[0].value.text != value {
			t.Errorf("%q: got %v and %v", value, asked.params, mistakes)
		}
	}
}
