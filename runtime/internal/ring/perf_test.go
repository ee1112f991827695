// SPDX-License-Identifier: Apache-2.0

package ring

import (
	"encoding/binary"
	"testing"
	"time"
)

func (p *programs) openPerf(t testing.TB, size int) *Perf {
	t.Helper()
	s, err := OpenPerf(p.Perf, size, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestPerfHandsOnRecordsInOrder(t *testing.T) {
	p := load(t, 0, 4096)
	s := p.openPerf(t, 1<<16)
	done := make(chan struct{})
	go func() {
		defer close(done)
		pin(t, 0)
		for range 50 {
			run(t, p.Copied, order{Size: 40}, 20)
			time.Sleep(time.Millisecond)
		}
	}()
	var next uint64
	for end := time.Now().Add(5 * time.Second); next < 1000 && time.Now().Before(end); {
		s.Drain(func(raw []byte) {
			if n := binary.NativeEndian.Uint64(raw[16:]); n != next {
				t.Errorf("got record %d, want %d", n, next)
			}
			next++
		})
		s.Wait(func() {})
	}
	<-done
	if next != 1000 {
		t.Errorf("got %d records, want 1000", next)
	}
}

func TestWhatThePerfBufferHasNoRoomForIsCountedOnceByTheProgram(t *testing.T) {
	p := load(t, 0, 4096)
	s := p.openPerf(t, 8192)
	const sent = 5000
	for range 5 {
		run(t, p.Copied, order{Size: 40}, sent/5) // more than fits
		time.Sleep(10 * time.Millisecond)
	}
	read := uint64(0)
	for range 4 {
		read += uint64(s.Drain(func([]byte) {}))
		run(t, p.Copied, order{Size: 40}, 1) // tells the reader what was lost
	}
	read += uint64(s.Drain(func([]byte) {}))
	ledger := p.counted(t)
	// A run that a signal interrupts is run again.
	if ledger.Emitted < sent+4 || ledger.Emitted != read+ledger.Lost || ledger.Lost == 0 {
		t.Errorf("emitted %d = lost %d + read %d does not hold, or nothing was lost", ledger.Emitted, ledger.Lost, read)
	}
	if s.Lost() != 0 {
		t.Errorf("the reader says %d lost, want 0", s.Lost())
	}
}

func TestWhatTheRingHasNoRoomForIsCountedByTheProgram(t *testing.T) {
	p := load(t, 1, 8192)
	r := p.openReader(t, Options{})
	const sent = 5000
	run(t, p.Copied, order{Size: 40}, sent/2)
	run(t, p.InPlace, order{Producer: 1}, sent/2)
	read := uint64(r.Drain(func([]byte) {}))
	ledger := p.counted(t)
	if ledger.Emitted < sent || ledger.Emitted != read+ledger.Lost || ledger.Lost == 0 {
		t.Errorf("emitted %d = lost %d + read %d does not hold, or nothing was lost", ledger.Emitted, ledger.Lost, read)
	}
}
