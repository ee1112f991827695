// SPDX-License-Identifier: Apache-2.0

package kafka

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/redsift/ingraind/runtime"
)

// The headers of each record.
const (
	batchHeader = "ingraind.batch" // the batch's name
	indexHeader = "ingraind.index" // where in it, from 0
	hostHeader  = "ingraind.host"
)

// producer sends to one cluster.
type producer struct {
	brokers  string // how errors call them
	encoding *encoding
	topic    template
	topics   map[string]string // by grain, a dot and event
	host     []byte
	timeout  time.Duration

	options []kgo.Opt
	client  *kgo.Client
	trouble trouble
	hand    *shipment // the batch that was not done with when Ship returned
}

// shipment is a batch of which the client has records, or had.
type shipment struct {
	name  string
	rows  int
	todo  []*kgo.Record // to be given to the client
	judge func(topic string, err error) (verdict error, permanent bool)

	mu      sync.Mutex
	with    int           // so many the client has
	settled chan struct{} // closed when it has none
	again   []*kgo.Record // those that it gave back, for now
	why     error         // it gave the first of them back
	refused int           // so many are refused for good
	refusal error         // the first of them
}

// errForeign is Permanent: the batch would be the same the next time.
var errForeign = errors.New("the batch holds no records of this sink")

// Encoding is this sink's own.
func (p *producer) Encoding() runtime.Encoding { return p.encoding }

// connect makes a client, which connects when there is something to send.
func (p *producer) connect() (err error) {
	p.client, err = kgo.NewClient(p.options...)
	return err
}

// Close ends the connections. What the client still had is not sent any more.
func (p *producer) Close() error {
	p.client.Close()
	return nil
}

// Ship gives the records of b to the client, unless it has them from an earlier
// call, and waits until brokers have taken or refused all of them.
func (p *producer) Ship(ctx context.Context, b *runtime.Batch) error {
	s := p.hand
	if s == nil || s.name != b.Name {
		if err := p.letGo(); err != nil {
			return err
		}
		records, ok := p.records(b)
		if !ok {
			return runtime.Permanent(errForeign)
		}
		if len(records) == 0 {
			return nil
		}
		s = &shipment{name: b.Name, rows: len(records), todo: records, judge: p.judge}
		p.hand = s
	}
	s.produce(p.client)
	if p.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, p.timeout, errTimeout)
		defer cancel()
	}
	if err := p.client.Flush(ctx); err != nil {
		return p.late(ctx)
	}
	<-s.settled // its last promise is being kept
	err, again := s.outcome()
	if !again {
		p.hand = nil
	}
	return err
}

var errTimeout = errors.New("no answer in time")

// late is the error of a batch that the client still has when ctx is done.
func (p *producer) late(ctx context.Context) error {
	if context.Cause(ctx) != errTimeout {
		return ctx.Err()
	}
	if err := p.trouble.last(); err != nil {
		return p.named(err)
	}
	return p.silent()
}

// letGo forgets a batch that the lane gave up. What the client has of it must
// neither wait there for ever nor get in the way of the next.
func (p *producer) letGo() error {
	s := p.hand
	p.hand = nil
	if s == nil || !s.busy() {
		return nil
	}
	p.client.Close()
	return p.connect()
}

// records are those of a batch, in bytes of their own: the client may have them
// for longer than Ship has the batch.
func (p *producer) records(b *runtime.Batch) (records []*kgo.Record, ok bool) {
	name, digits := []byte(b.Name), []byte(nil)
	all := make([]kgo.Record, 0, min(b.Rows, len(b.Bytes)/headSize))
	for rest := bytes.Clone(b.Bytes); len(rest) > 0; {
		var e entry
		if e, rest, ok = next(rest); !ok {
			return nil, false
		}
		from := len(digits)
		digits = strconv.AppendInt(digits, int64(len(all)), 10)
		r := kgo.Record{
			Topic: p.topicOf(e.grain, e.event), Timestamp: time.Unix(0, e.time), Value: e.value,
			Headers: []kgo.RecordHeader{{Key: batchHeader, Value: name}, {Key: indexHeader, Value: digits[from:len(digits):len(digits)]}, {Key: hostHeader, Value: p.host}},
		}
		if len(e.key) > 0 {
			r.Key = e.key
		}
		all = append(all, r)
	}
	for i := range all {
		records = append(records, &all[i])
	}
	return records, true
}

// topicOf is where rows of an event go.
func (p *producer) topicOf(grain, event []byte) string {
	name := string(grain) + "." + string(event)
	topic, ok := p.topics[name]
	if !ok {
		topic = p.topic.with(map[string]string{"grain": string(grain), "event": string(event)})
		p.topics[name] = topic
	}
	return topic
}

// produce gives the client what it does not have.
func (s *shipment) produce(client *kgo.Client) {
	s.mu.Lock()
	todo := s.todo
	if len(todo) > 0 { // of which it has nothing
		s.with, s.settled = len(todo), make(chan struct{})
		s.todo, s.again, s.why = nil, nil, nil
	}
	s.mu.Unlock()
	for _, r := range todo {
		client.Produce(context.Background(), r, s.done)
	}
}

// done is what the client calls when it is done with a record.
func (s *shipment) done(r *kgo.Record, err error) {
	var verdict error
	permanent := false
	if err != nil {
		verdict, permanent = s.judge(r.Topic, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err == nil:
	case permanent:
		if s.refused++; s.refused == 1 {
			s.refusal = verdict
		}
	default:
		if s.again = append(s.again, r); len(s.again) == 1 {
			s.why = verdict
		}
	}
	if s.with--; s.with == 0 {
		close(s.settled)
	}
}

// busy reports whether the client has records of the batch.
func (s *shipment) busy() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.with > 0
}

// outcome is what became of a batch of which the client has nothing any more,
// and whether some of it is to be produced again. A batch of which some is
// refused for good counts as dropped, whole: the books count too many losses
// rather than too few.
func (s *shipment) outcome() (err error, again bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.again) > 0 {
		s.todo = s.again
		return s.why, true
	}
	if s.refused == 0 {
		return nil, false
	}
	err = s.refusal
	if s.refused < s.rows {
		err = fmt.Errorf("%w; of %d rows %d are taken", err, s.rows, s.rows-s.refused)
	}
	return runtime.Permanent(err), false
}
