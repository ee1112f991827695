// SPDX-License-Identifier: Apache-2.0

package kafka

import (
	"context"
	"fmt"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/redsift/ingraind/runtime"
)

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
	lasting bool          // it would go on giving them back, for what it was told once
	refused int           // so many are refused for good
	refusal error         // the first of them
}

// produce gives the client what it does not have.
func (s *shipment) produce(client *kgo.Client) {
	s.mu.Lock()
	todo := s.todo
	if len(todo) > 0 { // of which it has nothing
		s.with, s.settled = len(todo), make(chan struct{})
		s.todo, s.again, s.why, s.lasting = nil, nil, nil, false
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
		s.lasting = s.lasting || isLasting(err)
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
