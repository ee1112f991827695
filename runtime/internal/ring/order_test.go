// SPDX-License-Identifier: Apache-2.0

package ring

import (
	"encoding/binary"
	goruntime "runtime"
	"sync"
	"testing"
	"time"

	"github.com/cilium/ebpf"
)

// TestRecordsOfTwoCPUsComeInOrder: two pinned producers send at once, each into
// its ring. Each record is read once, those of a ring in their order, and all of
// them by their times, but for few whose program was interrupted for long.
func TestRecordsOfTwoCPUsComeInOrder(t *testing.T) {
	if goruntime.NumCPU() < 2 {
		t.Fatal("this test needs two CPUs")
	}
	defer goruntime.GOMAXPROCS(goruntime.GOMAXPROCS(8)) // as in stress
	p := load(t, 2, 4<<20)
	r := p.openReader(t, Options{})
	stop := make(chan struct{})
	var producers sync.WaitGroup
	for cpu, program := range p.both() {
		producers.Go(func() {
			pin(t, cpu)
			for n := 1; ; n = n%40 + 1 {
				select {
				case <-stop:
					return
				default:
					run(t, program, order{Producer: uint32(cpu), Size: 40}, n)
				}
				for range 20 { // some 10 us
					monotonic()
				}
			}
		})
	}
	var next [2]uint64
	var latest, records, late, turns uint64
	last := uint32(0)
	handle := func(raw []byte) {
		at, number, producer := binary.NativeEndian.Uint64(raw), binary.NativeEndian.Uint64(raw[16:]), binary.NativeEndian.Uint32(raw[32:])&1
		if number != next[producer] {
			t.Errorf("producer %d: got record %d, want %d", producer, number, next[producer])
		}
		next[producer] = number + 1
		if records++; at < latest {
			late++
		}
		latest = max(latest, at)
		if producer != last {
			turns++
		}
		last = producer
	}
	for end := time.Now().Add(3 * time.Second); time.Now().Before(end); r.Wait(func() {}) {
		r.Drain(handle)
	}
	close(stop)
	producers.Wait()
	for r.pending() {
		r.Drain(handle)
	}
	ledger := p.counted(t)
	t.Logf("%d records, %d lost, %d late, %d times from one CPU to the other", records, ledger.Lost, late, turns)
	if ledger.Emitted != ledger.Lost+records {
		t.Errorf("emitted %d, lost %d, read %d", ledger.Emitted, ledger.Lost, records)
	}
	if late > records/1000 {
		t.Errorf("%d of %d records were late", late, records)
	}
	if turns < 1000 {
		t.Errorf("only %d times a record was followed by one of the other CPU: nothing was merged", turns)
	}
}

// both are the programs that stand for the two ways to send.
func (p *programs) both() map[int]*ebpf.Program {
	return map[int]*ebpf.Program{0: p.InPlace, 1: p.Copied}
}

// TestWhatFindsNoRoomInOneOfTwoRingsIsCounted: to the record.
func TestWhatFindsNoRoomInOneOfTwoRingsIsCounted(t *testing.T) {
	for _, test := range []struct {
		name  string
		rings int
	}{{"a ring each", 2}, {"two CPUs share one", 1}} {
		t.Run(test.name, func(t *testing.T) {
			p := load(t, test.rings, 64<<10)
			r := p.openReader(t, Options{})
			var read uint64
			for range 3 {
				var producers sync.WaitGroup
				for cpu, program := range p.both() {
					producers.Go(func() {
						pin(t, cpu)
						run(t, program, order{Producer: uint32(cpu), Size: 40}, 900+3000*cpu)
					})
				}
				producers.Wait()
				for r.pending() {
					read += uint64(r.Drain(func([]byte) {}))
				}
			}
			c := p.counted(t)
			t.Logf("emitted %d, lost %d, read %d", c.Emitted, c.Lost, read)
			if c.Emitted < 3*(900+3900) || c.Lost == 0 || c.Emitted != c.Lost+read {
				t.Errorf("emitted %d, lost %d, read %d", c.Emitted, c.Lost, read)
			}
		})
	}
}
