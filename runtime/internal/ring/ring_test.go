// SPDX-License-Identifier: Apache-2.0

package ring

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"
)

// memory is a ring of plain memory, and the kernel's side of it.
type memory struct {
	*Ring
	consumer, producer uint64
	bytes              []byte
}

func newMemory(size int) *memory {
	m := &memory{bytes: make([]byte, 2*size)}
	m.Ring = ringOver(&m.consumer, &m.producer, m.bytes)
	return m
}

// head writes a record's first four bytes, in both mappings.
func (m *memory) head(at uint64, head uint32) {
	offset := at & (m.size - 1)
	binary.NativeEndian.PutUint32(m.bytes[offset:], head)
	binary.NativeEndian.PutUint32(m.bytes[(offset+m.size)%(2*m.size):], head)
}

// write writes a record, or says that there is no room.
func (m *memory) write(body []byte, flags uint32) (at uint64, ok bool) {
	at = m.producer
	next := (uint64(len(body)) + headSize + 7) &^ 7
	if at+next-m.consumer > m.size-1 {
		return at, false
	}
	for i, b := range body {
		offset := (at + headSize + uint64(i)) & (m.size - 1)
		m.bytes[offset], m.bytes[offset+m.size] = b, b
	}
	m.head(at, uint32(len(body))|flags)
	m.producer += next
	return at, true
}

func (m *memory) drain() (got [][]byte) {
	n := m.Drain(func(raw []byte) { got = append(got, bytes.Clone(raw)) })
	if n != len(got) {
		panic(fmt.Sprintf("Drain returned %d after handing on %d", n, len(got)))
	}
	return got
}

func TestDrainHandsOnEachRecordOnceInOrder(t *testing.T) {
	m := newMemory(4096)
	random := rand.New(rand.NewPCG(1, 2))
	var want [][]byte
	for range 20_000 {
		body := bytes.Repeat([]byte{byte(len(want))}, random.IntN(300))
		discard := random.IntN(5) == 0
		flags := uint32(0)
		if discard {
			flags = discardBit
		}
		if _, ok := m.write(body, flags); ok {
			if !discard {
				want = append(want, body)
			}
			continue
		}
		got := m.drain()
		if len(got) != len(want) {
			t.Fatalf("got %d records, want %d", len(got), len(want))
		}
		for i := range got {
			if !bytes.Equal(got[i], want[i]) {
				t.Fatalf("record %d: got % x, want % x", i, got[i], want[i])
			}
		}
		want = want[:0]
		if m.consumer != m.producer || m.Pending() {
			t.Fatalf("consumer at %d, producer at %d after draining all", m.consumer, m.producer)
		}
	}
	if m.Skipped() != 0 {
		t.Errorf("skipped %d, want 0", m.Skipped())
	}
}

func TestDrainStopsInFrontOfARecordBeingWritten(t *testing.T) {
	m := newMemory(4096)
	m.write([]byte("one"), 0)
	at, _ := m.write([]byte("two"), busyBit)
	m.write([]byte("three"), 0)
	if got := m.drain(); len(got) != 1 || !m.Busy() || !m.Pending() {
		t.Errorf("got %q, busy %v, pending %v; want one record, true, true", got, m.Busy(), m.Pending())
	}
	m.head(at, 3)
	if got := m.drain(); len(got) != 2 || m.Busy() || m.Pending() {
		t.Errorf("got %q, busy %v, pending %v; want two records, false, false", got, m.Busy(), m.Pending())
	}
}

func TestDrainGivesRoomBackWhileItReads(t *testing.T) {
	m := newMemory(1 << 20)
	body := make([]byte, 1016)
	for range 1000 {
		m.write(body, 0)
	}
	most := uint64(0)
	m.Drain(func([]byte) { most = max(most, m.consumer) })
	if most < 900<<10 {
		t.Errorf("the consumer's position was at most %d while reading 1000 KiB, want it to follow", most)
	}
}

func TestALengthThatCannotBeIsCountedAndLeftBehind(t *testing.T) {
	for _, test := range []struct {
		name    string
		corrupt func(m *memory, at uint64)
		before  int
	}{
		{"longer than what is reserved", func(m *memory, at uint64) { m.head(at, 100) }, 1},
		{"longer than the ring", func(m *memory, at uint64) { m.head(at, lengthMask) }, 1},
		{"discarded and too long", func(m *memory, at uint64) { m.head(at, discardBit|5000) }, 1},
		{"producer behind the consumer", func(m *memory, _ uint64) { m.producer = m.at - 8 }, 0},
		{"producer too far ahead", func(m *memory, _ uint64) { m.producer = m.at + 4096 + 8 }, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := newMemory(4096)
			for range 100 {
				m.write(make([]byte, 20), 0)
			}
			m.drain()
			m.write([]byte("good"), 0)
			at, _ := m.write([]byte("bad"), 0)
			test.corrupt(m, at)
			if got := m.drain(); len(got) != test.before || m.Skipped() != 1 || m.Pending() {
				t.Errorf("got %q, skipped %d, pending %v; want %d records, 1, false", got, m.Skipped(), m.Pending(), test.before)
			}
			m.write([]byte("next"), 0)
			if got := m.drain(); len(got) != 1 || string(got[0]) != "next" {
				t.Errorf("after it: got %q, want next", got)
			}
		})
	}
}

func FuzzDrainSurvivesAnyBytes(f *testing.F) {
	f.Add([]byte{8, 0, 0, 0}, uint64(64), uint64(0))
	f.Add([]byte{0}, uint64(40), ^uint64(0)-7) // positions that wrap
	f.Add([]byte{8, 0, 0, 0}, uint64(61), uint64(3))
	f.Fuzz(func(t *testing.T, data []byte, producer, consumer uint64) {
		m := newMemory(4096)
		for i := range m.bytes {
			if len(data) > 0 {
				m.bytes[i] = data[i%len(data)]
			}
		}
		m.consumer, m.at, m.producer = consumer, consumer, producer
		m.Drain(func([]byte) {})
		if !m.Busy() && m.at != producer {
			t.Errorf("drained to %d, producer at %d", m.at, producer)
		}
	})
}

func TestDrainAllocatesNothing(t *testing.T) {
	m := newMemory(1 << 16)
	body := make([]byte, 64)
	handle := func([]byte) {}
	if n := testing.AllocsPerRun(100, func() {
		for range 100 {
			m.write(body, 0)
		}
		m.Drain(handle)
	}); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}
