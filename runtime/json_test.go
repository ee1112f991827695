// SPDX-License-Identifier: Apache-2.0

package runtime_test

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redsift/ingraind/runtime"
)

const set = runtime.TailSet

func TestTextIsEscapedAsJSONWantsIt(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"empty", "", `""`},
		{"plain", "nginx", `"nginx"`},
		{"eight bytes", "12345678", `"12345678"`},
		{"nine bytes", "123456789", `"123456789"`},
		{"quote and backslash", `say "a\b"`, `"say \"a\\b\""`},
		{"short escapes", "\b\f\n\r\t", `"\b\f\n\r\t"`},
		{"controls", "\x00\x01\x1b\x1f\x7f", "\"\\u0000\\u0001\\u001b\\u001f\x7f\""},
		{"html stays", "<a&b>", `"<a&b>"`},
		{"utf-8 stays", "žluťoučký 🐎 \u2028", "\"žluťoučký 🐎 \u2028\""},
		{"invalid bytes", "a\xff\xfeb\xc3", "\"a\uFFFD\uFFFDb\uFFFD\""},
		{"a surrogate half", "\xed\xa0\x80", "\"\uFFFD\uFFFD\uFFFD\""},
		{"special at the end of a word", "1234567\"", `"1234567\""`},
		{"special behind a word", "12345678\n", `"12345678\n"`},
		{"borrow of a subtraction", "\x1f !\"#[]\\^", `"\u001f !\"#[]\\^"`},
	} {
		if got := string(runtime.AppendText(nil, []byte(c.in), set)); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

func TestTextThatWasNotReadIsNull(t *testing.T) {
	for _, s := range []runtime.TailState{0, runtime.TailCut, runtime.TailFault, set | runtime.TailFault, set | runtime.TailFault | runtime.TailCut} {
		if got := string(runtime.AppendText(nil, []byte("x"), s)); got != "null" {
			t.Errorf("text in state %d: got %s, want null", s, got)
		}
		if got := string(runtime.AppendWords(nil, []byte("x"), s)); got != "null" {
			t.Errorf("words in state %d: got %s, want null", s, got)
		}
	}
	if got := string(runtime.AppendText(nil, []byte("x"), set|runtime.TailCut)); got != `"x"` {
		t.Errorf("a cut text: got %s, want \"x\"", got)
	}
}

func TestCStringEndsAtItsNUL(t *testing.T) {
	for in, want := range map[string]string{
		"":                                   `""`,
		"\x00":                               `""`,
		"\x00abc":                            `""`,
		"bash\x00":                           `"bash"`,
		"bash\x00\x00\x00garbage\x00\x00":    `"bash"`,
		"sixteen bytes ab":                   `"sixteen bytes ab"`,
		"8 bytes.\x00rest":                   `"8 bytes."`,
		"a\nb\x00c":                          `"a\nb"`,
		"caf\xc3\x00":                        "\"caf\uFFFD\"",
		"caf\xc3\xa9\x00":                    `"café"`,
		"kworker/u8:3\x00\x00\x00\x00":       `"kworker/u8:3"`,
		"\"quoted\"\x00\x00\x00\x00\x00\x00": `"\"quoted\""`,
	} {
		if got := string(runtime.AppendCString(nil, []byte(in))); got != want {
			t.Errorf("%q: got %s, want %s", in, got, want)
		}
	}
}

func TestWordsAreSplitAtNULs(t *testing.T) {
	for in, want := range map[string]string{
		"":                        `[]`,
		"ls\x00":                  `["ls"]`,
		"ls":                      `["ls"]`,
		"ls\x00-l\x00":            `["ls","-l"]`,
		"sh\x00-c\x00a \"b\": \n": `["sh","-c","a \"b\": \n"]`,
		"\x00":                    `[""]`,
		"a\x00\x00b\x00":          `["a","","b"]`,
		"a\x00\x00":               `["a",""]`,
	} {
		if got := string(runtime.AppendWords(nil, []byte(in), set)); got != want {
			t.Errorf("%q: got %s, want %s", in, got, want)
		}
	}
}

func TestNumbersAreThoseOfStrconv(t *testing.T) {
	check := func(u uint64) {
		if got, want := string(runtime.AppendUint(nil, u)), strconv.FormatUint(u, 10); got != want {
			t.Fatalf("uint: got %s, want %s", got, want)
		}
		if got, want := string(runtime.AppendInt(nil, int64(u))), strconv.FormatInt(int64(u), 10); got != want {
			t.Fatalf("int: got %s, want %s", got, want)
		}
	}
	for u := range uint64(20_000) { // every lane of a division
		check(u)
		check(u * 10_000)
		check(u * 100_000_000)
	}
	for p := uint64(1); p < 1e19; p *= 10 {
		check(p - 1)
		check(p)
		check(p + 1)
	}
	check(math.MaxUint64)
	check(1 << 63)
	random := rand.New(rand.NewPCG(1, 2))
	for range 200_000 {
		check(random.Uint64() >> random.UintN(64))
	}
}

func TestTimeIsThatOfTheCalendar(t *testing.T) {
	check := func(ns int64) {
		t.Helper()
		got := string(runtime.AppendTime(nil, ns))
		if want := time.Unix(0, ns).UTC().Format(`"2006-01-02T15:04:05.000000000Z"`); got != want {
			t.Fatalf("%d: got %s, want %s", ns, got, want)
		}
	}
	for day := range int64(106_751) { // all that 64 bits of nanoseconds reach
		check(day * 86_400e9)
		check(day*86_400e9 + 86_400e9 - 1)
	}
	for _, ns := range []int64{-1, math.MaxInt64, math.MinInt64, 1_795_437_296_123_456_789} {
		check(ns)
	}
	random := rand.New(rand.NewPCG(3, 4))
	for range 100_000 {
		check(int64(random.Uint64()))
	}
}

func TestMomentIsMovedToTheWallClock(t *testing.T) {
	if got, want := string(runtime.AppendMoment(nil, 5_000_000_000, 1_000_000_007)), `"1970-01-01T00:00:06.000000007Z"`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := string(runtime.AppendMoment(nil, 0, 1_000)); got != "null" {
		t.Errorf("no moment: got %s, want null", got)
	}
}

func TestAddressesReadAsTheirStandardsSay(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.1":              `"192.0.2.1"`,
		"::ffff:10.100.255.0":    `"10.100.255.0"`,
		"::":                     `"::"`,
		"::1":                    `"::1"`,
		"2001:db8:0:0:1:0:0:1":   `"2001:db8::1:0:0:1"`,
		"2001:db8:0:1:1:1:1:1":   `"2001:db8:0:1:1:1:1:1"`,
		"::ffff:0:0:0":           `"::ffff:0:0:0"`,
		"fe80::a00:27ff:fe4e:66": `"fe80::a00:27ff:fe4e:66"`,
	} {
		b := netip.MustParseAddr(in).As16()
		if got := string(runtime.AppendIP(nil, b[:])); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
	if got := string(runtime.AppendIP4(nil, []byte{192, 0, 2, 19})); got != `"192.0.2.19"` {
		t.Errorf("ip4: got %s", got)
	}
	if got := string(runtime.AppendMAC(nil, []byte{2, 0, 0, 0xab, 0, 1})); got != `"02:00:00:ab:00:01"` {
		t.Errorf("mac: got %s", got)
	}
	if got := string(runtime.AppendHex(nil, []byte{0, 0x1f, 0xff})); got != `"001fff"` {
		t.Errorf("hex: got %s", got)
	}
}

func TestNamesStandForNumbersThatHaveThem(t *testing.T) {
	for _, c := range []struct{ name, got, want string }{
		{"errno", string(runtime.AppendErrno(nil, 111)), `"ECONNREFUSED"`},
		{"negative errno", string(runtime.AppendErrno(nil, -2)), `"ENOENT"`},
		{"no errno", string(runtime.AppendErrno(nil, 0)), `null`},
		{"unknown errno", string(runtime.AppendErrno(nil, -512)), `-512`},
		{"least errno", string(runtime.AppendErrno(nil, math.MinInt32)), `-2147483648`},
		{"signal", string(runtime.AppendSignal(nil, 9)), `"SIGKILL"`},
		{"no signal", string(runtime.AppendSignal(nil, 0)), `null`},
		{"real-time signal", string(runtime.AppendSignal(nil, 40)), `40`},
		{"negative signal", string(runtime.AppendSignal(nil, -9)), `-9`},
		{"enum", string(runtime.AppendEnum(nil, "OUT", 0)), `"OUT"`},
		{"nameless enum", string(runtime.AppendEnum(nil, "", -3)), `-3`},
		{"syscall", string(runtime.AppendSyscall(nil, 257, "openat")), `"openat"`},
		{"nameless syscall", string(runtime.AppendSyscall(nil, 9999, "")), `9999`},
		{"true", string(runtime.AppendBool(nil, true)), `true`},
		{"false", string(runtime.AppendBool(nil, false)), `false`},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, c.got, c.want)
		}
	}
}

