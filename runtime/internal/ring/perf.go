// SPDX-License-Identifier: Apache-2.0

package ring

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/perf"
)

const (
	// perfIdle is how late a record may be when none came before it.
	perfIdle = 100 * time.Millisecond
	// perfMost is how many records a Drain reads before it looks up.
	perfMost = 1 << 16
)

// Perf reads the per-CPU perf buffers of an agent. It is a Source: the older
// one, copying each record, and slower to notice the first after a pause,
// because nothing tells programs that the reader sleeps. Only a buffer that is
// a quarter full wakes it. A record may have up to 7 bytes more than were sent.
//
// Records that do not fit are not counted here. bpf_perf_event_output returns
// an error (ENOSPC) to the program for each of them, and the program counts it
// as lost in its grain's ledger. The kernel reports the same records once more
// in the buffer, as PERF_RECORD_LOST, which Perf reads and leaves alone.
type Perf struct {
	reader *perf.Reader
	record perf.Record // the one that Wait met, or Drain is at
	met    bool        // record is to be handed on
	woken  bool        // Wake was called while nothing waited
	tick   time.Duration
	idle   time.Duration // of the next Wait
	quiet  int           // Waits in a row before which nothing had come
	got    int           // by the last Drain
	unsent bool
	lost   atomic.Uint64
}

// OpenPerf gives each CPU a buffer of bufferSize bytes, rounded up to a power of
// two of pages, and puts them into array. array may be closed once it is open.
func OpenPerf(array *ebpf.Map, bufferSize int, o Options) (*Perf, error) {
	bufferSize = max(bufferSize, os.Getpagesize())
	reader, err := perf.NewReaderWithOptions(array, bufferSize, perf.ReaderOptions{Watermark: bufferSize / 4})
	if err != nil {
		return nil, fmt.Errorf("open the perf buffers: %w", err)
	}
	p := &Perf{reader: reader, tick: o.Tick}
	if o.Tick <= 0 {
		p.tick = DefaultTick
	}
	return p, nil
}

// past makes a read return what there is.
var past = time.Unix(1, 0)

// Drain implements Source. Between records of two CPUs there is no order.
func (p *Perf) Drain(handle func(raw []byte)) int {
	n := 0
	if p.met {
		p.met = false
		handle(p.record.RawSample)
		n++
	}
	p.reader.SetDeadline(past)
	for n < perfMost && p.read() {
		handle(p.record.RawSample)
		n++
	}
	p.got, p.unsent = n, p.unsent || n > 0
	return n
}

// read reads the next sample into record. False means that there is none, or
// that the deadline has passed, or Wake was called.
func (p *Perf) read() bool {
	for {
		err := p.reader.ReadInto(&p.record)
		switch {
		case err == nil && p.record.LostSamples > 0:
		case err == nil:
			return true
		case perf.IsUnknownEvent(err):
			p.lost.Add(1)
		case errors.Is(err, perf.ErrFlushed):
			p.woken = true
			return false
		default:
			return false
		}
	}
}

// Wait implements Source. While nothing comes it looks less and less often, at
// last every 100 ms.
func (p *Perf) Wait(beforeSleep func()) {
	if p.got > 0 {
		p.quiet, p.idle = 0, p.tick
	} else {
		p.quiet, p.idle = p.quiet+1, max(p.tick, min(2*p.idle, perfIdle))
	}
	if p.quiet >= quietTicks && p.unsent {
		p.unsent = false
		beforeSleep()
	}
	if p.got < perfMost && !p.woken {
		p.reader.SetDeadline(time.Now().Add(p.idle))
		p.met = p.read()
	}
	p.woken = false
}

// Wake implements Source.
func (p *Perf) Wake() { p.reader.Flush() }

// Lost implements Source: records of a kind that nobody asked the kernel for.
func (p *Perf) Lost() uint64 { return p.lost.Load() }

// Close implements Source.
func (p *Perf) Close() error {
	if err := p.reader.Close(); err != nil && !errors.Is(err, perf.ErrClosed) {
		return err
	}
	return nil
}
