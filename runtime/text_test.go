// SPDX-License-Identifier: Apache-2.0

package runtime_test

import (
	"net/netip"
	"os/exec"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/redsift/ingraind/runtime"
)

func textOf(v runtime.Value) string {
	f := &runtime.Field{Enum: func(n int64) string { return map[int64]string{1: "IN"}[n] }}
	return string(runtime.AppendValueText(nil, v, f))
}

func TestValuesReadWell(t *testing.T) {
	ip := netip.MustParseAddr("::ffff:192.0.2.1").As16()
	for _, c := range []struct {
		v    runtime.Value
		want string
	}{
		{runtime.Value{Type: runtime.TypeUint, Num: 42}, "42"},
		{runtime.Value{Type: runtime.TypeInt, Num: ^uint64(0)}, "-1"},
		{runtime.Value{Type: runtime.TypeBool, Num: 1}, "true"},
		{runtime.Value{Type: runtime.TypePID, Num: 1}, "1"},
		{runtime.Value{Type: runtime.TypePort, Num: 443}, "443"},
		{runtime.Value{Type: runtime.TypeEnum, Num: 1}, "IN"},
		{runtime.Value{Type: runtime.TypeEnum, Num: 2}, "2"},
		{runtime.Value{Type: runtime.TypeSyscall, Num: 63}, runtime.SyscallName(63)},
		{runtime.Value{Type: runtime.TypeSyscall, Num: 9999}, "9999"},
		{runtime.Value{Type: runtime.TypeErrno}, "-"},
		{runtime.Value{Type: runtime.TypeErrno, Num: uint64(1<<64 - 111)}, "ECONNREFUSED"},
		{runtime.Value{Type: runtime.TypeErrno, Num: 512}, "512"},
		{runtime.Value{Type: runtime.TypeSignal}, "-"},
		{runtime.Value{Type: runtime.TypeSignal, Num: 15}, "SIGTERM"},
		{runtime.Value{Type: runtime.TypeIP, Bytes: ip[:]}, "192.0.2.1"},
		{runtime.Value{Type: runtime.TypeIP4, Bytes: ip[12:]}, "192.0.2.1"},
		{runtime.Value{Type: runtime.TypeMAC, Bytes: ip[10:]}, "ff:ff:c0:00:02:01"},
		{runtime.Value{Type: runtime.TypeHex, Bytes: ip[10:]}, "ffffc0000201"},
		{runtime.Value{Type: runtime.TypeMoment, Num: 1}, "1970-01-01T00:00:00.000000001Z"},
		{runtime.Value{Type: runtime.TypeMoment}, "-"},
		{runtime.Value{Type: runtime.TypeString, Bytes: []byte("kworker/u8:3-(x)")}, "kworker/u8:3-(x)"},
		{runtime.Value{Type: runtime.TypeString}, "''"},
		{runtime.Value{Type: runtime.TypeText}, "-"},
		{runtime.Value{Type: runtime.TypeText, State: runtime.TailSet | runtime.TailFault}, "-"},
		{runtime.Value{Type: runtime.TypeText, State: runtime.TailSet}, "''"},
		{runtime.Value{Type: runtime.TypeText, State: runtime.TailSet, Bytes: []byte("/tmp/a b")}, "'/tmp/a b'"},
		{runtime.Value{Type: runtime.TypeText, State: runtime.TailSet | runtime.TailCut, Bytes: []byte("/tmp")}, "/tmp..."},
		{runtime.Value{Type: runtime.TypeWords, State: runtime.TailSet, Bytes: []byte("sh\x00-c\x00echo it's $HOME\x00\x00")}, `sh -c 'echo it'\''s $HOME' ''`},
		{runtime.Value{Type: runtime.TypeWords, State: runtime.TailSet, Bytes: []byte("a\x00\x1b[31m\n\x00")}, `a $'\x1b[31m\n'`},
		{runtime.Value{Type: runtime.TypeWords}, "-"},
		{runtime.Value{}, "?"},
	} {
		if got := textOf(c.v); got != c.want {
			t.Errorf("type %d: got %s, want %s", c.v.Type, got, c.want)
		}
	}
}

