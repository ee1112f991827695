// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"context"
	"embed"
	"fmt"
	goruntime "runtime"
	"runtime/debug"
)

// licences are the texts of all licences in every agent, NOTICE first.
//
//go:embed licences
var licences embed.FS

// version is the verb that says what this binary is.
func version(_ context.Context, s *session) int {
	if code, more := s.parse(); !more {
		return code
	}
	if !s.flags.licences {
		info, _ := debug.ReadBuildInfo()
		return s.print([]byte(s.agent.Name + " " + versionOf(info) + "\n"))
	}
	text, err := licences.ReadFile("licences/NOTICE")
	if err != nil {
		return s.fail(err)
	}
	texts, err := licences.ReadDir("licences")
	if err != nil {
		return s.fail(err)
	}
	for _, file := range texts {
		if file.Name() == "NOTICE" {
			continue
		}
		one, err := licences.ReadFile("licences/" + file.Name())
		if err != nil {
			return s.fail(err)
		}
		text = fmt.Appendf(text, "\n==== %s ====\n\n%s", file.Name(), one)
	}
	for _, sink := range s.agent.Sinks {
		text = append(text, sink.Licences...)
	}
	return s.print(text)
}

// versionOf is the version, the commit where it is known, and what built it.
func versionOf(info *debug.BuildInfo) string {
	version, commit := "(unknown)", ""
	if info != nil && info.Main.Version != "" {
		version = info.Main.Version
	}
	if info != nil {
		modified := ""
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision":
				commit = s.Value[:min(12, len(s.Value))]
			case s.Key == "vcs.modified" && s.Value == "true":
				modified = ", modified"
			}
		}
		if commit != "" {
			commit = " (commit " + commit + modified + ")"
		}
	}
	return fmt.Sprintf("%s%s %s %s/%s", version, commit, goruntime.Version(), goruntime.GOOS, goruntime.GOARCH)
}
