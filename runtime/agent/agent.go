// SPDX-License-Identifier: Apache-2.0

// Package agent is the command line and the configuration of any agent: a
// generated main lists its grains and sinks, and calls Main.
package agent

import (
	"context"
	"os"
	goruntime "runtime"

	"github.com/redsift/ingraind/runtime"
)

// Agent is what a binary holds.
type Agent struct {
	Name   string // of the binary
	Help   string // a sentence or a paragraph: what it watches
	Grains []*runtime.Grain
	// Optional are the names of those grains that run only when they are asked
	// for: their probes cost something also where nobody looks at what they say.
	Optional []string
	Sinks    []runtime.Part
	Observer *runtime.Observer // nil: it cannot be looked at over the network
}

// Exit codes.
const (
	exitOK    = 0
	exitFail  = 1 // it could not run
	exitUsage = 2 // the command line or the configuration file is wrong
)

// Main runs the agent as the command line says, and exits.
func Main(a Agent) {
	if goruntime.GOMAXPROCS(0) == 1 {
		// With a single P each time the reading goroutine sleeps in the kernel
		// its P is taken from it, which costs more than the reading.
		goruntime.GOMAXPROCS(2)
	}
	os.Exit(Run(context.Background(), a, os.Args[1:], System()))
}

// Run does what args say, and returns the exit code. It blocks until that is
// done, ctx is, or a signal ends it; after a second signal the runtime may
// still be stopping when Run returns, and the process is expected to exit.
func Run(ctx context.Context, a Agent, args []string, env Env) int {
	env.Stderr = &lockedWriter{w: env.Stderr}
	verb, args, err := findVerb(args)
	if err != nil {
		return usageError(a, env, runVerb(), err)
	}
	s := &session{agent: a, env: env, verb: verb, args: args}
	return verb.do(ctx, s)
}

// session is one call of the command.
type session struct {
	agent Agent
	env   Env
	verb  *verb
	args  []string // behind the verb: flags and arguments; arguments alone once parsed
	flags flagValues

	running setup               // of run, while it does
	changes chan runtime.Change // of run
}
