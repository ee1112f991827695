// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"context"
	"errors"
	"strings"
)

// kind says what a shell offers for a value or an argument.
type kind int

const (
	nothing kind = iota
	files
	grainList // separated by commas
	paramNames
	placeNames
	sinkNames
	formatNames
	transportNames
	grainOrSink
	verbList
	shellNames
)

var shells = []string{"bash", "zsh", "fish"}

// words are what a kind offers.
func (k kind) words(a Agent) []string {
	switch k {
	case grainList:
		return a.grainNames()
	case paramNames:
		var names []string
		for _, name := range a.paramNames() {
			names = append(names, name+"=")
		}
		return names
	case placeNames:
		var names []string
		for _, name := range a.placedProbes() {
			names = append(names, name+"=")
		}
		return names
	case sinkNames:
		return a.sinkNames()
	case formatNames:
		return formats
	case transportNames:
		return transports
	case grainOrSink:
		return append(a.grainNames(), a.sinkNames()...)
	case verbList:
		return verbNames()
	case shellNames:
		return shells
	}
	return nil
}

// completion is the verb that prints completion scripts.
func completion(_ context.Context, s *session) int {
	if code, more := s.parse(); !more {
		return code
	}
	if len(s.args) == 0 {
		return usageError(s.agent, s.env, s.verb, errors.New("completion needs a shell: "+strings.Join(shells, ", ")))
	}
	switch s.args[0] {
	case "bash":
		return s.print(bashScript(s.agent))
	case "zsh":
		return s.print(zshScript(s.agent))
	case "fish":
		return s.print(fishScript(s.agent))
	}
	return usageError(s.agent, s.env, s.verb, unknown("shell", s.args[0], shells))
}

// flagNames are a verb's flags as they are typed.
func (v *verb) flagNames(a Agent) string {
	names := []string{"-help"}
	for _, o := range v.offered(a) {
		names = append(names, "-"+o.name)
	}
	return strings.Join(names, " ")
}

// valued calls each for the flags that take a value, of all verbs, once.
func valued(a Agent, each func(o option)) {
	seen := map[string]bool{}
	for _, v := range verbs() {
		for _, o := range v.offered(a) {
			if o.value != "" && !seen[o.name] {
				seen[o.name] = true
				each(o)
			}
		}
	}
}

// identifier is the agent's name as shells let functions be named.
func identifier(name string) string {
	return "_" + strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, name)
}

// quoted is a word between single quotes, for any of the shells.
func quoted(text string) string {
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
