// SPDX-License-Identifier: Apache-2.0

package deliver

import (
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/redsift/ingraind/runtime/runtimetest"
)

// load is a thread called asker that asks about each number, one after the
// other, so many in a second. It counts by itself.
type load struct {
	next  atomic.Int64 // the number that it asks about next
	stop  chan struct{}
	ended chan struct{}
}

// ask starts one at a number. With a last one, it ends there; it ends at Stop
// in any case.
func ask(t *testing.T, first, last, rate int) *load {
	l := &load{stop: make(chan struct{}), ended: make(chan struct{})}
	l.next.Store(int64(first))
	go func() {
		defer close(l.ended)
		runtimetest.Named(t, "asker", func() { l.run(first, last, rate) })
	}()
	return l
}

func (l *load) run(first, last, rate int) {
	began := time.Now()
	for n := first; n < last; {
		select {
		case <-l.stop:
			return
		default:
		}
		due := min(last, first+int(time.Since(began).Seconds()*float64(rate)))
		for ; n < due; n++ {
			_, _, _ = unix.Syscall(unix.SYS_GETPRIORITY, unix.PRIO_PROCESS, uintptr(n), 0)
			l.next.Store(int64(n + 1))
		}
		time.Sleep(time.Millisecond)
	}
}

// Stop ends it and says which number it has not asked about.
func (l *load) Stop() int {
	close(l.stop)
	<-l.ended
	return int(l.next.Load())
}
