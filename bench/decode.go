// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/redsift/ingraind/generated/exec"
)

// exit is the event exec.exit as one would declare it for binary.Read.
type exit struct {
	Cgroup   uint64
	Comm     [16]byte
	PID      int32
	TID      int32
	PPID     int32
	UID      uint32
	Duration uint64
	Code     int32
	Signal   int32
	Core     bool
	Execed   bool
	_        [6]byte
}

func sampleExit() exit {
	e := exit{Cgroup: 4711, PID: 31499, TID: 31499, PPID: 1, UID: 1000, Duration: 1234567, Code: 1, Signal: 9, Execed: true}
	copy(e.Comm[:], "compile")
	return e
}

// sum looks at all members.
func (e *exit) sum() uint64 {
	n := bytes.IndexByte(e.Comm[:], 0)
	return e.Cgroup + uint64(e.Comm[0]) + uint64(n) + uint64(e.PID) + uint64(e.TID) + uint64(e.PPID) + uint64(e.UID) +
		e.Duration + uint64(e.Code) + uint64(e.Signal) + one(e.Core) + one(e.Execed)
}

// sumView is sum over the generated view of a body.
func sumView(body []byte) uint64 {
	v, ok := exec.NewExitView(body)
	if !ok {
		return 0
	}
	comm := v.WhoComm()
	return v.WhoCgroup() + uint64(comm[0]) + uint64(len(comm)) + uint64(v.WhoPID()) + uint64(v.WhoTID()) + uint64(v.WhoPPID()) + uint64(v.WhoUID()) +
		v.Duration() + uint64(v.Code()) + uint64(v.Signal()) + one(v.Core()) + one(v.Execed())
}

func one(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// decode measures how long it takes to have looked at all members of an event.
func decode(b *bench) ([]row, error) {
	sample := sampleExit()
	body, err := binary.Append(nil, binary.LittleEndian, &sample)
	if err != nil {
		return nil, err
	}
	want := sample.sum()
	wrong := 0
	check := func(got, n uint64) {
		if got != n*want {
			wrong++
		}
	}
	view := func(n int) {
		var sum uint64
		for range n {
			sum += sumView(body)
		}
		check(sum, uint64(n))
	}
	read := func(n int) {
		var sum uint64
		for range n {
			var e exit
			if binary.Read(bytes.NewReader(body), binary.LittleEndian, &e) == nil {
				sum += e.sum()
			}
		}
		check(sum, uint64(n))
	}
	ns := takeTurns(b.rounds(21),
		func() float64 { return each(2_000_000, view) },
		func() float64 { return each(50_000, read) },
	)
	if wrong > 0 {
		return nil, fmt.Errorf("what was decoded is not what was encoded")
	}
	r := compared("decode exec.exit, against binary.Read", "ns/event", ns[0], ns[1], 1.0/100)
	return []row{r}, allocates("decoding exec.exit", func() { view(1) })
}

// allocates is an error when f does, which it never should.
func allocates(what string, f func()) error {
	if n := testing.AllocsPerRun(1000, f); n > 0 {
		return fmt.Errorf("%s allocates %v times, want 0", what, n)
	}
	return nil
}
