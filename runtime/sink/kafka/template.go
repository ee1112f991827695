// SPDX-License-Identifier: Apache-2.0

package kafka

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// template is a text with names in braces: ingraind.{grain}.
type template []piece

// piece is some text, or a name.
type piece struct{ text, name string }

var placeholder = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.]*$`)

// parseTemplate reads the text of a setting. only, when there are any, are the
// names that it may have.
func parseTemplate(setting, text string, only ...string) (template, error) {
	var t template
	for rest := text; rest != ""; {
		before, after, found := strings.Cut(rest, "{")
		if strings.Contains(before, "}") {
			return nil, fmt.Errorf("%s: in %q a } has no { before it", setting, text)
		}
		if before != "" {
			t = append(t, piece{text: before})
		}
		if !found {
			break
		}
		name, next, found := strings.Cut(after, "}")
		if !found || !placeholder.MatchString(name) {
			return nil, fmt.Errorf("%s: in %q what follows a { is no name and }", setting, text)
		}
		if len(only) > 0 && !slices.Contains(only, name) {
			return nil, fmt.Errorf("%s: {%s} is none of {%s}", setting, name, strings.Join(only, "}, {"))
		}
		t = append(t, piece{name: name})
		rest = next
	}
	return t, nil
}

// with is the text with each name replaced by its value.
func (t template) with(values map[string]string) string {
	var b strings.Builder
	for _, p := range t {
		b.WriteString(p.text)
		if p.name != "" {
			b.WriteString(values[p.name])
		}
	}
	return b.String()
}

// longestTopic is how long the name of a topic may be.
const longestTopic = 249

var legalTopic = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)

// parseTopic reads the setting topic. Names of grains and events are good in
// the names of topics.
func parseTopic(text string) (template, error) {
	t, err := parseTemplate("topic", text, "grain", "event")
	if err != nil {
		return nil, err
	}
	such := t.with(map[string]string{"grain": "g", "event": "e"})
	if !legalTopic.MatchString(such) || len(such) > longestTopic || such == "." || such == ".." {
		return nil, fmt.Errorf("topic: %q is no name of a topic: want up to %d letters, digits, dots, underscores and hyphens, such as ingraind.{grain}", text, longestTopic)
	}
	return t, nil
}
