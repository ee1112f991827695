// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/redsift/ingraind/runtime"
)

// replay is the verb that hands a recording to sinks.
func replay(ctx context.Context, s *session) int {
	if code, more := s.parse(); !more {
		return code
	}
	if len(s.args) == 0 {
		return usageError(s.agent, s.env, s.verb, errors.New("replay needs a recording: a file, or - for standard input"))
	}
	setup, mistakes := s.watching()
	if len(mistakes) > 0 {
		return s.mistaken(mistakes)
	}
	var recording io.Reader = s.env.Stdin
	if name := s.args[0]; name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return s.fail(fmt.Errorf("replay: %w", err))
		}
		defer file.Close()
		recording = file
	}
	setup.grains = s.agent.Grains // a file's choice of grains is for watching
	lanes, err := setup.open(func(err error) { s.log().Warn(err.Error()) })
	if err != nil {
		return s.fail(err)
	}
	return s.watch(ctx, s.options(setup, lanes), func(ctx context.Context, o runtime.Options) (runtime.Ledger, error) {
		return s.runner().replay(ctx, recording, o)
	})
}