// decoded is what a JSON parser makes of a string.
func decoded(t *testing.T, value []byte) string {
	t.Helper()
	var s string
	if err := json.Unmarshal(value, &s); err != nil {
		t.Fatalf("%s is no JSON string: %v", value, err)
	}
	return s
}

func FuzzStringsEqualThoseOfEncodingJSON(f *testing.F) {
	for _, seed := range []string{"", "abc", "12345678\"\\\n", "\xff\xfe\u2028<&>", "žluťoučký kůň", strings.Repeat("x", 70) + "\x1b[31m", "a\x00b\x00"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		var reference bytes.Buffer
		encoder := json.NewEncoder(&reference)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(string(in)); err != nil {
			t.Fatal(err)
		}
		got := runtime.AppendText([]byte("x"), in, set)[1:]
		if got, want := decoded(t, got), decoded(t, reference.Bytes()); got != want {
			t.Errorf("text of %q: got %q, want %q", in, got, want)
		}
		head, _, _ := bytes.Cut(in, []byte{0})
		if got, want := runtime.AppendCString(nil, in), runtime.AppendText(nil, head, set); !bytes.Equal(got, want) {
			t.Errorf("string of %q: got %s, want %s", in, got, want)
		}
		var words []string
		if err := json.Unmarshal(runtime.AppendWords(nil, in, set), &words); err != nil {
			t.Fatalf("words of %q: %v", in, err)
		}
		if got, want := len(words), bytes.Count(in, []byte{0}); got != want && (got != want+1 || in[len(in)-1] == 0) {
			t.Errorf("words of %q: got %d", in, got)
		}
	})
}

