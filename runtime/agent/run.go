// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/redsift/ingraind/runtime"
)

// run is the verb that watches.
func run(ctx context.Context, s *session) int {
	if code, more := s.parse(); !more {
		return code
	}
	setup, mistakes := s.watching()
	if len(mistakes) > 0 {
		return s.mistaken(mistakes)
	}
	if len(setup.grains) == 0 {
		return s.fail(errors.New("this agent holds no grain"))
	}
	if !s.env.privileged() {
		return s.fail(fmt.Errorf("watching needs root, or the capabilities CAP_BPF and CAP_PERFMON: try sudo %s", s.agent.Name))
	}
	lanes, err := setup.open(func(err error) { s.log().Warn(err.Error()) })
	if err != nil {
		return s.fail(err)
	}
	o := s.options(setup, lanes)
	s.running, s.changes = setup, make(chan runtime.Change, 16)
	o.Changes = s.changes
	var recording *os.File
	if s.flags.record != "" {
		recording, err = os.OpenFile(s.flags.record, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
		if err != nil {
			return s.fail(errors.Join(fmt.Errorf("-record: %w", err), closeAll(lanes)))
		}
		o.Record = recording
	}
	observer, err := s.observed(&o)
	if err != nil {
		return s.fail(errors.Join(err, closeAll(lanes)))
	}
	if observer != nil {
		defer observer.Close()
	}
	return s.watch(ctx, o, func(ctx context.Context, o runtime.Options) (runtime.Ledger, error) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		o.Started = func(plans []*runtime.Plan) { s.started(plans, cancel) }
		ledger, err := s.runner().run(ctx, o)
		if recording != nil {
			err = errors.Join(err, recording.Close())
		}
		return ledger, err
	})
}

// started is called when all grains are attached: the time of -for begins.
func (s *session) started(plans []*runtime.Plan, cancel context.CancelFunc) {
	var names []string
	for _, p := range plans {
		names = append(names, p.Grain.Name)
	}
	s.log().Debug("watching", "grains", names)
	if s.flags.duration > 0 {
		time.AfterFunc(s.flags.duration, cancel)
	}
}

// options are those of a setup whose sinks were opened.
func (s *session) options(setup setup, lanes []runtime.LaneOptions) runtime.Options {
	return runtime.Options{
		Grains:    setup.grains,
		Params:    setup.params,
		On:        setup.on,
		Calls:     setup.calls,
		Paths:     setup.paths,
		Lanes:     lanes,
		Routes:    setup.routes,
		Transport: setup.transport,
		Rings:     setup.rings,
		Latency:   setup.latency,
		BTF:       setup.btfPath(),
		Log:       s.log(),
	}
}

// log is text for people at a terminal, JSON for programs.
func (s *session) log() *slog.Logger {
	options := &slog.HandlerOptions{}
	if s.flags.verbose {
		options.Level = slog.LevelDebug
	}
	if s.env.Terminal {
		return slog.New(slog.NewTextHandler(s.env.Stderr, options))
	}
	return slog.New(slog.NewJSONHandler(s.env.Stderr, options))
}

func (s *session) runner() runner {
	if s.env.runner != nil {
		return s.env.runner
	}
	return kernel{}
}
