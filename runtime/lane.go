// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// LaneOptions say how one sink is served.
type LaneOptions struct {
	Name   string // of the sink, in Event.Sinks and in the ledger
	Sink   Sink
	Limit  int64  // bytes of rows that may wait, in memory; 0 means 8 MiB
	OnFull OnFull // what becomes of more
	// Spool keeps on disk what the sink does not take; nil: nothing does. The
	// lane closes it.
	Spool *Spool
	// Unstarted says that the sink, a Starter, has not been started: the lane
	// does that, and tries again as long as it fails.
	Unstarted bool
	// Log is told, on the lane's goroutines, that an outage began, or that a
	// batch was given up for a Permanent error; once for equal errors in a row.
	// nil tells nobody.
	Log func(error)
}

// Lane is the queue between the agent and one sink. The reading goroutine puts
// batches in and does not wait, unless OnFull says so; one goroutine ships
// them, one after the other, again and again until the sink took them or says
// that it never will; another one, where there is a spool, writes them there.
type Lane struct {
	name      string
	sink      Sink
	encoding  Encoding
	age       time.Duration
	size      int // bytes that close a batch
	prompt    bool
	partition Partition
	limit     int64
	onFull    OnFull
	spool     *Spool        // set when the lane begins
	began     bool          // the reading goroutine's
	beginning chan struct{} // closed when the lane begins
	starter   Starter       // not nil: it is not yet started; the shipping goroutine's
	log       func(error)
	names     batchNames

	toShip  chan struct{} // told when there may be something to ship
	toSpool chan struct{} // ... to spool, or to note
	room    chan struct{} // ... room again
	open    chan struct{} // closed when the reader must not wait any more
	opened  sync.Once
	ending  chan struct{}   // closed when nothing more comes
	ctx     context.Context // of Ship; done when the lane must end
	stop    context.CancelFunc
	ended   chan struct{} // closed when the sink is closed
	err     error         // of closing the sink; read after ended
	kept    chan struct{} // closed when nothing more is spooled

	mu       sync.Mutex
	books    LaneBooks
	direct   uint64 // rows that left without having been in the spool
	sequence uint64 // of the next batch
	waiting  int64  // bytes of memory in queue, and of what is being shipped
	queue    laneQueue
	hand     hand
	writing  int  // so many of queue are being spooled
	onlyOne  bool // spool one batch at a time: several do not fit
	trouble  bool // the sink failed, and has not caught up since
	broken   bool // the spool failed, and it is not yet time to try again
	full     bool // the spool is full, and nothing must be dropped
	final    bool // spool what is left, then end
	closed   bool // the books are final: nothing goes in, no outcome counts
}

// hand is the batch from the queue that is being shipped.
type hand struct {
	queued
	held    bool // there is one
	writing bool // it is being spooled as well
	spooled bool // it was
	apart   bool // it cannot be: the spool is too small for it
}

// NewLane is a lane that serves o.Sink until Close.
func NewLane(o LaneOptions) *Lane {
	l := newLane(o)
	l.begin(o.Spool)
	return l
}

// newLane is a lane that gathers batches and does nothing with them before it
// begins.
func newLane(o LaneOptions) *Lane {
	if o.Limit <= 0 {
		o.Limit = 8 << 20
	}
	if o.Log == nil {
		o.Log = func(error) {}
	}
	l := &Lane{
		name: o.Name, sink: o.Sink, encoding: o.Sink.Encoding(), age: batchAge, size: largeBatch,
		limit: o.Limit, onFull: o.OnFull, log: o.Log, names: newBatchNames(time.Now()),
		toShip: make(chan struct{}, 1), toSpool: make(chan struct{}, 1), room: make(chan struct{}, 1),
		beginning: make(chan struct{}), open: make(chan struct{}), ending: make(chan struct{}), ended: make(chan struct{}), kept: make(chan struct{}),
		books: LaneBooks{Sink: o.Name},
	}
	if p, ok := o.Sink.(Prompt); ok {
		l.age, l.prompt = p.Age(), true
	}
	if u, ok := o.Sink.(Unhurried); ok && !l.prompt && u.Interval() > 0 {
		l.age = u.Interval()
	}
	if s, ok := o.Sink.(Sized); ok && s.Size() > 0 {
		l.size = min(s.Size(), LargestBatch)
	}
	if p, ok := o.Sink.(Partitioned); ok {
		l.partition = p.Partition()
	}
	if o.Unstarted {
		l.starter, _ = o.Sink.(Starter)
	}
	l.ctx, l.stop = context.WithCancel(context.Background())
	return l
}

// begin has the lane ship what there is, and what comes. It is called on the
// reading goroutine.
func (l *Lane) begin(spool *Spool) {
	l.spool, l.began = spool, true
	defer close(l.beginning)
	if l.onFull == FullDefault {
		l.onFull = DropNewest
		if spool != nil {
			l.onFull = DropOldest
		}
	}
	if spool == nil {
		close(l.kept)
	} else {
		spool.log.KeepOldest(l.onFull != DropOldest)
		l.mu.Lock()
		l.books.Inherited, l.books.Spooled, l.books.Crashed = spool.found.Rows, spool.found.Rows, spool.found.Crashed
		l.mu.Unlock()
		go l.keep()
	}
	go l.run()
}

// Books is what became of the rows so far. They balance at any moment, and any
// goroutine may ask.
func (l *Lane) Books() LaneBooks {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.books
}

// Close ships what is pending until ctx is done, and closes the sink. With a
// spool, what is left is spooled, and an outage is not waited for; without one
// it is counted as dropped. A sink that then still does not return is left
// behind. It is called once, after the last row.
func (l *Lane) Close(ctx context.Context) error {
	const (
		grace     = 200 * time.Millisecond // for a sink to see that its context is done
		diskGrace = time.Second            // for the spool to take what is left
	)
	close(l.ending)
	notify(l.toShip)
	notify(l.toSpool)
	select {
	case <-l.ended:
	case <-ctx.Done():
		l.stop()
		within(grace, l.ended)
	}
	l.mu.Lock()
	l.final = true
	l.mu.Unlock()
	notify(l.toSpool)
	var err error
	if !within(diskGrace, l.kept) {
		err = fmt.Errorf("close spool of %s: the disk does not answer", l.name)
	}
	left := l.balance()
	if l.spool != nil && err == nil {
		_, saved := l.spool.log.Save(left)
		err = errors.Join(saved, l.spool.log.Close())
	}
	if !within(0, l.ended) {
		return errors.Join(err, fmt.Errorf("close sink %s: it does not return", l.name))
	}
	return errors.Join(err, l.err)
}

// within waits for done, at most so long.
func within(d time.Duration, done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
	}
	if d == 0 {
		return false
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}

// notify tells a goroutine to look again.
func notify(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
