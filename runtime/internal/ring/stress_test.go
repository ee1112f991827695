// SPDX-License-Identifier: Apache-2.0

package ring

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	goruntime "runtime"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func monotonic() int64 {
	var ts unix.Timespec
	unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts)
	return ts.Nano()
}

// received checks what arrives of struct sent.
type received struct {
	t       *testing.T
	next    [4]uint64 // the number each producer is to send next
	records uint64
	worst   time.Duration // from a record's commit to its arrival
	late    int           // later than 50 ms
	delay   time.Duration // how long this thread had no processor in all
	excuse  time.Duration // the same, since the last Drain
}

func (c *received) handle(raw []byte) {
	if len(raw) < 40 {
		c.t.Errorf("got a record of %d bytes, want 40 or more", len(raw))
		return
	}
	number := binary.NativeEndian.Uint64(raw[16:])
	sent := int64(binary.NativeEndian.Uint64(raw[24:]))
	producer := binary.NativeEndian.Uint32(raw[32:]) & 3
	if number != c.next[producer] {
		c.t.Errorf("producer %d: got record %d, want %d", producer, number, c.next[producer])
	}
	c.next[producer] = number + 1
	c.records++
	age := time.Duration(monotonic()-sent) - c.excuse
	c.worst = max(c.worst, age)
	if age > 50*time.Millisecond {
		c.late++
	}
}

func TestEveryRecordArrivesWhateverTheTiming(t *testing.T) {
	for _, test := range []struct {
		name  string
		rings int
		tick  time.Duration
	}{
		{"one ring", 1, time.Millisecond},
		{"one ring, ticks of 10 ms", 1, 10 * time.Millisecond},
		{"two rings", 2, time.Millisecond},
		{"four rings, two of them of no CPU, ticks of 10 ms", 4, 10 * time.Millisecond},
	} {
		t.Run(test.name, func(t *testing.T) { stress(t, test.rings, test.tick, 4*time.Second) })
	}
}

// stress lets three producers send for a while, with pauses that are most often
// about as long as the reader takes to fall asleep. Two of them are not in step
// with the reader; the third goes off when it is about to sleep.
func stress(t *testing.T, rings int, tick, d time.Duration) {
	// The producers' long system calls are not to keep the reader from running.
	defer goruntime.GOMAXPROCS(goruntime.GOMAXPROCS(8))
	p := load(t, rings, 1<<20)
	r := p.openReader(t, Options{Tick: tick})
	check := &received{t: t}
	stop := make(chan struct{})
	about := make(chan struct{}, 1)
	var producers sync.WaitGroup
	for i := range 3 {
		producers.Go(func() {
			pin(t, i%2) // a ring belongs to a processor
			random := rand.New(rand.NewPCG(1, uint64(i)))
			for {
				select {
				case <-stop:
					return
				default:
				}
				if i == 2 {
					select {
					case <-about:
					case <-stop:
						return
					}
				}
				o := order{Producer: uint32(i), Size: 40 + 8*random.Uint32N(20)}
				program := p.Copied
				if random.IntN(2) == 0 {
					program = p.InPlace
					o.Before = random.Uint32N(2) * random.Uint32N(1000)
					o.Drop = random.Uint32N(8) / 7
				}
				run(t, program, o, 1+random.IntN(3)*random.IntN(100))
				pause(random, i == 2, tick)
			}
		})
	}
	var sleeps uint64
	beforeSleep := func() {
		sleeps++
		select {
		case about <- struct{}{}:
		default:
		}
	}
	done := make(chan struct{})
	go func() {
		time.Sleep(d)
		close(stop)
		producers.Wait()
		close(done)
		r.Wake()
	}()
	goruntime.LockOSThread()
	defer goruntime.UnlockOSThread()
	waited := runDelay(t)
	for running := true; running || r.pending(); {
		select {
		case <-done:
			running = false
		default:
		}
		r.Drain(check.handle)
		r.Wait(beforeSleep)
		now := waited()
		check.excuse = now - check.delay
		check.delay = now
	}

	var sent uint64
	for i := range check.next {
		sent += check.next[i]
	}
	ledger := p.counted(t)
	t.Logf("%d records, %d sleeps, the latest record after %v, %d later than 50 ms", check.records, sleeps, check.worst, check.late)
	if check.records != sent || check.records == 0 || sleeps < 10 {
		t.Errorf("got %d of %d records, with %d sleeps", check.records, sent, sleeps)
	}
	if ledger.Lost != 0 || r.Lost() != 0 {
		t.Errorf("lost: the programs say %d, the reader %d, want none", ledger.Lost, r.Lost())
	}
	if r.missed != 0 {
		t.Errorf("%d sleeps ran out although there was something to read", r.missed)
	}
	if check.late > 0 {
		t.Errorf("%d records were later than 50 ms, the latest %v", check.late, check.worst)
	}
}

// pin ties the calling goroutine to a processor for good.
func pin(t *testing.T, cpu int) {
	goruntime.LockOSThread()
	var set unix.CPUSet
	set.Set(cpu % goruntime.NumCPU())
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		t.Errorf("pin a producer to processor %d: %v", cpu, err)
	}
}

// runDelay returns a function that tells how long the calling thread has been
// ready to run while others ran.
func runDelay(t *testing.T) func() time.Duration {
	f, err := os.Open("/proc/thread-self/schedstat")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return func() time.Duration {
		var buf [64]byte
		var ran, waited int64
		n, _ := f.ReadAt(buf[:], 0)
		fmt.Sscan(string(buf[:n]), &ran, &waited)
		return time.Duration(waited)
	}
}

// pause takes as long as it takes the reader to come somewhere near to sleep.
func pause(random *rand.Rand, soon bool, tick time.Duration) {
	switch n := random.IntN(10); {
	case soon: // a few microseconds, spinning
		for range random.IntN(200) {
			monotonic()
		}
	case n == 0:
		time.Sleep(time.Duration(random.Int64N(int64(150 * time.Millisecond))))
	case n < 6:
		time.Sleep(quietTicks*tick + time.Duration(random.Int64N(int64(2*tick))))
	default:
		time.Sleep(time.Duration(random.Int64N(int64(2 * tick))))
	}
}
