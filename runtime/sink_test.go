// SPDX-License-Identifier: Apache-2.0

package runtime_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/redsift/ingraind/runtime"
)

func TestPermanentIsSeenThroughWraps(t *testing.T) {
	permanent := runtime.Permanent(io.ErrClosedPipe)
	for _, c := range []struct {
		err  error
		want bool
	}{
		{nil, false},
		{io.ErrClosedPipe, false},
		{permanent, true},
		{fmt.Errorf("post: %w", permanent), true},
		{errors.Join(io.EOF, permanent), true},
	} {
		if got := runtime.IsPermanent(c.err); got != c.want {
			t.Errorf("%v: got %v, want %v", c.err, got, c.want)
		}
	}
	if !errors.Is(permanent, io.ErrClosedPipe) || permanent.Error() != io.ErrClosedPipe.Error() {
		t.Errorf("got %v, want the error itself to be seen", permanent)
	}
}

func TestHeadOfARecordIsRead(t *testing.T) {
	raw := []byte{1, 0, 0, 0, 0, 0, 0, 0x80, 2, 0, 0, 0, 3, 0, 4, 0, 'b'}
	want := runtime.Head{Time: 1<<63 + 1, Weight: 2, Grain: 3, Event: 4}
	for n := range len(raw) + 1 {
		got, ok := runtime.ParseHead(raw[:n])
		if ok != (n >= runtime.HeadSize) || ok && got != want {
			t.Errorf("%d bytes: got %+v, %v", n, got, ok)
		}
	}
}
