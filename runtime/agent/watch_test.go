// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redsift/ingraind/runtime"
)

func TestTheFirstSignalStopsAndExits0(t *testing.T) {
	for _, signal := range []os.Signal{syscall.SIGINT, syscall.SIGTERM} {
		synctest.Test(t, func(t *testing.T) {
			c := newCall()
			c.signals = make(chan os.Signal)
			drained := false
			c.fake.work = func(ctx context.Context, _ runtime.Options) (runtime.Ledger, error) {
				<-ctx.Done()
				time.Sleep(4 * time.Second)
				drained = true
				return runtime.Ledger{}, ctx.Err()
			}
			go func() { c.signals <- signal }()
			if code := c.run(); code != 0 || !drained || c.errs.Len() > 0 {
				t.Errorf("%v: got exit code %d, drained: %v, %q, want 0, true and nothing", signal, code, drained, &c.errs)
			}
		})
	}
}

func TestTheSecondSignalEndsAtOnce(t *testing.T) {
	for second, want := range map[os.Signal]int{syscall.SIGINT: 130, syscall.SIGTERM: 143} {
		synctest.Test(t, func(t *testing.T) {
			c := newCall()
			c.signals = make(chan os.Signal)
			stuck := make(chan struct{})
			c.fake.work = func(context.Context, runtime.Options) (runtime.Ledger, error) {
				<-stuck
				return runtime.Ledger{}, nil
			}
			go func() { c.signals <- syscall.SIGINT; c.signals <- second }()
			if code := c.run(); code != want {
				t.Errorf("%v: got exit code %d, want %d", second, code, want)
			}
			close(stuck)
		})
	}
}

func TestForStopsAfterThatLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCall()
		c.signals = make(chan os.Signal)
		start := time.Now()
		c.fake.work = func(ctx context.Context, _ runtime.Options) (runtime.Ledger, error) {
			<-ctx.Done()
			return runtime.Ledger{}, ctx.Err()
		}
		if code := c.run("-for", "5s"); code != 0 || time.Since(start) != 5*time.Second {
			t.Errorf("got exit code %d after %v, want 0 after 5s", code, time.Since(start))
		}
	})
}

func TestSIGUSR1PrintsTheLedgerAndGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCall()
		c.signals = make(chan os.Signal)
		ledger := balanced()
		ledger.Events[0].Emitted, ledger.Events[0].Seen = 1005, 1015
		printed := 0
		c.fake.work = func(ctx context.Context, o runtime.Options) (runtime.Ledger, error) {
			for {
				select {
				case show := <-o.Ledger:
					show(ledger)
					printed++
				case <-ctx.Done():
					return runtime.Ledger{}, nil
				}
			}
		}
		go func() {
			c.signals <- syscall.SIGUSR1
			synctest.Wait()
			c.signals <- syscall.SIGUSR1
			synctest.Wait()
			c.signals <- syscall.SIGTERM
		}()
		if code := c.run(); code != 0 || printed != 2 {
			t.Errorf("got exit code %d and %d ledgers, want 0 and 2", code, printed)
		}
		if got, want := c.errs.String(), "the books balance, with 5 events on their way from the kernel\n"; strings.Count(got, want) != 2 {
			t.Errorf("got\n%s\nwant twice: %s", got, want)
		}
	})
}

func TestSIGUSR1DoesNotWaitForARuntimeThatIsBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCall()
		c.signals = make(chan os.Signal)
		c.fake.work = func(ctx context.Context, o runtime.Options) (runtime.Ledger, error) {
			<-ctx.Done()
			return runtime.Ledger{}, nil
		}
		go func() {
			for range 5 {
				c.signals <- syscall.SIGUSR1
			}
			c.signals <- syscall.SIGINT
		}()
		if code := c.run(); code != 0 {
			t.Errorf("got exit code %d, want 0", code)
		}
	})
}

func TestTheLedgerIsPrintedAtExitWhenAskedForOrSomethingWasLost(t *testing.T) {
	with := func(change func(*runtime.Ledger)) runtime.Ledger {
		l := balanced()
		l.Events[0].Lost, l.Events[0].Errors, l.Events[0].Emitted, l.Events[0].Seen = 0, 0, 990, 990
		l.Lanes = l.Lanes[:1]
		l.Probes[1].Missed = 0
		change(&l)
		return l
	}
	for _, test := range []struct {
		name   string
		ledger runtime.Ledger
		args   []string
		err    error
		want   bool
	}{
		{"nothing lost", with(func(*runtime.Ledger) {}), nil, nil, false},
		{"-v", with(func(*runtime.Ledger) {}), []string{"-v"}, nil, true},
		{"lost", with(func(l *runtime.Ledger) { l.Events[0].Lost = 1 }), nil, nil, true},
		{"errors", with(func(l *runtime.Ledger) { l.Events[1].Errors = 1 }), nil, nil, true},
		{"undecodable", with(func(l *runtime.Ledger) { l.Reader.Undecodable = 1 }), nil, nil, true},
		{"dropped", with(func(l *runtime.Ledger) { l.Lanes[0].Dropped = 1 }), nil, nil, true},
		{"lost and an error", with(func(l *runtime.Ledger) { l.Events[0].Lost = 1 }), nil, errors.New("read"), true},
		{"retries only", with(func(l *runtime.Ledger) { l.Lanes[0].Retries = 9 }), nil, nil, false},
		{"missed", with(func(l *runtime.Ledger) { l.Probes[1].Missed = 1 }), nil, nil, true},
		{"skipped", with(func(l *runtime.Ledger) { l.Reader.Skipped = 1 }), nil, nil, true},
	} {
		c := newCall()
		c.fake.work = func(context.Context, runtime.Options) (runtime.Ledger, error) { return test.ledger, test.err }
		code := c.run(test.args...)
		if got := strings.Contains(c.errs.String(), "the books"); got != test.want {
			t.Errorf("%s: got a ledger: %v, want %v", test.name, got, test.want)
		}
		if want := map[bool]int{false: 0, true: 1}[test.err != nil]; code != want {
			t.Errorf("%s: got exit code %d, want %d", test.name, code, want)
		}
	}
}

func TestAnAgentWhoseReaderLeftStopsQuietly(t *testing.T) {
	c := newCall()
	c.fake.work = func(context.Context, runtime.Options) (runtime.Ledger, error) {
		l := balanced()
		l.Lanes[0].Dropped, l.Lanes[0].Shipped = 7, l.Lanes[0].Shipped-7
		return l, fmt.Errorf("sink console: %w", runtime.ErrClosed)
	}
	if code := c.run(); code != 0 || c.errs.Len() > 0 {
		t.Errorf("got exit code %d and %q, want 0 and nothing", code, &c.errs)
	}
}
