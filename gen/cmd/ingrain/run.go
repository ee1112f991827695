// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
)

// Exit codes.
const (
	exitOK    = 0
	exitFail  = 1 // mistakes in grains; with -n: something would change; with -btf: a grain runs nowhere
	exitUsage = 2 // the command line is wrong
)

// call is one run of the command.
type call struct {
	verb   *verb
	flags  flags
	args   []string // behind flags
	stdout io.Writer
	stderr io.Writer
}

// flags are what the command line said.
type flags struct {
	dir, cc, btf string
	dry          bool
}

// run does what args say and returns the exit code. What clang has to say goes
// to the process's own stderr.
func run(args []string, stdout, stderr io.Writer) int {
	c := &call{stdout: stdout, stderr: stderr}
	switch {
	case len(args) == 0:
		c.usage(nil, errors.New("what shall it do?"))
		return exitUsage
	case args[0] == "-h" || args[0] == "-help" || args[0] == "--help":
		writeOverview(stdout)
		return exitOK
	}
	if c.verb = findVerb(args[0]); c.verb == nil {
		return c.usage(nil, unknown("verb", args[0], verbNames()))
	}
	err := c.parse(args[1:])
	switch {
	case errors.Is(err, flag.ErrHelp):
		writePage(stdout, c.verb)
		return exitOK
	case err != nil:
		return c.usage(c.verb, err)
	}
	return c.verb.do(c)
}

// parse reads flags before and behind arguments, with one dash or two, up to
// "--".
func (c *call) parse(args []string) error {
	set := flag.NewFlagSet(c.verb.name, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.Usage = func() {}
	names := []string{"help"}
	for _, o := range c.verb.options {
		names = append(names, o.name)
		o.bind(set, o.name, &c.flags)
	}
	for {
		err := set.Parse(args)
		if name, ok := strings.CutPrefix(fmt.Sprint(err), "flag provided but not defined: -"); ok {
			return unknown("flag", name, names)
		}
		if err != nil {
			return err
		}
		rest := set.Args()
		if ended := len(args) - len(rest) - 1; ended >= 0 && args[ended] == "--" {
			c.args = append(c.args, rest...)
			rest = nil
		}
		if len(rest) == 0 {
			break
		}
		c.args = append(c.args, rest[0])
		args = rest[1:]
	}
	if most := c.verb.most; most >= 0 && len(c.args) > most {
		return fmt.Errorf("%s does not take %q", c.verb.name, c.args[most])
	}
	return nil
}

// usage says what is wrong with the command line, and where to read on.
func (c *call) usage(v *verb, err error) int {
	var b strings.Builder
	fmt.Fprintf(&b, "ingrain: %v\n", err)
	page := "ingrain help"
	if v == nil {
		fmt.Fprintf(&b, "\nUsage: ingrain VERB [flags] [arguments], where VERB is %s\n", enumerate(verbNames()))
	} else {
		fmt.Fprintf(&b, "\nUsage: %s\n", v.usage)
		page += " " + v.name
	}
	fmt.Fprintf(&b, "\n%q says more.\n", page)
	io.WriteString(c.stderr, b.String())
	return exitUsage
}

// fail prints errors. Those that begin with a position stand as they are, so
// that editors find them.
func (c *call) fail(err error) int {
	fmt.Fprintln(c.stderr, err)
	return exitFail
}
