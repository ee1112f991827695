// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// verb is something an agent can do.
type verb struct {
	name      string
	arguments string // behind the flags, as the usage line shows them
	most      int    // how many arguments there may be; -1: any number
	summary   string // in the list of verbs
	about     []string
	groups    []group
	page      []func(Agent) section // behind the flags
	complete  kind                  // of its arguments
	do        func(context.Context, *session) int
}

func verbNames() []string {
	var names []string
	for _, v := range verbs() {
		names = append(names, v.name)
	}
	return names
}

// findVerb takes the verb off args. Without one it is run.
func findVerb(args []string) (*verb, []string, error) {
	if len(args) == 0 || strings.HasPrefix(args[0], "-") {
		return runVerb(), args, nil
	}
	for _, v := range verbs() {
		if v.name == args[0] {
			return v, args[1:], nil
		}
	}
	return nil, nil, unknown("verb", args[0], verbNames())
}

// parse reads the flags and leaves the arguments in s.args. When it returns
// false the verb is over, with that exit code.
func (s *session) parse() (code int, more bool) {
	arguments, err := parseFlags(s.verb, s.args, &s.flags)
	switch {
	case err == errHelp:
		writePage(s.env.Stdout, s.agent, s.verb)
		return exitOK, false
	case err != nil:
		return usageError(s.agent, s.env, s.verb, err), false
	case s.verb.most >= 0 && len(arguments) > s.verb.most:
		err = fmt.Errorf("%s takes %s, got %q", s.verb.name, argumentCount(s.verb.most), arguments)
		if s.verb.most == 0 && slices.Contains(verbNames(), arguments[0]) {
			err = fmt.Errorf("the verb comes first: %s %s", s.agent.Name, arguments[0])
		}
		return usageError(s.agent, s.env, s.verb, err), false
	}
	s.args = arguments
	return exitOK, true
}

func argumentCount(most int) string {
	switch most {
	case 0:
		return "no arguments"
	case 1:
		return "one argument"
	}
	return fmt.Sprintf("at most %d arguments", most)
}

// usageError says what is wrong with the command line and where to read on.
func usageError(a Agent, env Env, v *verb, errs ...error) int {
	var b strings.Builder
	for _, err := range errs {
		fmt.Fprintf(&b, "%s: %v\n", a.Name, err)
	}
	b.WriteString("\n")
	writeUsage(&b, a, v)
	fmt.Fprintf(&b, "\n\"%s help %s\" says more.\n", a.Name, v.name)
	io.WriteString(env.Stderr, b.String())
	return exitUsage
}

// fail says, a line for each, what went wrong.
func (s *session) fail(err error) int {
	var b strings.Builder
	for line := range strings.SplitSeq(err.Error(), "\n") {
		fmt.Fprintf(&b, "%s: %s\n", s.agent.Name, line)
	}
	io.WriteString(s.env.Stderr, b.String())
	return exitFail
}

// mistaken says what is wrong with flags or the configuration file. Those of
// the file begin with their place, as editors and compilers have it.
func (s *session) mistaken(mistakes []error) int {
	var b strings.Builder
	for _, err := range mistakes {
		var m mistake
		if !errors.As(err, &m) || m.at.line == 0 {
			fmt.Fprintf(&b, "%s: ", s.agent.Name)
		}
		fmt.Fprintf(&b, "%v\n", err)
	}
	io.WriteString(s.env.Stderr, b.String())
	return exitUsage
}

// print writes what a verb was asked for.
func (s *session) print(text []byte) int {
	if _, err := s.env.Stdout.Write(text); err != nil {
		return s.fail(err)
	}
	return exitOK
}
