// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// ErrClosed is what Ship returns, as a Permanent error, when nobody takes this
// sink's rows any more and nobody will. An agent that was started to show them
// has nothing left to do.
var ErrClosed = errors.New("nobody reads the output")

// A batch that a sink did not take is shipped again after a random part of a
// pause that doubles each time ("full jitter"), so that agents whose server
// comes back do not all come back with it. What a server asks for is added.
const (
	firstPause   = 100 * time.Millisecond
	longestPause = 30 * time.Second
	longestAsked = time.Hour // whatever a server asks for
)

// outcome is what became of a batch.
type outcome uint8

const (
	unsettled outcome = iota // the lane ends
	taken
	refused
)

// run ships what there is until nothing more comes, then closes the sink.
func (l *Lane) run() {
	defer close(l.ended)
	outage := ""
	if err := l.start(); err != nil {
		l.report(err, &outage)
	}
	for {
		from, ok := l.next()
		if !ok {
			break
		}
		if from == fromSpool && !l.shipSpooled(&outage) || from == fromQueue && !l.shipHand(&outage) {
			break
		}
	}
	if err := l.sink.Close(); err != nil {
		l.err = fmt.Errorf("close sink %s: %w", l.name, err)
	}
}

// source is where the next batch comes from.
type source uint8

const (
	fromQueue source = iota // it is in l.hand
	fromSpool
)

// next waits for the next batch; false says that there is none and will be
// none. What is in the spool is older than what is in memory.
func (l *Lane) next() (source, bool) {
	for {
		l.mu.Lock()
		switch {
		case l.ctx.Err() != nil:
			l.mu.Unlock()
			return 0, false
		case l.books.Spooled > 0:
			l.mu.Unlock()
			return fromSpool, true
		case l.queue.len() > 0 && l.writing == 0 && !l.spooling():
			l.hand = hand{queued: l.queue.remove(0), held: true}
			l.mu.Unlock()
			return fromQueue, true
		}
		empty := l.queue.len() == 0 && l.writing == 0
		l.mu.Unlock()
		ending := l.ending
		if !empty {
			ending = nil
		}
		select {
		case <-l.toShip:
		case <-l.ctx.Done():
		case <-ending:
			if l.drained() {
				return 0, false
			}
		}
	}
}

// drained reports whether nothing is left to ship.
func (l *Lane) drained() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.queue.len() == 0 && l.writing == 0 && l.books.Spooled == 0
}

// shipHand ships the batch in hand; false says that the lane ends.
func (l *Lane) shipHand(outage *string) bool {
	h := l.hand.queued
	b := h.Batch // the sink's own, for other lanes have the same batch
	b.Name = l.names.name(h.sequence)
	b.Bytes = slices.Clip(b.Bytes) // an append must not reach what is shared
	if l.spool != nil {
		_ = l.spool.log.Note(l.life()) // what goes wrong there, keep reports
	}
	became := l.ship(&b, outage)
	l.mu.Lock()
	for l.hand.writing && l.ctx.Err() == nil {
		l.mu.Unlock()
		select {
		case <-l.toShip:
		case <-l.ctx.Done():
		}
		l.mu.Lock()
	}
	into := l.outcome(became)
	spooled := l.hand.spooled || l.hand.writing
	back := false
	switch {
	case into == nil && (l.spool == nil || l.hand.apart):
		l.settle(b.Rows, &l.books.Dropped)
	case into == nil:
		back = !spooled && !l.closed
	case l.hand.spooled:
		l.settleSpooled(uint64(b.Rows), into)
	case !l.hand.writing:
		l.settle(b.Rows, into)
	}
	ack := into != nil && l.hand.spooled && !l.closed
	l.hand = hand{}
	if back {
		l.queue.pushFront(h)
	} else {
		l.waiting -= int64(cap(h.Bytes))
	}
	l.mu.Unlock()
	if !back {
		h.release()
	}
	if ack {
		l.ack()
	}
	l.left(became)
	return became != unsettled
}

