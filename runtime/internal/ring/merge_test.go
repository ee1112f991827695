// SPDX-License-Identifier: Apache-2.0

package ring

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// several are rings of plain memory with a reader, and a clock to turn.
type several struct {
	*Reader
	rings []*memory
	clock uint64
	got   []uint64 // times of what was drained
}

func newSeveral(rings, size int) *several {
	s := &several{Reader: &Reader{flag: NewFlag(), merger: newMerger(rings)}, clock: 1e9}
	s.pace.tick = time.Millisecond
	s.now = func() uint64 { return s.clock }
	for range rings {
		m := newMemory(size)
		s.rings, s.Reader.rings = append(s.rings, m), append(s.Reader.rings, m.Ring)
	}
	return s
}

// pass lets a time pass.
func (s *several) pass(d time.Duration) { s.clock += uint64(d) }

// write writes a record of a time to a ring.
func (s *several) write(t *testing.T, ring int, time uint64, flags uint32) (at uint64) {
	t.Helper()
	at, ok := s.rings[ring].write(binary.NativeEndian.AppendUint64(make([]byte, 0, 16), time), flags)
	if !ok {
		t.Fatalf("no room in ring %d", ring)
	}
	return at
}

func (s *several) drain() (got []uint64) {
	s.Drain(func(raw []byte) {
		got = append(got, binary.NativeEndian.Uint64(append(raw[:len(raw):len(raw)], make([]byte, 8)...)))
	})
	s.got = append(s.got, got...)
	return got
}

func (s *several) want(t *testing.T, what string, got []uint64, want ...uint64) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func TestRecordsOfSeveralRingsComeInOrderOfTheirTimes(t *testing.T) {
	s := newSeveral(3, 4096)
	for i, ring := range []int{2, 0, 0, 1, 2, 2, 1, 0} {
		s.write(t, ring, uint64(i+1), 0)
	}
	s.want(t, "drained", s.drain(), 1, 2, 3, 4, 5, 6, 7, 8)
	for i, m := range s.rings {
		if m.consumer != m.producer {
			t.Errorf("ring %d: consumer at %d, producer at %d", i, m.consumer, m.producer)
		}
	}
}

func TestYoungRecordsWaitForTheirElders(t *testing.T) {
	s := newSeveral(2, 4096)
	old := s.clock
	s.write(t, 0, old, 0)
	s.pass(window)
	young := s.clock
	s.write(t, 0, young, 0)
	s.write(t, 1, young-2, 0)
	s.want(t, "the old one", s.drain(), old)
	if !s.last.held || s.last.busy || !s.pending() {
		t.Errorf("held %v, busy %v, pending %v; want true, false, true", s.last.held, s.last.busy, s.pending())
	}
	s.want(t, "too early", s.drain())
	s.write(t, 1, young-1, 0) // its program took a while
	s.pass(window)
	s.want(t, "later", s.drain(), young-2, young-1, young)
	if s.last.held || s.pending() {
		t.Error("something was left")
	}
}

func TestOneRingAloneIsReadAtOnce(t *testing.T) {
	s := newSeveral(2, 4096)
	s.write(t, 1, s.clock, 0)
	s.want(t, "alone", s.drain(), s.clock)
	s.write(t, 1, s.clock, 0)
	s.write(t, 0, s.clock, 0)
	s.want(t, "two", s.drain())
	s.pass(window)
	s.want(t, "two, later", s.drain(), s.clock-uint64(window), s.clock-uint64(window))
	s.write(t, 1, s.clock, 0)
	s.want(t, "soon after two", s.drain())
	s.pass(window)
	s.drain()
	for range mixedFor {
		s.drain()
	}
	s.write(t, 1, s.clock, 0)
	s.want(t, "long after two", s.drain(), s.clock)
	s.write(t, 1, s.clock, 0)
	s.write(t, 0, s.clock, 0)
	s.pass(window)
	s.drain()
	s.last.slept = time.Second
	s.write(t, 1, s.clock, 0)
	s.want(t, "after a sleep", s.drain(), s.clock)
}

func TestARecordBeingWrittenHoldsUpOthersForTheWindowOnly(t *testing.T) {
	s := newSeveral(2, 4096)
	began := s.clock
	at := s.write(t, 0, began, busyBit)
	s.write(t, 0, began+1, 0)
	s.write(t, 1, began+2, 0)
	s.want(t, "at once", s.drain())
	if !s.last.busy {
		t.Error("Drain did not stop at the record being written")
	}
	s.pass(window)
	s.want(t, "just before it is over", s.drain())
	s.pass(2)
	s.want(t, "when it is over", s.drain(), began+2)
	s.rings[0].head(at, 8)
	s.want(t, "when it is complete", s.drain(), began, began+1)
}

func TestATimeThatCannotBeHoldsNobodyUp(t *testing.T) {
	s := newSeveral(3, 4096)
	s.write(t, 0, math.MaxUint64, 0)
	s.write(t, 0, 7, 0)
	s.write(t, 1, s.clock+unlikely+1, 0)
	s.write(t, 2, 5, 0)
	s.rings[2].write([]byte{1, 2, 3}, 0) // has none
	if got := s.drain(); len(got) != 5 {
		t.Errorf("got %v, want 5 records", got)
	}
}

