// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	goruntime "runtime"
	"runtime/debug"
	"strings"
	"testing"
)

func TestVersionNamesReleaseCommitAndCompiler(t *testing.T) {
	built := " " + goruntime.Version() + " linux/" + goruntime.GOARCH
	setting := func(key, value string) debug.BuildSetting { return debug.BuildSetting{Key: key, Value: value} }
	for _, test := range []struct {
		info *debug.BuildInfo
		want string
	}{
		{nil, "(unknown)" + built},
		{&debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}}, "v1.2.3" + built},
		{&debug.BuildInfo{Main: debug.Module{Version: "(devel)"}, Settings: []debug.BuildSetting{
			setting("vcs.revision", "0123456789abcdef"), setting("vcs.modified", "true")}}, "(devel) (commit 0123456789ab, modified)" + built},
		{&debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}, Settings: []debug.BuildSetting{
			setting("vcs.revision", "0123"), setting("vcs.modified", "false")}}, "v1.2.3 (commit 0123)" + built},
	} {
		if got := versionOf(test.info); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
	c := newCall()
	if code := c.run("version"); code != 0 || !strings.HasPrefix(c.out.String(), "ingraind ") || !strings.HasSuffix(c.out.String(), built+"\n") {
		t.Errorf("got exit code %d and %q", code, &c.out)
	}
}

func TestVersionPrintsTheNoticeAndAllLicences(t *testing.T) {
	c := newCall()
	if code := c.run("version", "-licences"); code != 0 {
		t.Fatalf("got exit code %d: %s", code, &c.errs)
	}
	for _, want := range []string{"GPL-2.0-only or BSD-2-Clause", "Apache License", "GNU GENERAL PUBLIC LICENSE", "Redistributions in binary form", "Copyright (c) 2017 Nathan Sweet", "Copyright (c) 2006-2010 Kirill Simonov", "Copyright 2009 The Go Authors"} {
		if !strings.Contains(c.out.String(), want) {
			t.Errorf("%q is missing", want)
		}
	}
}

// Each module that an agent is linked with has its licence here, as it came
// with the version that go.mod names.
func TestLicencesAreThoseOfTheModules(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}} {{.Dir}}{{end}}{{end}}", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	notice, err := os.ReadFile("licences/NOTICE")
	if err != nil {
		t.Fatal(err)
	}
	dirs := map[string]string{"go": goroot(t)}
	for line := range strings.Lines(string(out)) {
		if path, dir, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			dirs[path] = dir
			if !bytes.Contains(notice, []byte(path)) {
				t.Errorf("NOTICE does not name %s", path)
			}
		}
	}
	for path, dir := range dirs {
		for _, name := range []string{"LICENSE", "NOTICE", "PATENTS"} {
			want, err := os.ReadFile(filepath.Join(dir, name))
			if os.IsNotExist(err) && name != "LICENSE" {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			here := "licences/" + strings.ReplaceAll(path, "/", "-")
			if name != "LICENSE" {
				here += "-" + name
			}
			got, err := os.ReadFile(here)
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s is not %s of %s (%v): copy it", here, name, path, err)
			}
		}
	}
}

func goroot(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}
