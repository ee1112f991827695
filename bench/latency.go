// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// latency measures the time that passes from an event's own time to its row in a
// pipe, while nothing else happens that the agent watches, at its defaults: it
// sleeps and has to be woken. Connections that are refused are seldom enough; the
// naive agent watches opens, and is woken for each in any case.
func latency(b *bench) ([]row, error) {
	c, err := b.contenders()
	if err != nil {
		return nil, err
	}
	program, err := b.build("generated/ingraind")
	if err != nil {
		return nil, err
	}
	n := b.rounds(300)
	ours, err := waits(contender{name: "ingraind", program: program, args: []string{"-grains", "conn", "-o", "json", "-v"}}, n, refused)
	if err != nil {
		return nil, err
	}
	naive, err := waits(c.naive, n, b.absent)
	if err != nil {
		return nil, err
	}
	r := bounded("from an event to its row at rest, time that passes, median", "ms", median(ours), 0.3)
	r.Limit = 0 // a thread may wait for a CPU that others use
	r.Note = fmt.Sprintf("1 in 100 longer than %.3g; naive %.3g, %.3g", late(ours), median(naive), late(naive))
	return []row{r}, nil
}

// late is what one value in a hundred is greater than.
func late(values []float64) float64 {
	return slices.Sorted(slices.Values(values))[len(values)*99/100]
}

// refused makes the nth connection that is refused, and returns what its row
// holds that no other does.
func refused(n int) (string, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return "", err
	}
	defer unix.Close(fd)
	to := &unix.SockaddrInet4{Port: 7, Addr: [4]byte{127, 9, byte(n >> 8), byte(n)}}
	if err := unix.Connect(fd, to); !errors.Is(err, unix.ECONNREFUSED) {
		return "", fmt.Errorf("connect to nobody: %w", err)
	}
	return fmt.Sprintf(`"127.9.%d.%d"`, n>>8, n&255), nil
}

// absent opens the nth file that is not there.
func (b *bench) absent(n int) (string, error) {
	name := fmt.Sprintf("%s-%d-", b.path("absent"), n)
	if f, err := os.Open(name); err == nil {
		f.Close()
	}
	return name, nil
}

// arrivals sends on the time at which something was written that holds a row
// that is waited for.
type arrivals struct {
	lines bytes.Buffer
	took  chan arrival
}

type arrival struct {
	line string
	at   time.Time
}

func (a *arrivals) Write(p []byte) (int, error) {
	now := time.Now()
	a.lines.Write(p)
	for {
		line, err := a.lines.ReadString('\n')
		if err != nil { // the rest comes later
			a.lines.WriteString(line)
			return len(p), nil
		}
		a.took <- arrival{line, now}
	}
}

// happened is the time that a row says.
func happened(row string) (time.Time, error) {
	var said struct{ Time time.Time }
	err := json.Unmarshal([]byte(row), &said)
	return said.Time, err
}

// waits is how long each of n rows was on its way, ms.
func waits(c contender, n int, do func(n int) (string, error)) (all []float64, err error) {
	rows := &arrivals{took: make(chan arrival, 1<<16)}
	a, err := beginTo(rows, c)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, a.end()) }()
	for i := range n {
		time.Sleep(20*time.Millisecond + time.Duration(rand.Int64N(int64(20*time.Millisecond))))
		mark, err := do(i)
		if err != nil {
			return nil, err
		}
		bound := time.After(5 * time.Second)
		for came := false; !came; {
			select {
			case r := <-rows.took:
				if came = strings.Contains(r.line, mark); came {
					at, err := happened(r.line)
					if err != nil {
						return nil, err
					}
					all = append(all, r.at.Round(0).Sub(at).Seconds()*1000)
				}
			case <-bound:
				return nil, fmt.Errorf("%s did not print row %d within 5 s", c.name, i)
			}
		}
	}
	return all, nil
}
