// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Parse reads a value of a param as a user writes it: 64, 64KiB, 10ms, true.
func (p *Param) Parse(text string) (int64, error) {
	v, err := p.read(text)
	if err != nil {
		return 0, fmt.Errorf("param %s: %w", p.Name, err)
	}
	return v, p.Check(v)
}

func (p *Param) read(text string) (int64, error) {
	switch p.Type {
	case Bytes:
		return ParseBytes(text)
	case Duration:
		d, err := time.ParseDuration(text)
		if err != nil {
			return 0, fmt.Errorf("%q is no duration such as 10ms or 5s", text)
		}
		return int64(d), nil
	case Bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return 0, fmt.Errorf("%q is neither true nor false", text)
		}
		if b {
			return 1, nil
		}
		return 0, nil
	}
	v, err := strconv.ParseInt(text, 0, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is no integer", text)
	}
	return v, nil
}

// Format writes a value as Parse reads it.
func (p *Param) Format(v int64) string {
	switch p.Type {
	case Bytes:
		for _, unit := range []struct {
			name string
			size int64
		}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}} {
			if v >= unit.size && v%unit.size == 0 {
				return strconv.FormatInt(v/unit.size, 10) + unit.name
			}
		}
		return strconv.FormatInt(v, 10) + "B"
	case Duration:
		return time.Duration(v).String()
	case Bool:
		return strconv.FormatBool(v != 0)
	case Syscalls:
		return Calls(nil).String()
	case Paths:
		return strings.Join(p.Paths, ",")
	}
	return strconv.FormatInt(v, 10)
}

// Check reports a value outside of the param's bounds.
func (p *Param) Check(v int64) error {
	if p.Min == 0 && p.Max == 0 || p.Min <= v && v <= p.Max {
		return nil
	}
	return fmt.Errorf("param %s: %s is not between %s and %s", p.Name, p.Format(v), p.Format(p.Min), p.Format(p.Max))
}

// paramValues is a value for each param of g: those that are set, else the defaults.
func (g *Grain) paramValues(set map[string]int64) ([]int64, error) {
	for name := range set {
		if !slices.ContainsFunc(g.Params, func(p Param) bool { return p.Name == name }) {
			return nil, fmt.Errorf("no param %q", name)
		}
	}
	values := make([]int64, len(g.Params))
	for i := range g.Params {
		p := &g.Params[i]
		v, ok := set[p.Name]
		if !ok {
			v = p.Default
		}
		if err := p.Check(v); err != nil {
			return nil, err
		}
		values[i] = v
	}
	return values, nil
}
