// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"
)

// Replay hands the records of a recording to the lanes as if they came from
// the kernel, with the times they had, and closes the sinks. It needs neither
// root nor a kernel of any kind. It ends early when ctx is done.
func Replay(ctx context.Context, recording io.Reader, o Options) (Ledger, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	ctx, closed := context.WithCancelCause(ctx)
	defer closed(nil)
	s := &session{Options: o, closed: closed}
	s.openLanes()
	defer context.AfterFunc(ctx, s.lanes.Unblock)()
	s.intake = newIntake(o.Grains, s.lanes)
	err := s.openTables(o.Grains)
	if err == nil {
		err = s.replay(ctx, recording)
		s.tables.replayed()
	}
	if context.Cause(ctx) == ErrClosed {
		err = errors.Join(err, ErrClosed)
	}
	closing, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	err = errors.Join(err, s.lanes.Close(closing))
	return s.ledger(), err
}

func (s *session) replay(ctx context.Context, recording io.Reader) error {
	in, err := NewRecordingReader(recording)
	if err != nil {
		return err
	}
	here, err := describeGrains(s.Grains)
	if err != nil {
		return err
	}
	if err := in.Map(here); err != nil {
		return err
	}
	for n := 0; ctx.Err() == nil; n++ {
		raw, offset, err := in.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			s.intake.books.Read++
			s.intake.books.Undecodable++
			return err
		}
		s.intake.offset = offset
		if head, ok := ParseHead(raw); ok {
			s.tables.replay(time.Unix(0, int64(head.Time)+offset))
		}
		s.intake.take(raw)
		if n%64 == 0 {
			s.change()
			s.lanes.Tick(time.Now())
			s.lanes.Wait(ctx)
			s.tell()
		}
	}
	return nil
}
