// SPDX-License-Identifier: Apache-2.0

package vm

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	testMarker = "vmtest-MARKER"
	testLimit  = 200 // so that inputs of a test can be longer
)

// heard is what a console makes of its input.
type heard struct {
	Out, Failure, Panicked, Oops string
	Ready, Exited                bool
	Exit                         int
	Notes                        []string
	Files                        string
}

// listen feeds a console in pieces of a size.
func listen(t testing.TB, input []byte, piece int) heard {
	t.Helper()
	var out bytes.Buffer
	var h heard
	c := &console{marker: testMarker, out: &out, limit: testLimit, back: func(verb, rest string) error {
		h.Files += fmt.Sprintf("%s(%s)", verb, rest)
		return nil
	}}
	for rest := input; len(rest) > 0; {
		n := min(piece, len(rest))
		if _, err := c.Write(rest[:n]); err != nil {
			t.Fatal(err)
		}
		rest = rest[n:]
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if len(c.last) > maxLast {
		t.Errorf("%d last lines are kept, want at most %d", len(c.last), maxLast)
	}
	h.Out, h.Failure, h.Panicked, h.Oops = out.String(), c.failure, c.panicked, c.oops
	h.Ready, h.Exited, h.Exit, h.Notes = c.ready, c.exited, c.exit, c.notes
	return h
}

func TestConsoleIsUnderstood(t *testing.T) {
	const start = "[    0.1] booting\r\n" + testMarker + " ready \n"
	long := strings.Repeat("x", 3*testLimit-5)
	for _, test := range []struct {
		name, input string
		want        heard
	}{
		{"a run", start + "hello\n" + testMarker + " exit 0\n[    3.000000] reboot: Restarting system\r\n", heard{Ready: true, Exited: true, Out: "hello\n"}},
		{"an exit code", start + testMarker + " exit 77\n", heard{Ready: true, Exited: true, Exit: 77}},
		{"the first exit code counts", start + testMarker + " exit 1\n" + testMarker + " exit 0\n", heard{Ready: true, Exited: true, Exit: 1}},
		{"output without a newline", start + "hello" + testMarker + " exit 0\n", heard{Ready: true, Exited: true, Out: "hello"}},
		{"a guest that stops in a line", start + "hel", heard{Ready: true, Out: "hel"}},
		{"a long line, then the exit code", start + long + testMarker + " exit 3\n", heard{Ready: true, Exited: true, Exit: 3, Out: long}},
		{"no exit code is not zero", start + testMarker + " exit \n", heard{Ready: true}},
		{"the marker of another run", start + "vmtest-OTHER exit 5\n", heard{Ready: true, Out: "vmtest-OTHER exit 5\n"}},
		{"init gives up", testMarker + " fail mount x: no such device\n", heard{Failure: "mount x: no such device"}},
		{
			"a panic", start + "[   12.345678] Kernel panic - not syncing: sysrq triggered crash\r\n",
			heard{Ready: true, Panicked: "sysrq triggered crash", Out: "[   12.345678] Kernel panic - not syncing: sysrq triggered crash\n"},
		},
		{
			"an oops in the middle of output", start + "tes[   12.345678][  T80] BUG: kernel NULL pointer dereference, address: 0\r\n[   12.5] no\n",
			heard{Ready: true, Oops: "BUG: kernel NULL pointer dereference, address: 0", Out: "tes[   12.345678][  T80] BUG: kernel NULL pointer dereference, address: 0\n[   12.5] no\n"},
		},
		{
			"an oops of arm64", start + "[    9.000001] Internal error: Oops: 96000004 [#1] SMP\r\n",
			heard{Ready: true, Oops: "Internal error: Oops: 96000004 [#1] SMP", Out: "[    9.000001] Internal error: Oops: 96000004 [#1] SMP\n"},
		},
		{
			"a slow machine is no oops", "[   40.000001] watchdog: BUG: soft lockup - CPU#0 stuck for 26s!\r\n" + start,
			heard{Ready: true, Notes: []string{"watchdog: BUG: soft lockup - CPU#0 stuck for 26s!"}},
		},
		{"a program that speaks of panics", start + "Kernel panic - not syncing: a joke\n", heard{Ready: true, Out: "Kernel panic - not syncing: a joke\n"}},
		{"a note", start + testMarker + " note WARNING: CPU: 0\n", heard{Ready: true, Notes: []string{"WARNING: CPU: 0"}}},
		{
			"files", start + testMarker + " file 0\n" + testMarker + " data aGVsbG8=\n" + testMarker + " end 3610a686 5\n" + testMarker + " none 1\n",
			heard{Ready: true, Files: "file(0)data(aGVsbG8=)end(3610a686 5)none(1)"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, piece := range []int{len(test.input), 1, 7} {
				if diff := cmp.Diff(test.want, listen(t, []byte(test.input), piece)); diff != "" {
					t.Errorf("in pieces of %d: (-want +got)\n%s", piece, diff)
				}
			}
		})
	}
}

// FuzzConsole: no input makes the console panic, and it does not matter in
// which pieces the input comes.
func FuzzConsole(f *testing.F) {
	f.Add([]byte(testMarker + " ready\nhello\n" + testMarker + " exit 0\n"))
	f.Add([]byte(testMarker + " file 0\n" + testMarker + " data aGVsbG8=\n" + testMarker + " none 9999999999999\n"))
	f.Add([]byte("[   12.345678][ T1] Kernel panic - not syncing: x\r\n[[[] ] [.] [1.000000] Oops"))
	f.Add([]byte(testMarker + " ready\n" + strings.Repeat("y", 2*testLimit) + testMarker + " exit 4"))
	f.Fuzz(func(t *testing.T, input []byte) {
		whole := listen(t, input, len(input)+1)
		for _, piece := range []int{1, 13} {
			if diff := cmp.Diff(whole, listen(t, input, piece)); diff != "" {
				t.Errorf("in pieces of %d: (-whole +pieces)\n%s", piece, diff)
			}
		}
	})
}

func TestVerdictNamesTheCause(t *testing.T) {
	run := &run{Options: Options{Kernel: Kernel{Name: "6.1", Arch: "amd64", Version: "linux 6.1"}, MemoryMiB: 64}}
	ended, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	for _, test := range []struct {
		name string
		c    console
		ctx  context.Context
		want string
	}{
		{"a panic and its oops", console{ready: true, panicked: "Fatal exception", oops: "BUG: NULL"}, t.Context(), "kernel panic while the program ran: Fatal exception, after: BUG: NULL"},
		{"no memory", console{}, t.Context(), "it went down without a word during boot with 64 MiB of memory"},
		{"time is up", console{ready: true}, ended, "no end after 0s, while the program ran"},
		{"init gave up", console{failure: "mount x: no"}, t.Context(), "mount x: no"},
	} {
		t.Run(test.name, func(t *testing.T) {
			want := "guest 6.1-amd64 (linux 6.1): " + test.want + "; nothing is on its console"
			if got := test.c.verdict(test.ctx, run, nil, "").Error(); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}