// shipSpooled ships the oldest batch of the spool; false says that the lane ends.
func (l *Lane) shipSpooled(outage *string) bool {
	r, damaged, err := l.spool.log.Next()
	if damaged > 0 {
		l.mu.Lock()
		l.settleSpooled(damaged, &l.books.Dropped)
		l.books.Damaged += damaged
		l.mu.Unlock()
		l.log(fmt.Errorf("spool of %s: %d rows cannot be read any more", l.name, damaged))
	}
	if err != nil {
		if damaged == 0 { // the books know of more than there is
			l.sleep(firstPause)
		}
		return true
	}
	became := refused
	if wanted := l.encoding.Name(); r.Encoding != wanted {
		l.log(fmt.Errorf("spool of %s: it holds rows as %s, which were to be shipped before the sink was set to %s: they are dropped", l.name, r.Encoding, wanted))
	} else {
		b := unspooled(&r)
		b.Bytes = slices.Clip(b.Bytes)
		became = l.ship(&b, outage)
	}
	l.mu.Lock()
	into := l.outcome(became)
	if into != nil {
		l.settleSpooled(r.Rows, into)
	}
	closed := l.closed
	l.mu.Unlock()
	if into != nil && !closed {
		l.ack()
	}
	l.left(became)
	return became != unsettled
}

// outcome is the column of the books; nil when nothing became of the batch.
func (l *Lane) outcome(became outcome) *uint64 {
	return map[outcome]*uint64{taken: &l.books.Shipped, refused: &l.books.Dropped}[became]
}

// ack tells the spool that what was shipped is not needed any more.
func (l *Lane) ack() {
	if err := l.spool.log.Ack(); err != nil {
		l.log(fmt.Errorf("spool of %s: %w", l.name, err))
	}
}

// left says that a batch may have made room. A sink that took one, and has
// caught up, is not in trouble any more.
func (l *Lane) left(became outcome) {
	l.mu.Lock()
	l.full = false
	if became == taken && l.books.Spooled == 0 {
		l.trouble = false
	}
	l.mu.Unlock()
	notify(l.room)
	if l.spool != nil {
		notify(l.toSpool)
	}
}

// ship sends one batch until the sink takes it, refuses it for good, or the
// lane must end. It tells the log when the error is another than before.
func (l *Lane) ship(b *Batch, outage *string) outcome {
	for pause := firstPause; l.ctx.Err() == nil; pause = min(2*pause, longestPause) {
		err := l.start()
		if err == nil {
			err = l.sink.Ship(l.ctx, b)
		}
		if err == nil {
			*outage = ""
			return taken
		}
		if l.ctx.Err() != nil {
			return unsettled
		}
		l.report(err, outage)
		if IsPermanent(err) {
			return refused
		}
		wait := rand.N(pause)
		if asked, ok := RetryIn(err); ok {
			wait += min(max(asked, 0), longestAsked)
		}
		if l.inTrouble() || !l.sleep(wait) || l.inTrouble() {
			return unsettled
		}
		l.mu.Lock()
		l.books.Retries++
		l.mu.Unlock()
	}
	return unsettled
}

// start starts a sink that was not.
func (l *Lane) start() error {
	if l.starter == nil {
		return nil
	}
	err := l.starter.Start()
	if err == nil {
		l.starter = nil
	}
	return err
}

// report tells the log of an error, when it is another than before.
func (l *Lane) report(err error, outage *string) {
	if *outage == err.Error() {
		return
	}
	*outage = err.Error()
	l.log(fmt.Errorf("ship to %s: %w", l.name, err))
}

// inTrouble notes that the sink failed, and reports whether the lane should
// leave what there is to the spool: it ends, and the next process may have
// more luck.
func (l *Lane) inTrouble() (leave bool) {
	if l.spool == nil {
		return false
	}
	l.mu.Lock()
	l.trouble = true
	leave = !l.broken
	l.mu.Unlock()
	notify(l.toSpool)
	select {
	case <-l.ending:
		return leave
	default:
		return false
	}
}

// sleep waits, and reports whether the lane goes on. With a spool it does not
// outlast the end of the rows.
func (l *Lane) sleep(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	var ending <-chan struct{}
	select {
	case <-l.ending:
	default:
		if l.spool != nil {
			ending = l.ending
		}
	}
	select {
	case <-timer.C:
		return true
	case <-ending:
		return true
	case <-l.ctx.Done():
		return false
	}
}