func TestAmountsReadInTheirUnit(t *testing.T) {
	for n, want := range map[uint64]string{
		0: "0B", 1023: "1023B", 1024: "1.0KiB", 1536: "1.5KiB", 1<<20 - 1: "1023.9KiB", 1 << 20: "1.0MiB", 3 << 19: "1.5MiB",
		1 << 30: "1.0GiB", 1 << 40: "1.0TiB", 1 << 50: "1.0PiB", 1<<64 - 1: "15.9EiB",
	} {
		if got := textOf(runtime.Value{Type: runtime.TypeBytes, Num: n}); got != want {
			t.Errorf("%d bytes: got %s, want %s", n, got, want)
		}
	}
	for d, want := range map[time.Duration]string{
		0: "0ns", 999: "999ns", 1000: "1.000us", 1_234_567: "1.234ms", 999_999_999: "999.999ms", time.Second: "1.000s",
		59_999_999_999: "59.999s", 125_120 * time.Millisecond: "2m05.120s", 3*time.Hour + 4*time.Minute + 5*time.Second: "3h04m05s",
		50*time.Hour + 7*time.Minute: "2d02h07m",
	} {
		if got := textOf(runtime.Value{Type: runtime.TypeDuration, Num: uint64(d)}); got != want {
			t.Errorf("%v: got %s, want %s", d, got, want)
		}
	}
	if got, want := textOf(runtime.Value{Type: runtime.TypeDuration, Num: 1<<64 - 1}), "213503d23h34m"; got != want {
		t.Errorf("the longest: got %s, want %s", got, want)
	}
}

// hostile is what somebody might name a file to command another's terminal.
var hostile = []string{
	"\x1b[2J\x1b]0;owned\x07", "\x9b31m", "\u009b31m", "a\nb\rc\td", "\x00\x7f\x08", "abc\u202etxt.exe", "zero\u200bwidth\ufeff", "\u2028", "\xff\xc3(", "it's \\ $'x'", "nbsp\u00a0",
}

func mustBeHarmless(t *testing.T, in, got string) {
	t.Helper()
	if !utf8.ValidString(got) {
		t.Errorf("%q: got %q, which is not UTF-8", in, got)
	}
	if i := strings.IndexFunc(got, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
		t.Errorf("%q: got %q, with something at %d that is not printed", in, got, i)
	}
}

func FuzzTextNeverCommandsATerminal(f *testing.F) {
	for _, s := range hostile {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, kind := range []runtime.Type{runtime.TypeString, runtime.TypeText, runtime.TypeWords} {
			mustBeHarmless(t, string(b), textOf(runtime.Value{Type: kind, State: runtime.TailSet, Bytes: b}))
		}
	})
}

func TestBashReadsWordsBackAsTheyWere(t *testing.T) {
	var in []byte
	for _, s := range append(hostile, "", "plain", "a b", "*", "~", "!x", "#", "-n", "žluťoučký") {
		in = append(in, strings.ReplaceAll(s, "\x00", "")...)
		in = append(in, 0)
	}
	command := "printf '%s\\0' " + textOf(runtime.Value{Type: runtime.TypeWords, State: runtime.TailSet, Bytes: in})
	got, err := exec.Command("bash", "-c", command).Output()
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(in) {
		t.Errorf("got %q, want %q", got, in)
	}
}

func TestTextOfValuesAllocatesNothing(t *testing.T) {
	dst := make([]byte, 0, 1024)
	f := &runtime.Field{}
	words := runtime.Value{Type: runtime.TypeWords, State: runtime.TailSet, Bytes: []byte("sh\x00-c\x00a b\x1b\xff\x00")}
	if n := testing.AllocsPerRun(100, func() {
		dst = runtime.AppendValueText(dst[:0], words, f)
		dst = runtime.AppendValueText(dst, runtime.Value{Type: runtime.TypeErrno, Num: 5}, f)
		dst = runtime.AppendValueText(dst, runtime.Value{Type: runtime.TypeDuration, Num: 5e12}, f)
	}); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
}
