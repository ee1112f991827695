// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/cilium/ebpf/btf"
)

// mostSymbols is how many names an answer of Kernel.Symbols has.
const mostSymbols = 12

// kallsyms reads /proc/kallsyms for functions whose names begin with prefix.
// That takes some 0.1 s, and happens only for what is about to be an error.
func kallsyms(prefix string) []string {
	f, err := os.Open("/proc/kallsyms")
	if err != nil {
		return nil
	}
	defer f.Close()
	return nearest(f, prefix)
}

// nearest picks from lines such as "ffffffff81000000 T tcp_connect [module]":
// prefix itself first, then what a compiler made of it, then others.
func nearest(symbols io.Reader, prefix string) []string {
	var same, made, other []string
	for lines := bufio.NewScanner(symbols); lines.Scan(); {
		field := strings.Fields(lines.Text())
		if len(field) < 3 || !strings.EqualFold(field[1], "t") || !strings.HasPrefix(field[2], prefix) {
			continue
		}
		switch name := field[2]; {
		case name == prefix:
			same = []string{name}
		case name[len(prefix)] == '.':
			made = append(made, name)
		case len(other) < mostSymbols:
			other = append(other, name)
		}
	}
	all := slices.Concat(same, made, other)
	return all[:min(len(all), mostSymbols)]
}

// noFunction explains why the prototype of a kernel function was not found.
func (k *Kernel) noFunction(name string, err error) error {
	if errors.Is(err, btf.ErrMultipleMatches) {
		return fmt.Errorf("this kernel has several functions %s", name)
	}
	if !errors.Is(err, btf.ErrNotFound) {
		return err
	}
	near := k.Symbols(name)
	if slices.Contains(near, name) {
		return fmt.Errorf("this kernel does not say what the arguments of %s are called", name)
	}
	if i := slices.IndexFunc(near, func(s string) bool { return strings.HasPrefix(s, name+".") }); i >= 0 {
		return fmt.Errorf("this kernel has no function %s, only %s, of which the compiler changed the arguments", name, near[i])
	}
	if len(near) > 0 {
		return fmt.Errorf("this kernel has no function %s; it has %s", name, strings.Join(near[:min(len(near), 4)], ", "))
	}
	return fmt.Errorf("this kernel has no function %s", name)
}

// noTracepoint is noFunction for a tracepoint.
func noTracepoint(name string, err error) error {
	if errors.Is(err, btf.ErrNotFound) {
		return fmt.Errorf("this kernel has no tracepoint %s", name)
	}
	return err
}
