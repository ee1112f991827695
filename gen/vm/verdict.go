// SPDX-License-Identifier: Apache-2.0

package vm

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// GuestError is a guest that ended without an exit code.
type GuestError struct {
	Kernel  Kernel
	Reason  string
	Console []string // its last lines
}

func (e *GuestError) Error() string {
	text := fmt.Sprintf("guest %s (%s): %s", e.Kernel, e.Kernel.Version, e.Reason)
	if len(e.Console) == 0 {
		return text + "; nothing is on its console"
	}
	return text + "; the end of its console:\n\t" + strings.Join(e.Console, "\n\t")
}

// verdict says why there is no exit code.
func (c *console) verdict(ctx context.Context, r *run, err error, stderr string) error {
	e := &GuestError{Kernel: r.Kernel, Console: c.last}
	phase := fmt.Sprintf("during boot with %d MiB of memory", r.MemoryMiB)
	if c.ready {
		phase = "while the program ran"
	}
	switch {
	case c.panicked != "" && c.oops != "":
		e.Reason = fmt.Sprintf("kernel panic %s: %s, after: %s", phase, c.panicked, c.oops)
	case c.panicked != "":
		e.Reason = fmt.Sprintf("kernel panic %s: %s", phase, c.panicked)
	case c.oops != "":
		e.Reason = fmt.Sprintf("kernel oops %s: %s", phase, c.oops)
	case c.failure != "":
		e.Reason = c.failure
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		e.Reason = fmt.Sprintf("no end after %v, %s", r.Timeout, phase)
	case ctx.Err() != nil:
		return fmt.Errorf("guest %s %s: %w", r.Kernel, phase, context.Cause(ctx))
	case err != nil:
		return fmt.Errorf("%s: %w%s", r.qemu.path, err, indent(stderr))
	default:
		e.Reason = "it went down without a word " + phase + indent(stderr)
	}
	return e
}