func TestAppendingAllocatesNothing(t *testing.T) {
	dst := make([]byte, 0, 4096)
	ip := netip.MustParseAddr("2001:db8::1:0:0:1").As16()
	text := []byte("a \"text\"\nwith žluť\xff and all the rest of it\x00word")
	if n := testing.AllocsPerRun(100, func() {
		dst = runtime.AppendTime(dst[:0], 1_795_437_296_123_456_789)
		dst = runtime.AppendMoment(dst, 12, 34)
		dst = runtime.AppendUint(dst, math.MaxUint64)
		dst = runtime.AppendInt(dst, math.MinInt64)
		dst = runtime.AppendBool(dst, true)
		dst = runtime.AppendCString(dst, text)
		dst = runtime.AppendText(dst, text, set)
		dst = runtime.AppendWords(dst, text, set)
		dst = runtime.AppendHex(dst, text)
		dst = runtime.AppendIP(dst, ip[:])
		dst = runtime.AppendIP4(dst, ip[:4])
		dst = runtime.AppendMAC(dst, ip[:6])
		dst = runtime.AppendErrno(dst, -111)
		dst = runtime.AppendSignal(dst, 9)
		dst = runtime.AppendEnum(dst, "OUT", 1)
		dst = runtime.AppendSyscall(dst, 1, "")
	}); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
}
