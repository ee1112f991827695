// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"

	"github.com/redsift/ingraind/gen/internal/diag"
)

// unknown says that there is no such thing, and what was probably meant or
// else what there is.
func unknown(noun, name string, known []string) error {
	if near := diag.DidYouMean(name, known); near != "" {
		return fmt.Errorf("unknown %s %q%s", noun, name, near)
	}
	return fmt.Errorf("unknown %s %q; there are %s", noun, name, enumerate(known))
}

// enumerate is "a, b and c".
func enumerate(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " and " + words[last]
}

// wrap breaks text into lines of at most width letters.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
