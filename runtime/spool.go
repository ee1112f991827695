// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/redsift/ingraind/runtime/internal/spool"
)

// SpoolOptions say where and how a lane keeps batches that its sink has not
// taken.
type SpoolOptions struct {
	Dir string // of this lane alone; made where there is none
	Max int64  // bytes on disk; 0: 1 GiB
	// Sync says when the disk is waited for.
	Sync Sync
	// Always has each batch on disk before it is shipped. Otherwise batches go
	// there when the sink is in trouble: it failed to take one, or half of what
	// may wait in memory does.
	Always bool
}

// Sync says when the disk is waited for. Whatever it says, a batch survives
// the end of the process once it is written, and that of the machine once the
// disk was waited for.
type Sync struct {
	When  SyncWhen
	Every time.Duration // of SyncInterval
}

// SyncWhen is when the disk is waited for.
type SyncWhen uint8

const (
	SyncBatch    SyncWhen = iota // for what was there to be written, at once, before any of it counts as spooled
	SyncAlways                   // for each batch, and for the note that it was shipped
	SyncInterval                 // now and then
	SyncNever                    // not at all
)

// ParseSync reads always, batch, interval=1s or never.
func ParseSync(text string) (Sync, error) {
	switch text {
	case "", "batch":
		return Sync{}, nil
	case "always":
		return Sync{When: SyncAlways}, nil
	case "never":
		return Sync{When: SyncNever}, nil
	}
	if every, ok := strings.CutPrefix(text, "interval="); ok {
		if d, err := time.ParseDuration(every); err == nil && d > 0 {
			return Sync{SyncInterval, d}, nil
		}
	}
	return Sync{}, fmt.Errorf("%q is none of always, batch, interval=1s, never", text)
}

// OnFull is what becomes of rows when no more may wait.
type OnFull uint8

const (
	FullDefault OnFull = iota // DropOldest with a spool, DropNewest without
	DropNewest                // the batch that comes is dropped
	DropOldest                // what came first is dropped: batches in memory, whole segments on disk
	BlockStream               // the reader waits, and the kernel's rings may run over: all sinks suffer
)

// ParseOnFull reads drop_newest, drop_oldest or block_stream.
func ParseOnFull(text string) (OnFull, error) {
	switch text {
	case "":
		return FullDefault, nil
	case "drop_newest":
		return DropNewest, nil
	case "drop_oldest":
		return DropOldest, nil
	case "block_stream":
		return BlockStream, nil
	}
	return 0, fmt.Errorf("%q is none of drop_oldest, drop_newest, block_stream", text)
}

// Spool is the batches of one lane on disk.
type Spool struct {
	log    *spool.Log
	found  spool.Found
	dir    string
	always bool
	single bool // batches are written one by one
}

// OpenSpool opens a spool, with what an agent before this one left there.
func OpenSpool(o SpoolOptions) (*Spool, error) {
	if o.Dir == "" {
		return nil, errors.New("a spool needs a folder")
	}
	log, found, err := spool.Open(spool.Options{
		Dir: o.Dir, Max: o.Max, Every: o.Sync.Every,
		Sync: map[SyncWhen]spool.Sync{SyncBatch: spool.SyncAppend, SyncAlways: spool.SyncAlways, SyncInterval: spool.SyncEvery, SyncNever: spool.SyncNever}[o.Sync.When],
	})
	if err != nil {
		return nil, err
	}
	return &Spool{log: log, found: found, dir: o.Dir, always: o.Always, single: o.Sync.When == SyncAlways}, nil
}

// Close closes a spool that no lane was given.
func (s *Spool) Close() error { return s.log.Close() }

// tell says what an agent before this one left behind.
func (s *Spool) tell(log *slog.Logger) {
	if s == nil {
		return
	}
	if s.found.Crashed > 0 {
		log.Warn("the agent before this one crashed: rows that were neither shipped nor spooled are lost", "at_least", s.found.Crashed)
	}
	if s.found.Rows > 0 {
		log.Info("rows are taken over from the spool", "rows", s.found.Rows, "spool", s.dir)
	}
	for _, name := range s.found.Foreign {
		log.Warn("a segment of another spool is left alone", "spool", s.dir, "file", name)
	}
}

// spoolRecord is a batch as it is spooled.
func spoolRecord(name, encoding string, b *Batch) spool.Record {
	return spool.Record{
		Name: name, Encoding: encoding, Grain: b.Grain, Event: b.Event, Rows: uint64(b.Rows),
		First: b.First.UnixNano(), Last: b.Last.UnixNano(), Bytes: b.Bytes,
	}
}

// unspooled is the batch that a record holds.
func unspooled(r *spool.Record) Batch {
	return Batch{
		Name: r.Name, Grain: r.Grain, Event: r.Event, Rows: int(r.Rows), Bytes: r.Bytes,
		First: time.Unix(0, r.First), Last: time.Unix(0, r.Last),
	}
}
