// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Part is a sink that an agent was built with.
type Part struct {
	Name     string // "file"
	Help     string
	Settings []Setting
	// Spool is whether batches for it go to disk when nobody says otherwise.
	Spool SpoolUse
	// Variables are those of the environment that the sink heeds, when the
	// agent runs: Environ says which settings they ask for, and whether they
	// turn the sink on. A configuration file and flags win over them. lookup is
	// os.Getenv.
	Variables []Variable
	Environ   func(lookup func(name string) string) (s Settings, on bool)
	// Open makes the sink. Settings hold a value for each of Part.Settings
	// and nothing else.
	Open func(Settings) (Sink, error)
	// Licences are the texts of the licences of what the sink links beside what
	// every agent does, each below its name.
	Licences string
}

// Variable is a variable of the environment.
type Variable struct {
	Name string // "STATSD_HOST"
	Help string
}

// SpoolUse is whether a sink's batches go to disk.
type SpoolUse uint8

const (
	SpoolAsked   SpoolUse = iota // only where a user asks for it
	SpoolTrouble                 // when the sink is down or slow
	SpoolAlways                  // each batch, before it is shipped
)

// Setting is a knob of a sink.
type Setting struct {
	Name    string
	Default string // as it is written; its form is the setting's type: text, 64MiB, 24h, true
	Help    string
}

// Settings are the values of a sink's knobs, as written by a user.
type Settings map[string]string

// Text is a setting as it was written.
func (s Settings) Text(name string) string { return s[name] }

// Bool is a setting that is true or false.
func (s Settings) Bool(name string) (bool, error) {
	v, err := strconv.ParseBool(s[name])
	if err != nil {
		return false, fmt.Errorf("%s: %q is neither true nor false", name, s[name])
	}
	return v, nil
}

// Duration is a setting such as "10s"; "0" turns off what it bounds.
func (s Settings) Duration(name string) (time.Duration, error) {
	v, err := time.ParseDuration(s[name])
	if err != nil || v < 0 {
		return 0, fmt.Errorf("%s: %q is no duration such as 10s or 24h", name, s[name])
	}
	return v, nil
}

// Bytes is a setting such as "64MiB".
func (s Settings) Bytes(name string) (int64, error) {
	v, err := ParseBytes(s[name])
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	return v, nil
}

// ParseBytes reads an amount of bytes: 512, 512B, 64KiB, 5MB.
func ParseBytes(text string) (int64, error) {
	digits := strings.TrimRight(text, "BKMGTi")
	unit := map[string]int64{
		"": 1, "B": 1,
		"KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12,
		"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40,
	}[text[len(digits):]]
	n, err := strconv.ParseInt(digits, 10, 64)
	if unit == 0 || err != nil || n < 0 || n > (1<<63-1)/unit {
		return 0, fmt.Errorf("%q is no amount of bytes such as 512B, 64KiB or 5MB", text)
	}
	return n * unit, nil
}
