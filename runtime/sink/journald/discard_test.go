// SPDX-License-Identifier: Apache-2.0

package journald_test

import (
	"context"

	"github.com/redsift/ingraind/runtime"
)

// discard is a sink that sends nothing.
type discard struct{ runtime.Sink }

func (discard) Ship(context.Context, *runtime.Batch) error { return nil }
func (discard) Close() error                               { return nil }
