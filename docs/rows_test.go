// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"encoding/json"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// fields are the fields of an agent's events, by the names of those.
func fields(t *testing.T, agent string) map[string][]string {
	t.Helper()
	out, err := exec.Command(agent, "list", "-o", "json").Output()
	if err != nil {
		t.Fatal(err)
	}
	var list struct {
		Grains []struct {
			Name   string
			Events []struct {
				Name   string
				Fields []struct{ Name string }
			}
		}
	}
	if err := json.Unmarshal(out, &list); err != nil {
		t.Fatal(err)
	}
	all := map[string][]string{}
	for _, g := range list.Grains {
		for _, e := range g.Events {
			for _, f := range e.Fields {
				all[g.Name+"."+e.Name] = append(all[g.Name+"."+e.Name], f.Name)
			}
		}
	}
	return all
}

func TestRowsAreThoseOfTheStockGrains(t *testing.T) {
	known := fields(t, build(t, "./generated/ingraind"))
	n := 0
	for _, d := range documents(t) {
		for _, b := range d.marked("rows") {
			if _, stock := known[strings.Split(b.arg, ", ")[0]]; stock {
				checkRows(t, d.name, b, known)
				n++
			}
		}
	}
	if n < 2 {
		t.Errorf("got %d samples of rows in the documents, want one of text and one of JSON", n)
	}
}

// checkRows sees that a block holds a row of each event that it names, with
// the fields that those have.
func checkRows(t *testing.T, page string, b block, known map[string][]string) {
	t.Helper()
	var events []string
	for line := range strings.Lines(b.text) {
		event, names := textRow(line)
		if b.kind == "json" {
			event, names = jsonRow(t, line)
		}
		events = append(events, event)
		want := slices.Clone(known[event])
		if b.kind != "json" { // who.comm and who.pid stand in front, who.tid only where it is another
			want = slices.DeleteFunc(want, func(name string) bool { return slices.Contains([]string{"who.comm", "who.pid", "who.tid"}, name) })
			for i, name := range want {
				want[i] = strings.TrimPrefix(name, "who.")
			}
		}
		slices.Sort(want)
		slices.Sort(names)
		if !slices.Equal(names, want) {
			t.Errorf("%s:%d: %s: got fields %q, want %q", page, b.line, event, names, want)
		}
	}
	if got := strings.Join(events, ", "); got != b.arg {
		t.Errorf("%s:%d: got rows of %s, want %s", page, b.line, got, b.arg)
	}
}

var (
	rowStart = regexp.MustCompile(`^\d\d:\d\d:\d\d\.\d{3} (\w+(?:\.\w+)?) +\S+\[\d+\] +`)
	rowField = regexp.MustCompile(`(?:^| )([a-z_]+)=`)
)

// textRow is what a line on a terminal says of its event and its fields.
func textRow(line string) (event string, names []string) {
	start := rowStart.FindStringSubmatch(line)
	if start == nil {
		return line, nil
	}
	for _, found := range rowField.FindAllStringSubmatch(line[len(start[0]):], -1) {
		names = append(names, found[1])
	}
	if event = start[1]; !strings.Contains(event, ".") {
		event += "." + event // as the grain
	}
	return event, names
}

// jsonRow is the same of a line of JSON.
func jsonRow(t *testing.T, line string) (event string, names []string) {
	t.Helper()
	var row map[string]any
	if err := json.Unmarshal([]byte(line), &row); err != nil {
		t.Errorf("a row is no JSON: %v: %s", err, line)
		return "", nil
	}
	event = row["grain"].(string) + "." + row["event"].(string)
	for name, value := range row {
		if slices.Contains([]string{"time", "grain", "event"}, name) {
			continue
		}
		if inner, ok := value.(map[string]any); ok {
			for member := range inner {
				names = append(names, name+"."+member)
			}
			continue
		}
		names = append(names, name)
	}
	return event, names
}
