// SPDX-License-Identifier: Apache-2.0

package spec

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// ParamType is the type of a param: what its literals look like, and the unit
// of the number they mean.
type ParamType string

// The types a param can have.
const (
	Integer  ParamType = "integer"  // 4096, -1, 0x1F, 1_000: an int64
	Bytes    ParamType = "bytes"    // 0B, 64KiB, 5MB: bytes, not negative
	Duration ParamType = "duration" // 10ms, 1h30m: nanoseconds, as Go writes them
	Bool     ParamType = "bool"     // true, false: 1, 0
	Syscalls ParamType = "syscalls" // all: a set of system calls, of which the file can only say all
	Paths    ParamType = "paths"    // /etc, [/etc, /srv]: folders
)

// noun is what mistakes call a literal of the type.
func (t ParamType) noun() string {
	switch t {
	case Integer:
		return "an integer"
	case Bytes:
		return "a size"
	case Duration:
		return "a duration"
	case Syscalls:
		return "a set of system calls"
	case Paths:
		return "a list of paths"
	}
	return "true or false"
}

var sizeUnits = map[string]int64{
	"B": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30,
}

var (
	sizePattern    = regexp.MustCompile(`^(\d[\d_]*)(B|KB|MB|GB|KiB|MiB|GiB)$`)
	octalPattern   = regexp.MustCompile(`^[-+]?0[0-9_]+$`)
	measurePattern = regexp.MustCompile(`^([-+]?)([\d_]*\.?[\d_]+)( *)(\p{L}*)`)
)

// parseLiteral tells what type of literal text is, and its number.
func parseLiteral(text string) (ParamType, int64, error) {
	switch {
	case text == "true":
		return Bool, 1, nil
	case text == "false":
		return Bool, 0, nil
	case text == "all":
		return Syscalls, 0, nil
	case sizePattern.MatchString(text):
		n, err := parseSize(text)
		return Bytes, n, err
	case octalPattern.MatchString(text):
		return "", 0, fmt.Errorf("%s must not start with 0; an octal number starts with 0o", text)
	}
	n, err := strconv.ParseInt(text, 0, 64)
	if err == nil {
		return Integer, n, nil
	}
	if errors.Is(err, strconv.ErrRange) {
		return "", 0, fmt.Errorf("%s does not fit in 64 bits", text)
	}
	d, err := time.ParseDuration(text)
	if err == nil {
		return Duration, int64(d), nil
	}
	return "", 0, explain(text)
}

// parseSize reads a whole number and a unit of bytes.
func parseSize(text string) (int64, error) {
	parts := sizePattern.FindStringSubmatch(text)
	if parts == nil {
		return 0, fmt.Errorf("%s is not a whole number and one of B KB MB GB KiB MiB GiB", text)
	}
	unit := sizeUnits[parts[2]]
	n, err := strconv.ParseInt(strings.ReplaceAll(parts[1], "_", ""), 10, 64)
	if err != nil || n > math.MaxInt64/unit {
		return 0, fmt.Errorf("%s does not fit in 64 bits", text)
	}
	return n * unit, nil
}

// explain says why text is no literal.
func explain(text string) error {
	switch strings.ToLower(text) {
	case "true", "yes", "on":
		return fmt.Errorf("%s must be written true", text)
	case "false", "no", "off":
		return fmt.Errorf("%s must be written false", text)
	}
	parts := measurePattern.FindStringSubmatch(text)
	if parts == nil || strings.HasPrefix(text, "0x") || strings.Contains(text, "\n") {
		return fmt.Errorf("not supported yet: text params such as %q; a param is a number, a size, a duration, true or false", text)
	}
	_, isSize := sizeUnits[parts[4]]
	fraction := strings.Contains(parts[2], ".")
	whole := len(parts[0]) == len(text)
	_, err := time.ParseDuration("1" + parts[4])
	switch {
	case whole && isSize && (fraction || parts[1] != ""):
		return fmt.Errorf("%s is not a size: sizes are whole numbers, 0B or more", text)
	case whole && parts[3] != "" && (isSize || err == nil):
		return fmt.Errorf("%s must have no space before %s", text, parts[4])
	case err == nil && parts[3] == "":
		return fmt.Errorf("%s is not a duration, or does not fit in 64 bits of nanoseconds", text)
	case parts[4] == "" && fraction:
		return fmt.Errorf("not supported yet: fractions such as %s", text)
	}
	return fmt.Errorf("%s has no known unit; sizes have B KB MB GB KiB MiB GiB, durations ns us ms s m h", text)
}
