// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"context"
	"encoding/json"
)

// printConfig is the verb that prints a configuration, or the schema of one.
func printConfig(_ context.Context, s *session) int {
	if code, more := s.parse(); !more {
		return code
	}
	if !s.flags.schema {
		return s.print(appendConfig(nil, s.agent))
	}
	text, err := json.MarshalIndent(configSchema(s.agent), "", "  ")
	if err != nil {
		return s.fail(err)
	}
	return s.print(append(text, '\n'))
}

// appendConfig appends a configuration with every key, commented out: what is
// behind "# " are words, what is behind "#" alone is the default.
func appendConfig(dst []byte, a Agent) []byte {
	line := func(text string) { dst = append(append(dst, text...), '\n') }
	for _, text := range comment("", "Configuration of "+a.Name+", for its flag -config. Every key is here with its default, behind a #; as it is, this file changes nothing.") {
		line(text)
	}
	for _, k := range a.keys() {
		line("")
		for _, text := range comment("", k.help) {
			line(text)
		}
		value, lines := k.standard(a)
		if value != "" {
			value = " " + value
		}
		line("#" + k.name + ":" + value)
		for _, text := range lines {
			line("#" + text)
		}
	}
	return dst
}
