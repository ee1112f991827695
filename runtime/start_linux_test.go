// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/redsift/ingraind/runtime/internal/ring"
)

func TestTransportIsThePerfBufferWhereRingBuffersAreMissing(t *testing.T) {
	for _, test := range []struct {
		transport string
		missing   error
		perf      bool
		err       string
	}{
		{"", nil, false, ""},
		{"auto", nil, false, ""},
		{"auto", errors.New("this kernel has none"), true, ""},
		{"perf", nil, true, ""},
		{"ring", errors.New("this kernel has none"), false, "transport ring: this kernel has none"},
	} {
		k := *kernel(t)
		k.RingBuffer = func() error { return test.missing }
		s := &session{
			Options: Options{Grains: []*Grain{points(t, started())}, Transport: test.transport, Log: slog.New(slog.DiscardHandler), kernel: &k},
			lanes:   NewLanes(),
		}
		err := s.start(context.Background())
		if test.err != "" {
			if err == nil || !strings.Contains(err.Error(), test.err) {
				t.Errorf("%q, missing %v: got %v, want %q", test.transport, test.missing, err, test.err)
			}
		} else if err != nil {
			t.Errorf("%q, missing %v: %v", test.transport, test.missing, err)
		} else if _, perf := s.source.(*ring.Perf); perf != test.perf {
			t.Errorf("%q, missing %v: got the perf buffer %v, want %v", test.transport, test.missing, perf, test.perf)
		}
		if err := s.close(); err != nil {
			t.Error(err)
		}
	}
}
