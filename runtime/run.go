// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"github.com/redsift/ingraind/runtime/internal/ring"
)

// Options say what to run and how. Only Grains and Lanes are needed.
type Options struct {
	Grains    []*Grain
	Params    map[string]int64    // "exec.max_args"; those that are not at their defaults
	Calls     map[string]Calls    // "syscall.syscalls"; likewise, those of type Syscalls
	Paths     map[string][]string // "file.dirs"; likewise, those of type Paths
	Lanes     []LaneOptions
	Routes    Routes        // where rows go that do not go where their grain says
	Transport string        // "ring", "perf"; "" or "auto": ring where the kernel has it
	Rings     int64         // bytes of all ring buffers together; 0: 8 MiB
	Latency   time.Duration // how long an event may wait while many arrive; 0: 1 ms
	BTF       string        // of a kernel without types: the file of them, or a folder with such
	Record    io.Writer     // gets a recording of all raw records; nil: none
	Log       *slog.Logger  // nil: nothing is said
	// Only, when not nil, are the mechanisms that may be used: for tests, and to
	// find out whether one of them is what is wrong on a kernel.
	Only map[Mechanism]bool
	// On, by "grain.probe", is what the probe's points are at instead of what the
	// grain says: cgroups, or patterns for names of interfaces.
	On map[string][]string
	// Changes brings other lanes and routes.
	Changes <-chan Change
	// Ledger brings functions that are called with the books as they are.
	Ledger <-chan func(Ledger)
	// Reports likewise, with what the agent costs.
	Reports <-chan func(Report)
	// Started, when not nil, is called once all grains that can run do.
	Started func([]*Plan)

	kernel *Kernel // tests bring one
}

const (
	// grace is how long sinks may take at the end to ship what is pending.
	grace = 3 * time.Second
	// tickEvery is how often batches are looked at for their age.
	tickEvery = 50 * time.Millisecond
	// settleTime is how long programs that were running when they were
	// detached are waited for.
	settleTime = 200 * time.Millisecond
)

// Run watches until ctx is done: it loads and attaches the grains, hands their
// rows to the lanes, and at the end detaches, drains and flushes. Grains that
// cannot run here are reported to the log before anything is attached, and the
// others run; it is an error when none can. It returns ErrClosed when a sink
// did. It closes the sinks in any case.
func Run(ctx context.Context, o Options) (Ledger, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	ctx, closed := context.WithCancelCause(ctx)
	defer closed(nil)
	s := &session{Options: o, closed: closed}
	s.openLanes()
	defer context.AfterFunc(ctx, s.lanes.Unblock)()
	err := s.start(ctx)
	if err == nil {
		s.loop(ctx)
		err = s.stop()
	}
	if context.Cause(ctx) == ErrClosed {
		err = errors.Join(err, ErrClosed)
	}
	closing, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	err = errors.Join(err, s.lanes.Close(closing))
	books := s.ledger()
	return books, errors.Join(err, s.close())
}

// session is an agent at work.
type session struct {
	Options
	closed context.CancelCauseFunc // called when there is nobody left to show rows to
	lanes  *Lanes
	intake *intake
	tables *tables
	shared *Shared
	loaded []*Loaded
	source ring.Source
	ticked time.Time

	interfaces *interfaceWatch // nil: no grain is at any
}

// openLanes makes the lanes.
func (s *session) openLanes() {
	var lanes []*Lane
	for _, o := range s.Lanes {
		o.Log = s.laneLog(o.Name)
		lanes = append(lanes, NewLane(o))
		o.Spool.tell(s.Log.With("sink", o.Name))
	}
	s.lanes = NewLanes(lanes...)
	s.lanes.Route(s.Routes)
}

// laneLog is told what goes wrong with a sink. When one says that nobody reads
// any more what it writes, that is the end of `ingraind | head`.
func (s *session) laneLog(sink string) func(error) {
	return func(err error) {
		if errors.Is(err, ErrClosed) {
			s.closed(ErrClosed)
			return
		}
		s.Log.Warn(err.Error(), "sink", sink)
	}
}

// change follows a Change, if there is one.
func (s *session) change() {
	select {
	case c := <-s.Changes:
		for i := range c.Lanes {
			lane := &c.Lanes[i]
			lane.Log = s.laneLog(lane.Name)
			if open := lane.OpenSpool; open != nil {
				lane.OpenSpool = func() *Spool {
					spool := open()
					spool.tell(s.Log.With("sink", lane.Name))
					return spool
				}
			}
		}
		s.lanes.Change(c)
	default:
	}
}

// loop reads until ctx is done. It is the reading goroutine: everything
// between the kernel and the closed batch happens here.
func (s *session) loop(ctx context.Context) {
	stopWaking := context.AfterFunc(ctx, s.source.Wake)
	defer stopWaking()
	idle := func() { s.lanes.Idle() }
	stopTables := s.tables.run(s.source.Wake)
	defer stopTables()
	for ctx.Err() == nil {
		s.tick(time.Now())
		s.intake.first = true
		s.source.Drain(s.intake.take)
		s.lanes.Drained()
		s.source.Wait(idle)
	}
}

// tick does what is to be done now and then.
func (s *session) tick(now time.Time) {
	if now.Sub(s.ticked) < tickEvery && !s.tables.waiting() {
		return
	}
	s.ticked = now
	s.intake.setClock(now)
	s.tables.tick(now)
	s.follow()
	s.change()
	s.lanes.Tick(now)
	s.tell()
}

// stop detaches everything and reads what programs have sent until then.
func (s *session) stop() error {
	var errs []error
	for _, l := range s.loaded {
		errs = append(errs, l.Detach())
	}
	for end := time.Now().Add(settleTime); ; time.Sleep(time.Millisecond) {
		s.intake.setClock(time.Now())
		if s.source.Drain(s.intake.take) == 0 && (s.settled() || time.Now().After(end)) {
			break
		}
	}
	s.tables.finish(time.Now())
	return errors.Join(append(errs, s.endRecording())...)
}

// close frees what the kernel holds for this agent.
func (s *session) close() error {
	var errs []error
	if s.interfaces != nil {
		errs = append(errs, s.interfaces.socket.Close())
	}
	for _, l := range s.loaded {
		errs = append(errs, l.Close())
	}
	if s.source != nil {
		errs = append(errs, s.source.Close())
	}
	if s.shared != nil {
		errs = append(errs, s.shared.Close())
	}
	return errors.Join(errs...)
}
