// SPDX-License-Identifier: Apache-2.0

package sinktest

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/redsift/ingraind/runtime"
)

// Numbers makes rows that have a number, and are about as long as others.
type Numbers struct {
	grain *runtime.Grain
	event *runtime.Event
}

// NewNumbers makes them, of the event numbers.number.
func NewNumbers() Numbers {
	number := func(r runtime.Record) uint64 { return binary.LittleEndian.Uint64(r.Body) }
	return Numbers{&runtime.Grain{Name: "numbers"}, &runtime.Event{
		Name: "number", Stream: true, Fields: []runtime.Field{{Name: "n", Type: runtime.TypeUint}},
		AppendJSON: func(dst []byte, r runtime.Record) []byte {
			return append(runtime.AppendUint(append(dst, `{"n":`...), number(r)), `,"why":"rows of some length fill batches"}`...)
		},
		AppendValues: func(dst []runtime.Value, r runtime.Record) []runtime.Value {
			return append(dst, runtime.Value{Type: runtime.TypeUint, Num: number(r)})
		},
	}}
}

// Row is the row of a number, as of some day in 1970.
func (n Numbers) Row(number int) *runtime.Row {
	return &runtime.Row{Grain: n.grain, Event: n.event, Record: runtime.Record{
		Time: 1e15, Weight: 1, Body: binary.LittleEndian.AppendUint64(nil, uint64(number)),
	}}
}

// Tally counts how often each of the numbers from 0 on arrived. Any goroutine
// may call it.
type Tally struct {
	mu       sync.Mutex
	times    []int
	distinct int
	rows     int
	foreign  []string // some of what is no number
}

// NewTally is one of the numbers below n.
func NewTally(n int) *Tally { return &Tally{times: make([]int, n)} }

// Add counts a number.
func (c *Tally) Add(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n < 0 || n >= len(c.times) {
		c.refuse(strconv.Itoa(n))
		return
	}
	if c.times[n]++; c.times[n] == 1 {
		c.distinct++
	}
	c.rows++
}

// AddText counts the number in a JSON object of a row.
func (c *Tally) AddText(row string) {
	_, after, _ := strings.Cut(row, `{"n":`)
	digits, _, _ := strings.Cut(after, ",")
	n, err := strconv.Atoi(digits)
	if err != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.refuse(row)
		return
	}
	c.Add(n)
}

// AddLines counts the numbers in text, an object a line.
func (c *Tally) AddLines(text string) {
	for line := range strings.Lines(text) {
		c.AddText(line)
	}
}

func (c *Tally) refuse(what string) {
	if len(c.foreign) < 5 {
		c.foreign = append(c.foreign, what)
	}
}

// Distinct is how many numbers arrived, and Again how many rows came once more.
func (c *Tally) Distinct() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.distinct
}

// Again is how many rows had a number that had arrived before.
func (c *Tally) Again() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.rows - c.distinct
}

// Stretch is the numbers from From to To, with To.
type Stretch struct{ From, To int }

// Len is how many they are.
func (s Stretch) Len() int { return s.To - s.From + 1 }

// Missing are the numbers within [from, to) that did not arrive.
func (c *Tally) Missing(from, to int) (all []Stretch) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for n := from; n < to; n++ {
		if c.times[n] > 0 {
			continue
		}
		if last := len(all) - 1; last >= 0 && all[last].To == n-1 {
			all[last].To = n
			continue
		}
		all = append(all, Stretch{n, n})
	}
	return all
}

// MustHold wants each number to have arrived, and with once, no more than once.
func (c *Tally) MustHold(t testing.TB, once bool) {
	t.Helper()
	missing, lost := c.Missing(0, len(c.times)), 0
	for _, s := range missing {
		lost += s.Len()
	}
	if lost > 0 {
		t.Errorf("%d of %d numbers are missing, in %d stretches: %v", lost, len(c.times), len(missing), some(missing))
	}
	if again := c.Again(); once && again > 0 {
		t.Errorf("%d rows came again", again)
	}
	if len(c.foreign) > 0 {
		t.Errorf("some rows are none that were sent: %q", c.foreign)
	}
}

// some are the first of many, for people to read.
func some(all []Stretch) string { return fmt.Sprint(all[:min(len(all), 5)]) }
