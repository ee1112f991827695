// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/redsift/ingraind/generated/exec"
	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/runtimetest"
)

// words are the strings at a path of a row; ok is false when there is null.
func words(r runtimetest.Row, path string) (got []string, ok bool) {
	list, ok := r.Get(path).([]any)
	for _, w := range list {
		s, _ := w.(string)
		got = append(got, s)
	}
	return got, ok
}

// checkWords compares with words of any bytes: each that is not UTF-8 is
// U+FFFD in JSON.
func checkWords(t testing.TB, path string, r runtimetest.Row, want ...string) {
	t.Helper()
	got, ok := words(r, path)
	for i, w := range want {
		want[i] = string([]rune(w))
	}
	if !ok || !slices.Equal(got, want) {
		t.Errorf("%s: got %.300q of %d, want %.300q of %d", path, got, len(got), want, len(want))
	}
}

func TestArgumentsAreThoseThatWereGiven(t *testing.T) {
	program := exits(t, "program", 0)
	var hundred []string
	for i := range 100 {
		hundred = append(hundred, "argument "+strconv.Itoa(i))
	}
	tests := []struct {
		name string
		argv []string
	}{
		{"one", []string{program}},
		{"another name", []string{"-bash"}},
		{"hundred", hundred},
		{"4 KiB", []string{program, strings.Repeat("0123456789abcdef", 256)}},
		{"spaces and quotes", []string{"a b", "'", `"`, `\`, "`$(x)`", " "}},
		{"lines and controls", []string{"a\nb", "\r\n", "\t", "\x1b[31m", "\x01\x7f", "\u2028\u2029\u0085"}},
		{"UTF-8", []string{"naïve", "日本語", "\U0001F980", "\u202egnp.exe"}},
		{"not UTF-8", []string{"\xff\xfe", "a\xc3", "\xc3(", "\xed\xa0\x80", "\xf4\x90\x80\x80"}},
		{"JSON", []string{`{"a":1}`, `\u0041`, "</script>"}},
		{"empty ones", []string{"", "a", "", "", "b", ""}},
		{"only an empty one", []string{""}},
		{"none", nil},
	}
	agent := runtimetest.Start(t, runtime.Options{Params: map[string]int64{"exec.max_args": 8 << 10}}, exec.New())
	var load []ended
	for _, test := range tests {
		load = append(load, run(t, program, test.argv, syscall.ProcAttr{}))
	}
	rows, _ := agent.Stop()
	given := givenInsteadOfNone(t)
	for i, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := event(t, rows, "exec", load[i].pid)
			want := test.argv
			if len(want) == 0 {
				want = given
			}
			checkWords(t, "args", r, want...)
			if r.Get("args_cut") != nil || r.Text("path") != program {
				t.Errorf("got %v, want path %s and no cut", r, program)
			}
		})
	}
}

// givenInsteadOfNone is the argument list that this kernel gives to a program
// that is started without one: an empty string, since 5.18 and where that was
// taken over (fs/exec.c, do_execveat_common).
func givenInsteadOfNone(t *testing.T) []string {
	t.Helper()
	waits := runtimetest.Install(t, filepath.Join(folder(t), "waits"), runtimetest.Program(runtimetest.Call{Number: unix.SYS_PPOLL}))
	pid, err := syscall.ForkExec(waits, nil, &syscall.ProcAttr{})
	if err != nil {
		t.Fatal(err)
	}
	// ForkExec returns in the midst of execve, before the arguments are laid
	// out: only once the program makes its own call they are there.
	proc := filepath.Join("/proc", strconv.Itoa(pid))
	itsCall := strconv.Itoa(unix.SYS_PPOLL) + " "
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
		call, err := os.ReadFile(filepath.Join(proc, "syscall"))
		if err == nil && strings.HasPrefix(string(call), itsCall) {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("the program made no ppoll within 30 s: it is in %q (%v)", call, err)
		}
	}
	text, err := os.ReadFile(filepath.Join(proc, "cmdline"))
	if err := errors.Join(err, syscall.Kill(pid, syscall.SIGKILL)); err != nil {
		t.Fatal(err)
	}
	wait(t, runtimetest.Forked{PID: pid})
	if len(text) == 0 {
		return nil
	}
	return []string{""}
}

func TestArgumentsBeyondTheBoundAreCut(t *testing.T) {
	program := exits(t, "program", 0)
	list := func(size int) []string { // of so many bytes, NULs included
		return []string{"0", "1", strings.Repeat("x", size-2-2-1)}
	}
	for _, test := range []struct{ bound, size, whole int }{
		{0, 100, 0},
		{64, 64, 64},
		{64, 65, 64},
		{4 << 10, 100 << 10, 4 << 10},
		{16 << 10, 16<<10 + 1, 16 << 10},
	} {
		name := strconv.Itoa(test.size) + " of " + strconv.Itoa(test.bound)
		t.Run(name, func(t *testing.T) {
			agent := runtimetest.Start(t, runtime.Options{Params: map[string]int64{"exec.max_args": int64(test.bound)}}, exec.New())
			argv := list(test.size)
			p := run(t, program, argv, syscall.ProcAttr{})
			rows, _ := agent.Stop()
			r := event(t, rows, "exec", p.pid)
			all := strings.Join(argv, "\x00") + "\x00"
			var want []string
			if test.whole > 0 {
				want = strings.Split(strings.TrimSuffix(all[:test.whole], "\x00"), "\x00")
			}
			checkWords(t, "args", r, want...)
			if cut := r.Get("args_cut") == true; cut != (test.size > test.bound) {
				t.Errorf("got args_cut %v, want %v", cut, test.size > test.bound)
			}
		})
	}
}
