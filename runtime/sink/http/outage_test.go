// SPDX-License-Identifier: Apache-2.0

package http_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	nethttp "net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/redsift/ingraind/runtime"
)

// numbers is an event whose rows are {"n":N}, numbered the row N of it.
func numbers() *runtime.Event {
	return &runtime.Event{Name: "number", Stream: true, AppendJSON: func(dst []byte, r runtime.Record) []byte {
		return append(runtime.AppendUint(append(dst, `{"n":`...), binary.LittleEndian.Uint64(r.Body)), '}')
	}}
}

func numbered(e *runtime.Event, n int) *runtime.Row {
	return &runtime.Row{Event: e, Record: runtime.Record{Weight: 1, Body: binary.LittleEndian.AppendUint64(nil, uint64(n))}}
}

// faults are what the receiver does to its first requests; it behaves to all
// later ones, and to those not listed.
var faults = map[int64]string{1: "500", 2: "busy", 4: "reset in the body", 6: "lost answer", 8: "slow", 10: "lost answer", 11: "500"}

// receive is a receiver that knows the names of batches: a file in dir for
// each, there at once and for good. What came again is noted in again.
func receive(address, dir string) int {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	var requests atomic.Int64
	err = nethttp.Serve(listener, nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
		fault := faults[requests.Add(1)]
		_ = os.WriteFile(filepath.Join(dir, "faults", fault), nil, 0o600) // no fault is no name: not written
		reset := func() {
			if c, _, err := w.(nethttp.Hijacker).Hijack(); err == nil {
				c.(*net.TCPConn).SetLinger(0)
				c.Close()
			}
		}
		switch fault {
		case "500":
			w.WriteHeader(nethttp.StatusInternalServerError)
			return
		case "busy":
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(nethttp.StatusTooManyRequests)
			return
		case "reset in the body":
			_, _ = io.ReadFull(r.Body, make([]byte, 1000))
			reset()
			return
		}
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = store(dir, r.Header.Get("Idempotency-Key"), body)
		}
		switch {
		case err != nil:
			nethttp.Error(w, err.Error(), nethttp.StatusInternalServerError)
		case fault == "lost answer":
			reset()
		case fault == "slow":
			time.Sleep(time.Second)
		}
	}))
	fmt.Fprintln(os.Stderr, err)
	return 1
}

func store(dir, name string, body []byte) error {
	file := filepath.Join(dir, name)
	if have, err := os.ReadFile(file); err == nil {
		what := "again/"
		if !bytes.Equal(have, body) {
			what = "differs/"
		}
		return os.WriteFile(filepath.Join(dir, what+name), nil, 0o600)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "part", name), body, 0o600); err != nil {
		return err
	}
	return os.Rename(filepath.Join(dir, "part", name), file)
}

func TestEveryRowIsThereOnceThroughAllFaults(t *testing.T) {
	const rows = 100_000
	dir := t.TempDir()
	for _, name := range []string{"part", "again", "differs", "faults"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	free.Close()
	spool, err := runtime.OpenSpool(runtime.SpoolOptions{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	var refused, busy, broken, slow atomic.Int64
	lanes := runtime.NewLanes(runtime.NewLane(runtime.LaneOptions{
		Name: "http", Sink: open(t, "http://"+address+"/rows", "timeout=300ms"), Spool: spool,
		Log: func(err error) {
			for said, count := range map[string]*atomic.Int64{"connection refused": &refused, "429 Too Many": &busy, "500 Internal": &broken, "no answer within": &slow} {
				if strings.Contains(err.Error(), said) {
					count.Add(1)
				}
			}
		},
	}))
	// Nobody listens yet.
	e := numbers()
	add := func(from, to int) {
		for n := from; n < to; n++ {
			lanes.Add(numbered(e, n))
		}
	}
	add(0, rows/4)
	until(t, "refused", func() bool { return refused.Load() > 0 })
	start := func() (end func()) {
		c := child(t, "receive", "INGRAIND_TEST_ADDRESS="+address, "INGRAIND_TEST_FOLDER="+dir)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		ended := false
		end = func() {
			if !ended {
				ended = true
				_ = c.Process.Kill()
				_ = c.Wait()
			}
		}
		t.Cleanup(end)
		until(t, "the receiver", func() bool {
			conn, err := net.Dial("tcp", address)
			if err == nil {
				conn.Close()
			}
			return err == nil
		})
		pauses := func() {
			_ = c.Process.Signal(syscall.SIGSTOP)
			time.Sleep(500 * time.Millisecond)
			_ = c.Process.Signal(syscall.SIGCONT)
		}
		before := shipped(lanes)
		until(t, "rows", func() bool { return shipped(lanes) > before })
		pauses()
		return end
	}
	end := start()
	add(rows/4, rows/2)
	until(t, "a quarter", func() bool { return shipped(lanes) >= rows/4 })
	end() // killed, in the middle of whatever it does
	add(rows/2, rows)
	time.Sleep(200 * time.Millisecond)
	start()
	until(t, "all rows", func() bool { lanes.Tick(time.Now().Add(time.Minute)); return shipped(lanes) == rows })
	if err := lanes.Close(t.Context()); err != nil {
		t.Error(err)
	}
	b := lanes.Books()[0]
	if b.In != rows || b.Shipped != rows || b.Dropped != 0 || b.Retries < 5 {
		t.Errorf("got %+v, want all rows shipped, with retries", b)
	}
	for what, count := range map[string]*atomic.Int64{"refused": &refused, "429": &busy, "500": &broken, "no answer": &slow} {
		if count.Load() == 0 {
			t.Errorf("the lane saw no %s", what)
		}
	}
	// A reset of a connection that was in use before, the transport itself
	// answers by a second attempt.
	for _, fault := range faults {
		if _, err := os.Stat(filepath.Join(dir, "faults", fault)); err != nil {
			t.Errorf("the receiver never did it: %v", err)
		}
	}
	mustHoldOnce(t, dir, rows)
}

func shipped(lanes *runtime.Lanes) uint64 { return lanes.Books()[0].Shipped }

func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited 30 s for %s", what)
		}
	}
}

// mustHoldOnce wants each row once in what the receiver has, and some batches
// to have come again, with the same content.
func mustHoldOnce(t *testing.T, dir string, rows int) {
	t.Helper()
	batches, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	seen := make([]int, rows)
	for _, b := range batches {
		if b.IsDir() {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, b.Name()))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			digits := strings.TrimSuffix(strings.TrimPrefix(line, `{"n":`), "}\n")
			n, err := strconv.Atoi(digits)
			if err != nil || n < 0 || n >= rows {
				t.Fatalf("%s: got line %q", b.Name(), line)
			}
			seen[n]++
		}
	}
	wrong := 0
	for n, times := range seen {
		if times != 1 {
			if wrong++; wrong < 5 {
				t.Errorf("row %d is there %d times", n, times)
			}
		}
	}
	again, _ := os.ReadDir(filepath.Join(dir, "again"))
	differs, _ := os.ReadDir(filepath.Join(dir, "differs"))
	if wrong > 0 || len(again) < 2 || len(differs) > 0 {
		t.Errorf("%d rows are not there once; %d batches came again, want some; %d of them were different", wrong, len(again), len(differs))
	}
}