func TestAFillingRingIsReadWithoutTheWindow(t *testing.T) {
	s := newSeveral(2, 4096)
	s.write(t, 1, s.clock, 0)
	n := 1
	for ; s.rings[0].producer < 2100; n++ {
		s.write(t, 0, s.clock, 0)
	}
	if got := s.drain(); len(got) != n {
		t.Errorf("got %d of %d records", len(got), n)
	}
}

func TestMergingGivesRoomBackWhileItReads(t *testing.T) {
	s := newSeveral(2, 1<<20)
	for i := range 1000 {
		for _, m := range s.rings {
			m.write(append(binary.NativeEndian.AppendUint64(nil, uint64(i)), make([]byte, 1008)...), 0)
		}
	}
	most := uint64(0)
	s.Drain(func([]byte) { most = max(most, s.rings[1].consumer) })
	if most < 900<<10 {
		t.Errorf("the consumer's position was at most %d while reading 1000 KiB, want it to follow", most)
	}
}

func TestMergingAllocatesNothing(t *testing.T) {
	s := newSeveral(5, 1<<16)
	body := make([]byte, 64)
	handle := func([]byte) {}
	s.now = newMerger(1).now
	if n := testing.AllocsPerRun(100, func() {
		for i := range 100 {
			s.rings[i%5].write(body, 0)
		}
		s.Drain(handle)
	}); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

// FuzzMerge: see mergeSteps.
func FuzzMerge(f *testing.F) {
	f.Add([]byte{0x01, 0x11, 0x21, 0xf0, 0x02, 0xff})
	f.Add([]byte{0x81, 0x11, 0x22, 0xff, 0xff, 0xe0, 0xff})
	f.Add([]byte{0x03, 0x93, 0x13, 0xff, 0x43, 0xe1, 0xff, 0x53, 0xff, 0xe0})
	f.Fuzz(mergeSteps)
}

func TestAMergeIsASort(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	steps := make([]byte, 400)
	for range 500 {
		for i := range steps {
			steps[i] = byte(random.Uint32())
		}
		mergeSteps(t, steps[:random.IntN(len(steps))])
	}
}

// mergeSteps writes records to rings, some of them over a while, and drains now
// and then. What was drained must be the sorted records, but for those that were
// behind a record being written for longer than the window.
func mergeSteps(t *testing.T, steps []byte) {
	type record struct {
		at, time, complete uint64
		discard            bool
	}
	s := newSeveral(5, 1<<14)
	written := make([][]record, 5)
	finish := func(n int) { // what has been written for longest in a ring
		for i := range written[n] {
			if r := &written[n][i]; r.complete == 0 {
				r.complete = s.clock
				s.rings[n].head(r.at, 8)
				return
			}
		}
	}
	for _, step := range steps[:min(len(steps), 400)] {
		s.pass(time.Duration(step&7)*10*time.Microsecond + 1)
		switch n := int(step >> 4); {
		case n < 5:
			written[n] = append(written[n], record{s.write(t, n, s.clock, 0), s.clock, s.clock, false})
		case n < 7:
			written[n-5] = append(written[n-5], record{s.write(t, n-5, s.clock, discardBit), s.clock, s.clock, true})
		case n < 12:
			written[n-7] = append(written[n-7], record{s.write(t, n-7, s.clock, busyBit), s.clock, 0, false})
		case n < 15:
			finish(int(step) % 5)
		default:
			s.drain()
		}
	}
	for n, all := range written {
		for range all {
			finish(n)
		}
	}
	s.pass(window)
	s.drain()

	var want, punctual []uint64
	late := map[uint64]bool{} // may be
	for _, all := range written {
		seen := uint64(0) // from when on
		for _, r := range all {
			if seen = max(seen, r.complete); r.discard {
				continue
			}
			want = append(want, r.time)
			late[r.time] = seen-r.time > uint64(window)
		}
	}
	slices.Sort(want)
	latest := uint64(0)
	for _, at := range s.got {
		if at < latest && !late[at] {
			t.Errorf("the record of %d came behind that of %d", at, latest)
		}
		latest = max(latest, at)
	}
	punctual = slices.Clone(s.got)
	slices.Sort(punctual)
	if !slices.Equal(punctual, want) {
		t.Errorf("got %d records, want %d, or others", len(punctual), len(want))
	}
	if s.pending() {
		t.Error("something was left")
	}
}

func FuzzMergeSurvivesAnyBytes(f *testing.F) {
	f.Add([]byte{8, 0, 0, 0, 0, 0, 0, 0, 5}, uint64(64), uint64(0), uint64(128))
	f.Add([]byte{0}, uint64(40), ^uint64(0)-7, uint64(8)) // positions that wrap
	f.Add([]byte{8, 0, 0, 0}, uint64(61), uint64(3), uint64(61))
	f.Fuzz(func(t *testing.T, data []byte, producer, consumer, other uint64) {
		s := newSeveral(2, 4096)
		for n, m := range s.rings {
			for i := range m.bytes {
				if len(data) > 0 {
					m.bytes[i] = data[(i+n)%len(data)]
				}
			}
			m.consumer, m.at, m.producer = consumer, consumer, producer
		}
		s.rings[1].producer = other
		s.Drain(func([]byte) {})
		for n, m := range s.rings {
			if !m.Busy() && !s.last.held && m.at != m.producer {
				t.Errorf("ring %d: drained to %d, producer at %d", n, m.at, m.producer)
			}
			if m.consumer != m.at {
				t.Errorf("ring %d: consumer at %d, want %d", n, m.consumer, m.at)
			}
		}
	})
}
