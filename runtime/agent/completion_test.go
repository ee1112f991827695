// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
)

func script(t *testing.T, shell string) string {
	t.Helper()
	c := newCall()
	c.env.EUID = 1000
	if code := c.run("completion", shell); code != 0 {
		t.Fatalf("completion %s: got exit code %d: %s", shell, code, &c.errs)
	}
	return c.out.String()
}

func TestCompletionScriptsAreGoldens(t *testing.T) {
	for _, shell := range shells {
		golden(t, "completion/"+shell+".txt", script(t, shell))
	}
}

func TestCompletionInBashOffersWhatFits(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Fatalf("this test runs bash: %v", err)
	}
	text := script(t, "bash")
	check := exec.Command(bash, "-n")
	check.Stdin = strings.NewReader(text)
	if out, err := check.CombinedOutput(); err != nil {
		t.Fatalf("bash -n: %v: %s", err, out)
	}
	for _, test := range []struct {
		words string // as bash splits them; the last one is completed, and _ is an empty one
		want  string
	}{
		{"_", "run check list config replay version help completion"},
		{"re", "replay"},
		{"-gr", "-grains"},
		{"run -la", "-latency"},
		{"-grains _", "conn exec"},
		{"--grains e", "exec"},
		{"-grains conn,e", "conn,exec"},
		{"-grains = c", "conn"},
		{"run -param exec.max", "exec.max_args= exec.max_depth="},
		{"-sink f", "file"},
		{"-o _", "json text"},
		{"-o = j", "json"},
		{"-v -o =", "json text"},
		{"-transport p", "perf"},
		{"-for _", ""},
		{"check -", "-help -grains -on -btf -config -o"},
		{"list _", "conn exec console file"},
		{"list e", "exec"},
		{"help l", "list"},
		{"completion _", "bash zsh fish"},
		{"-v l", ""},
		{"version -l", "-licences"},
	} {
		words := strings.Fields("ingraind " + test.words)
		if words[len(words)-1] == "_" {
			words[len(words)-1] = ""
		}
		// compopt works only while readline completes.
		ask := fmt.Sprintf("compopt() { :; }\n%s\nCOMP_WORDS=(%s) COMP_CWORD=%d\n_ingraind\necho \"${COMPREPLY[*]}\"\n", text, quotedAll(words), len(words)-1)
		out, err := exec.Command(bash, "-uc", ask).CombinedOutput()
		if got := strings.TrimSpace(string(out)); err != nil || got != test.want {
			t.Errorf("%s: got %q (%v), want %q", test.words, got, err, test.want)
		}
	}
}
