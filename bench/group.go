// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/redsift/ingraind/examples/grains/generated/ask"
	"github.com/redsift/ingraind/runtime"
)

// asker is the key of the table askers, and asked what it counts, as one would
// declare them for a map.
type asker struct {
	comm        [16]byte
	uid, number uint32
}

type asked struct{ asks, total uint64 }

// question is the event ask.ask as it comes from the kernel.
type question struct {
	Cgroup              uint64
	Comm                [16]byte
	PID, TID, PPID, UID uint32
	About, Number       uint32
	Delta               int32
	_                   [4]byte
}

// group measures what it costs to count an event of a ring in a table of the
// agent, by the code that is generated for it, against a map and the generated
// view on the event. Times that pass, each the least of its turns.
func group(b *bench) ([]row, error) {
	const events = 1 << 16
	var rows []row
	for _, keys := range []int{64, 1024, 16384} {
		table, err := askers(keys)
		if err != nil {
			return nil, err
		}
		records, err := askedBy(keys, events)
		if err != nil {
			return nil, err
		}
		m := map[asker]*asked{}
		ours, peer := time.Hour, time.Hour
		for range max(b.rounds(99), 15) {
			began := time.Now()
			for i := range records {
				table.Update(&records[i])
			}
			middle := time.Now()
			for i := range records {
				countIn(m, &records[i])
			}
			ours, peer = min(ours, middle.Sub(began)), min(peer, time.Since(middle))
		}
		if err := equal(table, m); err != nil {
			return nil, err
		}
		rows = append(rows, compared(fmt.Sprintf("event counted by program, user and number, %d keys, against a map", keys), "ns/event",
			float64(ours)/events, float64(peer)/events, 1/2.5))
	}
	return rows, nil
}

// askers is the table of that name.
func askers(max int) (runtime.Group, error) {
	for _, t := range ask.New().Tables {
		if t.Name == "askers" {
			return t.New(max, nil), nil
		}
	}
	return nil, errors.New("the grain ask has no table askers")
}

// askedBy are events whose keys are distributed as they often are, few of them
// frequent, side by side as in a ring.
func askedBy(keys, events int) ([]runtime.Record, error) {
	random := rand.New(rand.NewPCG(1, 2))
	zipf := rand.NewZipf(random, 1.1, 1, uint64(keys-1))
	records := make([]runtime.Record, events)
	var ring []byte
	for range records {
		k := zipf.Uint64()
		e := question{UID: uint32(k), Number: uint32(k * 7)}
		copy(e.Comm[:], fmt.Sprintf("comm-%d", k%97))
		var err error
		if ring, err = binary.Append(ring, binary.LittleEndian, e); err != nil {
			return nil, err
		}
	}
	for i := range records {
		size := len(ring) / events
		records[i] = runtime.Record{Body: ring[i*size : (i+1)*size], Weight: 1}
	}
	return records, nil
}

// countIn is called, as Update is.
//
//go:noinline
func countIn(m map[asker]*asked, r *runtime.Record) {
	v, ok := ask.NewAskView(r.Body)
	if !ok {
		return
	}
	k := asker{uid: v.WhoUID(), number: v.Number()}
	copy(k.comm[:], v.WhoComm())
	c := m[k]
	if c == nil {
		c = new(asked)
		m[k] = c
	}
	c.asks += uint64(r.Weight)
	c.total += uint64(r.Weight) * uint64(k.number)
}

// equal is an error when a table has not counted what a map has.
func equal(t runtime.Group, m map[asker]*asked) error {
	rows, wrong := 0, 0
	t.Each(func(key []byte, words []uint64, past bool) {
		rows++
		var k asker
		if !past {
			copy(k.comm[:], key)
			k.uid, k.number = binary.LittleEndian.Uint32(key[16:]), binary.LittleEndian.Uint32(key[20:])
		}
		if want := m[k]; want == nil || *want != (asked{words[0], words[1]}) {
			wrong++
		}
	})
	if wrong > 0 || rows != len(m) {
		return fmt.Errorf("the table has %d rows, %d of them wrong, want %d", rows, wrong, len(m))
	}
	return nil
}
