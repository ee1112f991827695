// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// invoke runs the command and returns what came of it.
func invoke(args ...string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	code = run(args, &out, &err)
	return code, out.String(), err.String()
}

func TestCommandLinesThatAreWrongSaySo(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"", "ingrain: what shall it do?\n"},
		{"generat", `ingrain: unknown verb "generat"; did you mean "generate"?`},
		{"frobnicate", `ingrain: unknown verb "frobnicate"; there are generate, vet, explain, help, version and completion`},
		{"generate -dry", `ingrain: unknown flag "dry"; there are help, n, C and cc`},
		{"vet -bft x", `ingrain: unknown flag "bft"; did you mean "btf"?`},
		{"generate exec", `ingrain: generate does not take "exec"`},
		{"generate -C", "ingrain: flag needs an argument: -C"},
		{"help vett", `ingrain: unknown verb "vett"; did you mean "vet"?`},
		{"completion", "ingrain: for which shell? bash, zsh and fish"},
		{"completion bsh", `ingrain: unknown shell "bsh"; did you mean "bash"?`},
		{"version 1 2", `ingrain: version does not take "1"`},
	} {
		code, stdout, stderr := invoke(strings.Fields(c.args)...)
		if code != exitUsage || stdout != "" || !strings.HasPrefix(stderr, c.want) || !strings.Contains(stderr, "\nUsage: ") || !strings.HasSuffix(stderr, " says more.\n") {
			t.Errorf("%q: got %d, %q, %q, want %d and on stderr %q, the usage, and where to read on", c.args, code, stdout, stderr, exitUsage, c.want)
		}
	}
}

func TestEachPageShowsItsVerbAndFlags(t *testing.T) {
	_, overview, _ := invoke("help")
	for _, v := range verbs() {
		code, page, stderr := invoke("help", v.name)
		if code != exitOK || stderr != "" || !strings.HasPrefix(page, "Usage: "+v.usage+"\n") {
			t.Errorf("help %s: got %d, %q, %q, want its page", v.name, code, page, stderr)
		}
		if _, same, _ := invoke(v.name, "--help"); same != page {
			t.Errorf("%s --help: got %q, want the page of help %s", v.name, same, v.name)
		}
		for _, o := range v.options {
			if !strings.Contains(page, "\n  -"+o.name) || !strings.Contains(v.usage, "-"+o.name) {
				t.Errorf("help %s: got no flag -%s in %q", v.name, o.name, page)
			}
		}
		if !strings.Contains(overview, "\n  "+v.name+" ") {
			t.Errorf("help: got no verb %s in %q", v.name, overview)
		}
		for line := range strings.Lines(page + overview) {
			if n := len(strings.TrimSuffix(line, "\n")); n > width {
				t.Errorf("help %s: got a line of %d letters, want at most %d: %s", v.name, n, width, line)
			}
		}
	}
	for _, flag := range []string{"-h", "-help", "--help"} {
		if code, page, _ := invoke(flag); code != exitOK || page != overview {
			t.Errorf("%s: got %d, %q, want the page of help", flag, code, page)
		}
	}
}

func TestCompletionKnowsEveryVerbAndFlag(t *testing.T) {
	for _, shell := range shells {
		code, script, _ := invoke("completion", shell)
		if code != exitOK {
			t.Fatalf("%s: got %d, want a script", shell, code)
		}
		for _, v := range verbs() {
			if !strings.Contains(script, v.name) {
				t.Errorf("%s: got no verb %s", shell, v.name)
			}
			for _, o := range v.options {
				if !strings.Contains(script, "-"+o.name) && !strings.Contains(script, "-o "+o.name) {
					t.Errorf("%s: got no flag -%s", shell, o.name)
				}
			}
		}
	}
}

func TestBashCompletesWords(t *testing.T) {
	_, script, _ := invoke("completion", "bash")
	for line, want := range map[string]string{
		"ingrain ve":           "vet version",
		"ingrain generate -":   "-n -C -cc -help",
		"ingrain vet ":         "conn cpu dns exec file net priv syscall",
		"ingrain completion f": "fish",
	} {
		words := strings.Split(line, " ")
		list := "'" + strings.Join(words, "' '") + "'"
		cmd := exec.Command("bash", "-c", script+"\nCOMP_WORDS=("+list+"); COMP_CWORD=$((${#COMP_WORDS[@]}-1)); _ingrain; printf '%s' \"${COMPREPLY[*]}\"")
		cmd.Dir = "../../.."
		got, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		if strings.TrimSpace(string(got)) != want {
			t.Errorf("%q: got %q, want %q", line, got, want)
		}
	}
}

