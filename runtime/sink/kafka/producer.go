// SPDX-License-Identifier: Apache-2.0

package kafka

import (
	"bytes"
	"context"
	"errors"
	"strconv"
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
	} else if s.lasting {
		return errors.Join(err, p.renew())
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
	return p.renew()
}

// renew has another client go on, with an id of its own.
func (p *producer) renew() error {
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
