// SPDX-License-Identifier: Apache-2.0

package main

import (
	"embed"
	"errors"
)

//go:embed completion/ingrain.*
var scripts embed.FS

var shells = []string{"bash", "zsh", "fish"}

func completionVerb() *verb {
	return &verb{
		name:    "completion",
		usage:   "ingrain completion bash|zsh|fish",
		summary: "Print a script that makes a shell complete ingrain's words.",
		about: []string{
			"For the running shell:",
			"  bash: source <(ingrain completion bash)",
			"  zsh:  source <(ingrain completion zsh)",
			"  fish: ingrain completion fish | source",
		},
		most: 1,
		do:   completion,
	}
}

func completion(c *call) int {
	if len(c.args) == 0 {
		return c.usage(c.verb, errors.New("for which shell? "+enumerate(shells)))
	}
	script, err := scripts.ReadFile("completion/ingrain." + c.args[0])
	if err != nil {
		return c.usage(c.verb, unknown("shell", c.args[0], shells))
	}
	c.stdout.Write(script)
	return exitOK
}
