// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"os"
	"regexp"
	"slices"
	"testing"
)

// docs/observe.md names each metric, and none besides.
func TestThePageNamesEachMetric(t *testing.T) {
	text, err := os.ReadFile("../../docs/observe.md")
	if err != nil {
		t.Fatal(err)
	}
	unique := func(found []string) []string { slices.Sort(found); return slices.Compact(found) }
	named := unique(regexp.MustCompile(`\b(ingrain|process|go)_[a-z_]+`).FindAllString(string(text), -1))
	var served []string
	for _, found := range regexp.MustCompile(`(?m)^# TYPE (\S+)`).FindAllStringSubmatch(string((&server{}).appendMetrics(nil, report())), -1) {
		served = append(served, found[1])
	}
	if served = unique(served); !slices.Equal(named, served) {
		t.Errorf("named are %q, served %q", named, served)
	}
}
