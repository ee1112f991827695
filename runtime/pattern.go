// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"

	"github.com/redsift/ingraind/runtime/internal/btfargs"
)

// mostProbes is how many functions a pattern may match where each takes a
// kprobe or uprobe of its own: each is a file descriptor, and some milliseconds
// to attach and to detach.
const mostProbes = 100

// isPattern reports whether a target stands for all functions that it matches.
func isPattern(target string) bool { return strings.Contains(target, "*") }

// matches reports whether a name is what a pattern stands for, each * in which
// is any letters.
func matches(pattern, name string) bool {
	first, rest, star := strings.Cut(pattern, "*")
	if !star {
		return name == pattern
	}
	name, ok := strings.CutPrefix(name, first)
	for ok {
		var part string
		if part, rest, star = strings.Cut(rest, "*"); !star {
			return strings.HasSuffix(name, part)
		}
		_, name, ok = strings.Cut(name, part)
	}
	return false
}

// servePattern puts the functions that c's target matches into c: those that
// have all of args, which the one program that is at all of them finds in the
// same registers at each.
func (k *Kernel) servePattern(c *choice, args []string) error {
	all, err := k.Functions()
	if err != nil {
		return err
	}
	c.functions = nil
	var last error
	for _, name := range all {
		if !matches(c.Target, name) {
			continue
		}
		binding, err := k.patternBinding(name, args)
		if err != nil {
			last = err
			continue
		}
		if len(c.functions) > 0 && binding != c.binding {
			return fmt.Errorf("%s and %s have %s in different places: narrow the pattern %s",
				c.functions[0], name, strings.Join(args, ", "), c.Target)
		}
		c.binding = binding
		c.functions = append(c.functions, name)
	}
	switch {
	case len(c.functions) > 0:
		return nil
	case last != nil:
		return fmt.Errorf("no function that matches %s will do; the last: %w", c.Target, last)
	}
	return fmt.Errorf("no function of this kernel that can be probed matches %s", c.Target)
}

// patternBinding is where a function has args. Without any its prototype does
// not matter.
func (k *Kernel) patternBinding(name string, args []string) (btfargs.Binding, error) {
	if len(args) == 0 {
		return btfargs.Binding{}, nil
	}
	prototype, err := btfargs.Function(k.Types, name)
	if err != nil {
		return btfargs.Binding{}, fmt.Errorf("%s: %w", name, err)
	}
	return prototype.Registers(args, false, k.Registers)
}

// probeable reads which functions the kernel lets be probed.
func probeable() ([]string, error) {
	err := errors.New("tracefs is not mounted")
	for _, dir := range traceDirs() {
		var f *os.File
		if f, err = os.Open(filepath.Join(dir, "available_filter_functions")); err != nil {
			continue
		}
		defer f.Close()
		return functionsIn(f)
	}
	return nil, fmt.Errorf("which functions match a pattern: %w", err)
}

// functionsIn reads lines such as "tcp_connect" and "nf_hook [nf]". Those of
// modules are left out, for kernels do not look for them when they attach to
// many; so are names that the compiler changed, and with a name that several
// functions have all of these, because a name is all that the kernel is told.
func functionsIn(list io.Reader) ([]string, error) {
	times := map[string]int{}
	var order []string
	lines := bufio.NewScanner(list)
	for lines.Scan() {
		name := lines.Text()
		if name == "" || strings.ContainsAny(name, " \t.") || strings.HasPrefix(name, "__ftrace_invalid_address_") {
			continue
		}
		if times[name]++; times[name] == 1 {
			order = append(order, name)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("which functions match a pattern: %w", err)
	}
	single := order[:0]
	for _, name := range order {
		if times[name] == 1 {
			single = append(single, name)
		}
	}
	return single, nil
}

// attachKprobes attaches a program to its functions one by one.
func (c *choice) attachKprobes(program *ebpf.Program, keep func(io.Closer)) error {
	for _, name := range c.functions {
		attached, err := link.Kprobe(name, program, &link.KprobeOptions{TraceFSPrefix: traceGroup()})
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		keep(attached)
	}
	return nil
}
