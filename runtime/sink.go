// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"context"
	"errors"
	"time"
)

// Row is what leaves a stream: a schema (Grain, Event) and its values
// (Record). It is valid during the call that it is given to.
type Row struct {
	Grain  *Grain
	Event  *Event
	Record Record
}

// Encoding turns rows into a sink's bytes.
type Encoding interface {
	// Name identifies the encoding: rows are encoded once for all sinks
	// whose encodings have equal names.
	Name() string
	// AppendRow appends row. It runs on the reading goroutine: no I/O, no
	// locks, no allocation beyond the growth of dst.
	AppendRow(dst []byte, row *Row) []byte
}

// Headed is an Encoding whose batches begin with what describes their rows, so
// that they can be read by a process that knows nothing of grains. Its sinks are
// Partitioned ByEvent.
type Headed interface {
	Encoding
	// AppendHead appends what batches of rows such as row, of one event or table,
	// begin with. It is called once for all of them, on the reading goroutine.
	AppendHead(dst []byte, row *Row) []byte
}

// Sink is where rows go.
type Sink interface {
	// Encoding names how this sink wants rows.
	Encoding() Encoding
	// Ship sends one batch and may block until ctx is done. An error is
	// retried with backoff, unless it is Permanent. The batch and its bytes
	// belong to the lane again when Ship returns.
	Ship(ctx context.Context, b *Batch) error
	// Close flushes and releases what the sink holds. No Ship follows.
	Close() error
}

// Starter is a sink that takes something of the machine's that another one
// cannot have at the same time, a port or a file. It takes it in Start, not
// when it is opened: by then a sink before it, of the same name, has been closed.
type Starter interface {
	Sink
	// Start is called before the first Ship, again when it failed.
	Start() error
}

// Start starts a sink that is a Starter.
func Start(s Sink) error {
	if starter, ok := s.(Starter); ok {
		return starter.Start()
	}
	return nil
}

// Prompt is a sink that wants rows as they happen: its batches are closed
// whenever the reader has nothing more to read, at the latest after Age.
type Prompt interface {
	Sink
	// Age is how old the first row of a batch may become while more arrive.
	Age() time.Duration
}

// Unhurried is a sink whose batches are worth waiting for: they are closed when
// their first row is Interval old, not a second, or when they are full. One of 0
// leaves it at the second. It is not Prompt.
type Unhurried interface {
	Sink
	Interval() time.Duration
}

// Sized is a Sink whose batches are closed at another size than 64 KiB, up to
// LargestBatch: one that makes a file of each.
type Sized interface {
	Sink
	Size() int // bytes; 0: 64 KiB
}

// LargestBatch is how large a batch may become.
const LargestBatch = 64 << 20

// Partitioned is a sink that wants no batch to hold rows of several kinds.
type Partitioned interface {
	Sink
	// Partition says what the rows of a batch must have in common.
	Partition() Partition
}

// Partition is what rows of a batch have in common.
type Partition uint8

const (
	Together Partition = iota // nothing
	ByGrain                   // the grain, and the hour of their time, in UTC
	ByEvent                   // those, and the event or table
)

// Batch is rows on their way to one sink, already encoded.
type Batch struct {
	// Name is the batch's for life: the same when it is shipped again, also
	// by the next process, and no other batch's of any agent: 32 hexadecimal
	// digits. Those of a lane sort by age.
	Name  string
	Grain string // of its rows, for a sink that is Partitioned by it
	Event string // the same: an event or a table
	Rows  int
	Bytes []byte
	First time.Time // of its first row
	Last  time.Time // of its last row
}

// Permanent marks an error that a retry would not change.
func Permanent(err error) error { return permanent{err} }

// IsPermanent reports whether err, or one it wraps, is Permanent.
func IsPermanent(err error) bool {
	var p permanent
	return errors.As(err, &p)
}

type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// RetryAfter marks an error of a sink whose server said when to come back.
func RetryAfter(err error, d time.Duration) error { return retryAfter{err, d} }

// RetryIn is how long to wait before the retry, when err, or one it wraps, is
// a RetryAfter.
func RetryIn(err error) (time.Duration, bool) {
	var r retryAfter
	if !errors.As(err, &r) {
		return 0, false
	}
	return r.after, true
}

type retryAfter struct {
	error
	after time.Duration
}

func (r retryAfter) Unwrap() error { return r.error }
