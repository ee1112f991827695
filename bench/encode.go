// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	"github.com/redsift/ingraind/examples/grains/generated/open"
	"github.com/redsift/ingraind/generated/exec"
	"github.com/redsift/ingraind/runtime"
)

// whoLine and the structs behind it are rows as one would declare them for
// encoding/json.
type whoLine struct {
	Cgroup uint64 `json:"cgroup"`
	Comm   string `json:"comm"`
	PID    int32  `json:"pid"`
	TID    int32  `json:"tid"`
	PPID   int32  `json:"ppid"`
	UID    uint32 `json:"uid"`
}

type openLine struct {
	Time  time.Time `json:"time"`
	Grain string    `json:"grain"`
	Event string    `json:"event"`
	Who   whoLine   `json:"who"`
	Path  string    `json:"path"`
	Flags int32     `json:"flags"`
	Dfd   int32     `json:"dfd"`
}

type exitLine struct {
	Time     time.Time `json:"time"`
	Grain    string    `json:"grain"`
	Event    string    `json:"event"`
	Who      whoLine   `json:"who"`
	Duration uint64    `json:"duration"`
	Code     int32     `json:"code"`
	Signal   string    `json:"signal"`
	Core     bool      `json:"core"`
	Execed   bool      `json:"execed"`
}

// line is an event in both forms.
type line struct {
	event  *runtime.Event
	record runtime.Record
	equal  any // what encoding/json is given: a pointer
}

// lines are one of the event open, with a tail, and one of the event exit,
// without.
func lines() ([]line, error) {
	const ns = 1_795_000_000_123_456_789
	exited := sampleExit()
	body, err := binary.Append(nil, binary.LittleEndian, &exited)
	if err != nil {
		return nil, err
	}
	who := whoLine{exited.Cgroup, "compile", exited.PID, exited.TID, exited.PPID, exited.UID}
	at := time.Unix(0, ns).UTC()

	path := "/usr/lib/go/pkg/tool/linux_amd64/compile"
	opened := append([]byte(nil), body[:40]...)                                     // struct who
	opened = binary.LittleEndian.AppendUint16(opened, 0)                            // where in the tail
	opened = binary.LittleEndian.AppendUint16(opened, uint16(len(path)))            // and how long
	opened = binary.LittleEndian.AppendUint32(opened, uint32(runtime.TailSet))      // and there
	opened, err = binary.Append(opened, binary.LittleEndian, []int32{524288, -100}) // flags, dfd
	opened = append(opened, path...)
	return []line{
		{
			event:  event(open.New(), "open"),
			record: runtime.Record{Time: ns, Weight: 1, Body: opened},
			equal:  &openLine{at, "open", "open", who, path, 524288, -100},
		}, {
			event:  event(exec.New(), "exit"),
			record: runtime.Record{Time: ns, Weight: 1, Body: body},
			equal:  &exitLine{at, "exec", "exit", who, exited.Duration, exited.Code, "SIGKILL", exited.Core, exited.Execed},
		},
	}, err
}

// event finds an event of a grain, or a stand-in that has no functions.
func event(g *runtime.Grain, name string) *runtime.Event {
	for i := range g.Events {
		if g.Events[i].Name == name {
			return &g.Events[i]
		}
	}
	return &runtime.Event{Name: name}
}

// encode measures how long it takes to make a line of an event.
func encode(b *bench) ([]row, error) {
	all, err := lines()
	if err != nil {
		return nil, err
	}
	var rows []row
	for _, l := range all {
		var ours []byte
		var peer bytes.Buffer
		encoder := json.NewEncoder(&peer)
		generated := func(n int) {
			for range n {
				ours = l.event.AppendJSON(ours[:0], l.record)
			}
		}
		reflected := func(n int) {
			for range n {
				peer.Reset()
				_ = encoder.Encode(l.equal) // the lines are compared below
			}
		}
		ns := takeTurns(b.rounds(21),
			func() float64 { return each(200_000, generated) },
			func() float64 { return each(50_000, reflected) },
		)
		if got, want := string(ours)+"\n", peer.String(); got != want {
			return nil, fmt.Errorf("%s: got the line %swant %s", l.event.Name, got, want)
		}
		figure := "JSON line of " + l.event.Name
		rows = append(rows, compared(figure+", against encoding/json", "ns/line", ns[0], ns[1], 1.0/4.5))
		if err := allocates(figure, func() { generated(1) }); err != nil {
			return rows, err
		}
	}
	return rows, nil
}
