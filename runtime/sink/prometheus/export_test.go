// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"net"
	"time"

	"github.com/redsift/ingraind/runtime"
)

// Addr is where a sink listens.
func Addr(s runtime.Sink) net.Addr { return s.(*sink).listener.Addr() }

// SetClock makes a sink's time now's.
func SetClock(s runtime.Sink, now func() time.Time) { s.(*sink).store.now = now }
