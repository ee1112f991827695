// SPDX-License-Identifier: Apache-2.0

package runtime_test

import (
	"math"
	"testing"
	"time"

	"github.com/redsift/ingraind/runtime"
)

func TestAmountsOfBytesAreRead(t *testing.T) {
	for in, want := range map[string]int64{
		"0": 0, "512": 512, "512B": 512, "64KiB": 64 << 10, "5MB": 5_000_000, "1KB": 1000, "2GB": 2e9, "1TB": 1e12,
		"3MiB": 3 << 20, "1GiB": 1 << 30, "8TiB": 8 << 40, "9223372036854775807": math.MaxInt64,
	} {
		if got, err := runtime.ParseBytes(in); got != want || err != nil {
			t.Errorf("%s: got %d, %v; want %d", in, got, err, want)
		}
	}
	for _, in := range []string{"", "B", "KiB", "-1", "-1KiB", "1.5MiB", "5 MB", "5mb", "5iB", "5KBB", "9223372036854775808", "9999999TiB", "0x10", "ten"} {
		if got, err := runtime.ParseBytes(in); err == nil {
			t.Errorf("%q: got %d, want an error", in, got)
		}
	}
}

func TestSettingsSayWhichOfThemIsWrong(t *testing.T) {
	s := runtime.Settings{"size": "64MiB", "age": "24h", "off": "0", "on": "true", "word": "x", "less": "-1s"}
	if got, err := s.Bytes("size"); got != 64<<20 || err != nil {
		t.Errorf("size: got %d, %v", got, err)
	}
	if got, err := s.Duration("age"); got != 24*time.Hour || err != nil {
		t.Errorf("age: got %v, %v", got, err)
	}
	if got, err := s.Duration("off"); got != 0 || err != nil {
		t.Errorf("off: got %v, %v", got, err)
	}
	if got, err := s.Bool("on"); !got || err != nil {
		t.Errorf("on: got %v, %v", got, err)
	}
	if got := s.Text("word"); got != "x" {
		t.Errorf("word: got %q", got)
	}
	_, bytesErr := s.Bytes("word")
	_, durationErr := s.Duration("less")
	_, boolErr := s.Bool("word")
	for _, c := range []struct {
		err  error
		want string
	}{
		{bytesErr, `word: "x" is no amount of bytes such as 512B, 64KiB or 5MB`},
		{durationErr, `less: "-1s" is no duration such as 10s or 24h`},
		{boolErr, `word: "x" is neither true nor false`},
	} {
		if c.err == nil || c.err.Error() != c.want {
			t.Errorf("got %v, want %s", c.err, c.want)
		}
	}
}
