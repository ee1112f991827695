// SPDX-License-Identifier: Apache-2.0

package prometheus

import (
	"io"
	"net"
	"time"

	"github.com/prometheus/common/expfmt"

	"github.com/redsift/ingraind/runtime"
)

// Addr is where a sink listens.
func Addr(s runtime.Sink) net.Addr { return s.(*sink).listener.Addr() }

// SetClock makes a sink's time now's.
func SetClock(s runtime.Sink, now func() time.Time) { s.(*sink).store.now = now }

// Written takes a batch into a store of its own, and reports what goes wrong
// when that is written in each format.
func Written(b []byte) (refused, failed error) {
	s := newStore("ingraind", 0, 1000)
	if err := s.take(b); err != nil {
		return err, nil
	}
	for _, f := range []expfmt.FormatType{expfmt.TypeTextPlain, expfmt.TypeOpenMetrics, expfmt.TypeProtoDelim} {
		if err := write(io.Discard, expfmt.NewFormat(f), s.gather()); err != nil {
			return nil, err
		}
	}
	return nil, nil
}
