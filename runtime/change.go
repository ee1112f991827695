// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// Change is other sinks and routes for an agent at work. No probe is detached
// for it, and no row lost.
type Change struct {
	// Lanes are all that there shall be, in their order.
	Lanes  []LaneChange
	Routes Routes
}

// LaneChange is a lane that there shall be.
type LaneChange struct {
	// LaneOptions with the name alone are those of a lane that goes on as it is.
	// Of others Spool is nil, and a Starter is not yet started: a lane of the
	// same name, which this one replaces, ends first.
	LaneOptions
	// OpenSpool opens the spool of a lane that is new; nil: it has none. It is
	// not called on the reading goroutine.
	OpenSpool func() *Spool
}

// retireGrace is how long a sink that is not wanted any more may take for what
// was already there for it. With a spool, what is left by then is spooled.
const retireGrace = 10 * time.Second

// retiree is a lane that gets no more rows, and its successor.
type retiree struct {
	name  string
	lane  *Lane // nil: there was none
	next  *Lane // gathers until the lane has ended; nil: nothing replaces it
	stop  context.CancelFunc
	ended chan struct{}
	// of the goroutine that ends the lane, read after ended:
	spool *Spool // of next
	err   error
}

// Change makes lanes and routes those of c. It runs on the reading goroutine,
// and waits for no sink: lanes that replace one gather rows meanwhile.
func (l *Lanes) Change(c Change) {
	for _, o := range l.open {
		l.handOver(o)
	}
	l.open, l.lastEvent, l.lastRoute = nil, nil, nil
	clear(l.routes)
	before := l.lanes
	var after []*Lane
	l.routing = c.Routes
	for _, wanted := range c.Lanes {
		i := slices.IndexFunc(before, func(b *Lane) bool { return b.name == wanted.Name })
		var old *Lane
		if i >= 0 {
			old = before[i]
			before = slices.Concat(before[:i], before[i+1:])
		}
		if wanted.Sink == nil {
			if old != nil {
				after = append(after, old)
			}
			continue
		}
		wanted.Unstarted = true
		lane := newLane(wanted.LaneOptions)
		after = append(after, lane)
		l.retire(old, lane, wanted.OpenSpool)
	}
	for _, old := range before {
		l.retire(old, nil, nil)
	}
	l.mu.Lock()
	l.lanes = after
	l.mu.Unlock()
}

// retire ends a lane, if there is one, beside the reading goroutine; then what
// its successor needs is opened, if there is one. Of lanes of one name, one ends
// after the other.
func (l *Lanes) retire(old, next *Lane, openSpool func() *Spool) {
	ctx, stop := context.WithCancel(context.Background())
	r := &retiree{lane: old, next: next, stop: stop, ended: make(chan struct{})}
	if r.name = cmp.Or(old, next).name; old != nil {
		old.unblock()
	}
	var before *retiree
	for _, other := range l.retired {
		if other.name == r.name {
			before = other
		}
	}
	l.mu.Lock()
	l.retired = append(l.retired, r)
	l.mu.Unlock()
	go func() {
		defer close(r.ended)
		defer stop()
		if before != nil {
			<-before.ended
		}
		if old != nil {
			<-old.beginning
			ctx, done := context.WithTimeout(ctx, retireGrace)
			r.err = old.Close(ctx)
			done()
		}
		if openSpool != nil {
			r.spool = openSpool()
		}
	}()
}

// succeed has lanes begin whose predecessors have ended.
func (l *Lanes) succeed() {
	for i := 0; i < len(l.retired); {
		r := l.retired[i]
		select {
		case <-r.ended:
		default:
			i++
			continue
		}
		if r.next != nil {
			r.next.begin(r.spool)
		}
		if r.lane != nil && r.err != nil {
			r.lane.log(r.err)
		}
		l.mu.Lock()
		if r.lane != nil {
			l.past = entered(l.past, r.lane.Books())
		}
		l.retired = slices.Delete(l.retired, i, i+1)
		l.mu.Unlock()
	}
}

// entered adds the last books of a lane to those of its predecessors.
func entered(past []LaneBooks, b LaneBooks) []LaneBooks {
	i := slices.IndexFunc(past, func(p LaneBooks) bool { return p.Sink == b.Sink })
	if i < 0 {
		b.Ended = true
		return append(past, b)
	}
	p := &past[i]
	p.In += b.In
	p.Inherited += b.Inherited
	p.Shipped += b.Shipped
	p.Spooled += b.Spooled
	p.Dropped += b.Dropped
	p.Retries += b.Retries
	p.Damaged += b.Damaged
	p.Crashed += b.Crashed
	return past
}

// endRetired ends what is being ended at the latest when ctx is done.
func (l *Lanes) endRetired(ctx context.Context) {
	for len(l.retired) > 0 {
		r := l.retired[0]
		stop := context.AfterFunc(ctx, r.stop)
		<-r.ended
		stop()
		l.succeed()
	}
}
