// SPDX-License-Identifier: Apache-2.0

package spec

import (
	"math"
	"testing"
	"time"
)

func TestLiteralHasItsTypeAndNumber(t *testing.T) {
	for _, c := range []struct {
		text   string
		typ    ParamType
		number int64
	}{
		{"true", Bool, 1},
		{"false", Bool, 0},
		{"0", Integer, 0},
		{"-1", Integer, -1},
		{"+7", Integer, 7},
		{"1_000_000", Integer, 1e6},
		{"0x1B", Integer, 27}, // a B that is no unit
		{"0b101", Integer, 5},
		{"0o17", Integer, 15},
		{"9223372036854775807", Integer, math.MaxInt64},
		{"-9223372036854775808", Integer, math.MinInt64},
		{"0B", Bytes, 0},
		{"512B", Bytes, 512},
		{"64KiB", Bytes, 64 << 10},
		{"1MiB", Bytes, 1 << 20},
		{"2GiB", Bytes, 2 << 30},
		{"5KB", Bytes, 5e3},
		{"5MB", Bytes, 5e6},
		{"5GB", Bytes, 5e9},
		{"1_024KiB", Bytes, 1 << 20},
		{"010B", Bytes, 10},
		{"9223372036854775807B", Bytes, math.MaxInt64},
		{"8589934591GiB", Bytes, 8589934591 << 30},
		{"10ms", Duration, int64(10 * time.Millisecond)},
		{"1h30m", Duration, int64(90 * time.Minute)},
		{"5m", Duration, int64(5 * time.Minute)},
		{"1.5s", Duration, int64(1500 * time.Millisecond)},
		{"10us", Duration, 10e3},
		{"10µs", Duration, 10e3},
		{"-3ns", Duration, -3},
		{"0s", Duration, 0},
	} {
		typ, number, err := parseLiteral(c.text)
		if err != nil || typ != c.typ || number != c.number {
			t.Errorf("%s: got %s %d, error %v; want %s %d", c.text, typ, number, err, c.typ, c.number)
		}
	}
}

func TestLiteralIsRefusedWithTheReason(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"9223372036854775808", "9223372036854775808 does not fit in 64 bits"},
		{"-9223372036854775809", "-9223372036854775809 does not fit in 64 bits"},
		{"0xFFFFFFFFFFFFFFFF", "0xFFFFFFFFFFFFFFFF does not fit in 64 bits"},
		{"9223372036854775808B", "9223372036854775808B does not fit in 64 bits"},
		{"8589934592GiB", "8589934592GiB does not fit in 64 bits"},
		{"99999999999999999999KB", "99999999999999999999KB does not fit in 64 bits"},
		{"9999999h", "9999999h is not a duration, or does not fit in 64 bits of nanoseconds"},
		{"0644", "0644 must not start with 0; an octal number starts with 0o"},
		{"-010", "-010 must not start with 0; an octal number starts with 0o"},
		{"00", "00 must not start with 0; an octal number starts with 0o"},
		{"1.5MiB", "1.5MiB is not a size: sizes are whole numbers, 0B or more"},
		{"-1KB", "-1KB is not a size: sizes are whole numbers, 0B or more"},
		{"10 ms", "10 ms must have no space before ms"},
		{"64 KiB", "64 KiB must have no space before KiB"},
		{"0.5", "not supported yet: fractions such as 0.5"},
		{"1e3", "1e3 has no known unit; sizes have B KB MB GB KiB MiB GiB, durations ns us ms s m h"},
		{"5M", "5M has no known unit; sizes have B KB MB GB KiB MiB GiB, durations ns us ms s m h"},
		{"10sec", "10sec has no known unit; sizes have B KB MB GB KiB MiB GiB, durations ns us ms s m h"},
		{"1h30", "1h30 is not a duration, or does not fit in 64 bits of nanoseconds"},
		{"5KiB5", "5KiB5 has no known unit; sizes have B KB MB GB KiB MiB GiB, durations ns us ms s m h"},
		{"No", "No must be written false"},
		{"on", "on must be written true"},
		{"0xZZ", "not supported yet: text params such as \"0xZZ\"; a param is a number, a size, a duration, true or false"},
		{"abc", "not supported yet: text params such as \"abc\"; a param is a number, a size, a duration, true or false"},
		{"", "not supported yet: text params such as \"\"; a param is a number, a size, a duration, true or false"},
	} {
		typ, number, err := parseLiteral(c.text)
		if err == nil {
			t.Errorf("%s: got %s %d, want the error %q", c.text, typ, number, c.want)
			continue
		}
		if got := err.Error(); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.text, got, c.want)
		}
	}
}

func TestSizeNeedsAUnit(t *testing.T) {
	for _, text := range []string{"", "5", "B", "5kB", "5 KB", "_5B", "0x5B", "5TiB"} {
		if n, err := parseSize(text); err == nil {
			t.Errorf("parseSize(%q): got %d, want an error", text, n)
		}
	}
}
