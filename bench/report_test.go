// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// shape is what a report has whatever was measured: its headings, commands, the
// heads of its tables and the lines about the machine, in their order.
func shape(page []byte) []string {
	kept := regexp.MustCompile("^(#|`|Written by|\\| figure |\\| machine |\\|---)")
	var lines []string
	for line := range strings.Lines(string(page)) {
		line = strings.TrimSuffix(line, "\n")
		cells := strings.Split(line, " | ")
		for _, known := range (table{}).machine() {
			if strings.TrimPrefix(cells[0], "| ") == known[0] && len(cells) == 2 {
				lines = append(lines, known[0])
			}
		}
		if kept.MatchString(line) {
			lines = append(lines, line)
		}
	}
	return lines
}

func TestTheReportInTheTreeHasTheShapeThatIsWritten(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", reportFile))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := shape(page), shape(table{}.report()); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s\n`make bench` writes it again", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, m := range measures() {
		_, section, _ := strings.Cut(string(page), "\n## "+m.name+"\n")
		section, _, _ = strings.Cut(section, "\n## ")
		rows := regexp.MustCompile(`(?m)^\| [^|]+( \| [^|]+){7} \|$`).FindAllString(section, -1)
		if len(rows) < 1 {
			t.Errorf("%s has no figure of %s, want one at least", reportFile, m.name)
		}
	}
}

func TestReportsNameNoPathOfTheMachine(t *testing.T) {
	r := without(compared("x", "ns", 1, 0, 0.5), errors.New("open /root/secret: permission denied"))
	r.Measure = measures()[0].name
	page := string(table{Rows: []row{r}}.report())
	if strings.Contains(page, "secret") || !strings.Contains(page, "peer not available: open ...: permission denied") {
		t.Errorf("got %s", page)
	}
}