const (
	yaml = "grain: x\nhelp: A grain.\nprobes: {started: tracepoint/sched/sched_process_exec}\nevents: {start: {help: A start.}}\n"
	code = `#include "ingrain.h"
struct _data_start { struct who who; };
#include "x.grain.h"
PROBE(started)
{
	struct _data_start *v = new_start();

	if (v)
		emit_start(v);
}
`
)

// site is a folder with one grain in a module of its own.
func site(t *testing.T) string {
	t.Helper()
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	root := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module example.org/site\n", "grains/x.yaml": yaml, "bpf/x.bpf.c": code} {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

const written = `write generated/x/x.go
write generated/x/x.grain.h
write generated/x/x_arm64_bpfel.go
write generated/x/x_arm64_bpfel.o
write generated/x/x_x86_bpfel.go
write generated/x/x_x86_bpfel.o
`

func TestGenerateSaysWhatItWroteAndDryWhatItWould(t *testing.T) {
	root := site(t)
	would := "would " + strings.ReplaceAll(strings.TrimSuffix(written, "\n"), "\n", "\nwould ") + "\n"
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"vet", "-C", root}, exitOK, ""},
		{[]string{"generate", "-n", "-C", root}, exitFail, would},
		{[]string{"generate", "-C", root}, exitOK, written},
		{[]string{"generate", "-n", "--C=" + root}, exitOK, ""},
		{[]string{"generate", "-C", root, "-cc", "clang-19"}, exitOK, ""},
	} {
		code, stdout, stderr := invoke(c.args...)
		if code != c.code || stdout != c.want || stderr != "" {
			t.Errorf("%v: got %d, %q, %q, want %d, %q and nothing on stderr", c.args, code, stdout, stderr, c.code, c.want)
		}
	}
}

func TestMistakesExitWithOne(t *testing.T) {
	root := site(t)
	file := filepath.Join(root, "grains/x.yaml")
	if err := os.WriteFile(file, []byte(strings.Replace(yaml, "probes", "prboes", 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	want := "grains/x.yaml:1:1: the grain has no \"probes\"\ngrains/x.yaml:3:1: unknown key \"prboes\"; did you mean \"probes\"?\n"
	for _, verb := range []string{"vet", "generate"} {
		code, stdout, stderr := invoke(verb, "-C", root)
		if code != exitFail || stdout != "" || stderr != want {
			t.Errorf("%s: got %d, %q, %q, want %d and %q on stderr", verb, code, stdout, stderr, exitFail, want)
		}
	}
	if code, _, stderr := invoke("vet", "-C", root, "-cc", "no-such-clang"); code != exitFail || !strings.Contains(stderr, "apt-get install clang-19") {
		t.Errorf("without clang: got %d, %q, want %d and what to install", code, stderr, exitFail)
	}
}

func TestVetPrintsALineForEachPoint(t *testing.T) {
	root := site(t)
	code, stdout, stderr := invoke("vet", "-C", root, "x", "-btf", "/sys/kernel/btf/vmlinux")
	if want := "x  started  tracepoint/sched/sched_process_exec  tp_btf  ok\n"; code != exitOK || stdout != want || stderr != "" {
		t.Errorf("got %d, %q, %q, want %d, %q", code, stdout, stderr, exitOK, want)
	}
	file := filepath.Join(root, "grains/x.yaml")
	if err := os.WriteFile(file, []byte(strings.Replace(yaml, "_exec", "_exce", 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr = invoke("vet", "-C", root, "-btf", "/sys/kernel/btf/vmlinux")
	want := "x  started  tracepoint/sched/sched_process_exce  -  tp_btf, raw_tp: no tracepoint sched_process_exce\n"
	if code != exitFail || stdout != want || stderr != "x would run on none of these kernels\n" {
		t.Errorf("got %d, %q, %q, want %d, %q and the grain on stderr", code, stdout, stderr, exitFail, want)
	}
}

func TestVersionNamesGo(t *testing.T) {
	if code, stdout, _ := invoke("version"); code != exitOK || !strings.HasPrefix(stdout, "ingrain ") || !strings.Contains(stdout, "go1.") {
		t.Errorf("got %d, %q, want ingrain's version and Go's", code, stdout)
	}
}
