// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"context"
	"errors"
	"os"
	"syscall"

	"github.com/redsift/ingraind/runtime"
)

// work is runtime.Run or runtime.Replay.
type work func(context.Context, runtime.Options) (runtime.Ledger, error)

// outcome is what the runtime returned.
type outcome struct {
	ledger runtime.Ledger
	err    error
}

// watch does work until it is done, ctx is, or a signal comes, and prints the
// ledger where that is due. The first SIGINT or SIGTERM asks the work to
// stop, for which it has its own bound; the second does not wait for it. So does
// SIGHUP, where there is no configuration file that it would have read again.
func (s *session) watch(ctx context.Context, o runtime.Options, do work) int {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var signals <-chan os.Signal
	if s.env.Signals != nil {
		var stop func()
		signals, stop = s.env.Signals()
		defer stop()
	}
	requests := make(chan func(runtime.Ledger), 1)
	o.Ledger = requests
	done := make(chan outcome, 1)
	go func() {
		ledger, err := do(ctx, o)
		done <- outcome{ledger, err}
	}()
	for stopping := false; ; {
		select {
		case out := <-done:
			return s.finish(out)
		case signal := <-signals:
			switch {
			case signal == syscall.SIGUSR1:
				select {
				case requests <- func(l runtime.Ledger) { s.printLedger(l, true) }:
				default: // one is waiting already
				}
			case signal == syscall.SIGHUP && s.changes != nil && s.flags.config != "":
				if !stopping {
					s.reload()
				}
			case stopping:
				number, _ := signal.(syscall.Signal)
				return 128 + int(number)
			default:
				stopping = true
				cancel()
			}
		}
	}
}

// finish prints the ledger, if somebody wants it or something was lost, and
// what went wrong. To have been stopped is not wrong, nor that the reader of
// a pipe had enough.
func (s *session) finish(out outcome) int {
	unread := errors.Is(out.err, runtime.ErrClosed)
	if s.flags.verbose || out.ledger.Losses() > 0 && !unread {
		s.printLedger(out.ledger, false)
	}
	err := out.err
	if err == nil || unread || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return exitOK
	}
	if s.env.Terminal {
		return s.fail(err)
	}
	s.log().Error(s.verb.name, "error", err)
	return exitFail
}

func (s *session) printLedger(l runtime.Ledger, running bool) {
	s.env.Stderr.Write(appendLedger(nil, l, s.verb.name == nameRun, running))
}
