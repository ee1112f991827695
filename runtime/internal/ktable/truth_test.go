// SPDX-License-Identifier: Apache-2.0

package ktable

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	goruntime "runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"
)

// loads is threads that make events of which they keep count.
type loads struct {
	t       *testing.T
	p       *programs
	left    atomic.Int64 // events still to be made
	threads sync.WaitGroup
	mu      sync.Mutex
	want    map[uint64][]uint64 // by key
	made    map[string]uint64   // by kind of thread
	got     map[*Table]told
	stops   []func()      // of timers
	events  int64         // to be made
	ran     mapped        // how often the program of system calls ran, for each thread
	flushes atomic.Int64  // beside the load
	missed  atomic.Uint64 // system calls for which it did not
}

// truthKeys are more than the arrays have, and as many as the hash may.
const truthKeys = keys + 16

// thread makes events on a CPU until there are enough. turn makes some of the
// same event, and returns how many.
func (l *loads) thread(kind string, cpu int, priority uint32, turn func(key, value uint64) int) {
	l.threads.Go(func() {
		pin(l.t, cpu)
		if priority > 0 {
			attr := &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: priority}
			if err := unix.SchedSetAttr(0, attr, 0); err != nil {
				l.t.Errorf("become a thread that preempts others: %v", err)
			}
		}
		random := rand.New(rand.NewPCG(uint64(cpu), uint64(len(kind))+uint64(priority)))
		want := make([][]uint64, truthKeys)
		for i := range want {
			want[i] = make([]uint64, allWords)
		}
		made := uint64(0)
		for l.left.Load() > 0 {
			if l.ahead() {
				time.Sleep(50 * time.Microsecond)
				continue
			}
			key := random.Uint64N(truthKeys)
			value := random.Uint64() >> random.UintN(64)
			if random.UintN(4) == 0 {
				value = -value
			}
			n := turn(key, value)
			if n == 0 {
				continue
			}
			count(want[key], value, uint64(n), 1)
			l.left.Add(-int64(n))
			made += uint64(n)
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		l.made[kind] += made
		for key, words := range want {
			if words[0] > 0 {
				l.add(uint64(key), words)
			}
		}
	})
}

// ahead reports whether so many events are there that flushes could not keep up.
func (l *loads) ahead() bool {
	return l.events-l.left.Load() > l.events*(l.flushes.Load()+2)/raceFlushes
}

func (l *loads) add(key uint64, words []uint64) {
	if l.want[key] == nil {
		l.want[key] = make([]uint64, allWords)
	}
	mergeAll(l.want[key], words)
}

// pin keeps the calling goroutine on one CPU. It is to end with its thread.
func pin(t testing.TB, cpu int) {
	goruntime.LockOSThread() // and never unlocked: the thread ends with its affinity
	var set unix.CPUSet
	set.Set(cpu)
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		t.Errorf("keep to CPU %d: %v", cpu, err)
	}
}

// calls makes a system call for each event: tasks. With a pause it wakes up
// again and again, and preempts who runs. When the kernel has left the program
// out, because somebody was preempted in the middle of it, there was no event.
func (l *loads) calls(thread int, pause time.Duration) func(key, value uint64) int {
	ran := &l.ran.words[thread]
	return func(key, value uint64) int {
		if pause > 0 {
			ts := unix.NsecToTimespec(int64(pause))
			_ = unix.Nanosleep(&ts, nil) // when it is interrupted it is shorter
		}
		before := atomic.LoadUint64(ran)
		_, _, _ = unix.RawSyscall(unix.SYS_GETPPID, uintptr(key), uintptr(value), uintptr(thread))
		n := int(atomic.LoadUint64(ran) - before)
		if n == 0 {
			l.missed.Add(1)
		}
		return n
	}
}

// runs runs the program many times in a row: a task in the kernel.
func (l *loads) runs() func(key, value uint64) int {
	n := 0
	return func(key, value uint64) int {
		n = n%50 + 1
		run(l.t, l.p.Programs["from_packet"], key, value, n)
		return n
	}
}

// packets sends to a socket with a program as its filter, if there is one, and
// receives what it has sent: soft interrupts.
func (l *loads) packets(filter *ebpf.Program) func(key, value uint64) int {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { unix.Close(fd) })
	if filter != nil {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ATTACH_BPF, filter.FD()); err != nil {
			l.t.Fatal(err)
		}
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		l.t.Fatal(err)
	}
	to, err := unix.Getsockname(fd)
	if err != nil {
		l.t.Fatal(err)
	}
	body := make([]byte, 16)
	return func(key, value uint64) int {
		const n = 16 // at once; the kernel's queue is for a thousand
		binary.NativeEndian.PutUint64(body, key)
		binary.NativeEndian.PutUint64(body[8:], value)
		for range n {
			if err := unix.Sendto(fd, body, 0, to); err != nil {
				l.t.Errorf("send: %v", err)
			}
		}
		for range n {
			if _, _, err := unix.Recvfrom(fd, body, 0); err != nil {
				l.t.Errorf("receive: %v", err)
			}
		}
		return n
	}
}

// timer lets a timer's interrupt run a program on a CPU every so often, in the
// middle of whatever runs there.
func (l *loads) timer(p *ebpf.Program, cpu int, every time.Duration) {
	fd, err := unix.PerfEventOpen(&unix.PerfEventAttr{
		Type: unix.PERF_TYPE_SOFTWARE, Config: unix.PERF_COUNT_SW_CPU_CLOCK, Size: unix.PERF_ATTR_SIZE_VER1, Sample: uint64(every),
	}, -1, cpu, -1, unix.PERF_FLAG_FD_CLOEXEC)
	if err != nil {
		l.t.Fatalf("open a timer: %v", err)
	}
	if err := unix.IoctlSetInt(fd, unix.PERF_EVENT_IOC_SET_BPF, p.FD()); err != nil {
		l.t.Fatalf("attach to a timer: %v", err)
	}
	if err := unix.IoctlSetInt(fd, unix.PERF_EVENT_IOC_ENABLE, 0); err != nil {
		l.t.Fatalf("start a timer: %v", err)
	}
	l.stops = append(l.stops, func() { unix.Close(fd) })
}

// timed adds what programs have counted for themselves.
func (l *loads) timed() {
	var each []struct{ Count, Sum uint64 }
	for key := range uint64(keys) {
		if err := l.p.Maps["truth"].Lookup(uint32(key), &each); err != nil {
			l.t.Fatal(err)
		}
		words := make([]uint64, allWords)
		for _, c := range each {
			if c.Count > 0 {
				count(words, 1+key&7, c.Count, 1)
				l.made["for themselves"] += c.Count
			}
		}
		if words[0] > 0 {
			l.add(key, words)
		}
	}
}

// online are the CPUs that tests keep to, two at most.
func online(t testing.TB) []int {
	t.Helper()
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		t.Fatal(err)
	}
	var all []int
	for cpu := 0; len(all) < min(set.Count(), 2); cpu++ {
		if set.IsSet(cpu) {
			all = append(all, cpu)
		}
	}
	return all
}

// attach makes a raw tracepoint run a program.
func (l *loads) attach(tracepoint, program string) {
	l.t.Helper()
	attached, err := link.AttachRawTracepoint(link.RawTracepointOptions{Name: tracepoint, Program: l.p.Programs[program]})
	if err != nil {
		l.t.Fatal(err)
	}
	l.stops = append(l.stops, func() { attached.Close() })
}

// manyEvents are as many as INGRAIN_EVENTS says; else a million, ten of them
// with INGRAIN_FULL, and fewer where the machine is emulated.
func manyEvents() int64 {
	if n, err := strconv.ParseInt(os.Getenv("INGRAIN_EVENTS"), 10, 64); err == nil {
		return n
	}
	switch {
	case os.Getenv("INGRAIN_VM") != "":
		return 200_000
	case os.Getenv("INGRAIN_FULL") != "":
		return 10_000_000
	}
	return 1_000_000
}

// TestSumsAreTheLoadsOwn races flushes with programs in tasks, some of which
// preempt others, in soft interrupts and in timers' interrupts, on each CPU.
func TestSumsAreTheLoadsOwn(t *testing.T) {
	atomics := haveAtomics() // without them an interrupt may come between look and store
	p := load(t, 1000, atomics, "from_task", "from_packet", "from_timer")
	if p.alone {
		t.Error("got a table with one program, want three")
	}
	l := newLoads(t, p, manyEvents())
	l.attach("sys_enter", "from_task")
	for i, cpu := range online(t) {
		l.timer(p.Programs["from_timer"], cpu, 200*time.Microsecond)
		l.thread("calls", cpu, 0, l.calls(2*i, 0))
		l.thread("preempting calls", cpu, 5, l.calls(2*i+1, 100*time.Microsecond))
		l.thread("runs", cpu, 0, l.runs())
		l.thread("packets", cpu, 0, l.packets(p.Programs["from_packet"]))
	}
	l.race()
	l.compare()
	if stats, err := p.Programs["from_task"].Stats(); err == nil && stats.RecursionMisses < l.missed.Load() {
		t.Errorf("got %d calls without an event, of which the kernel knows %d", l.missed.Load(), stats.RecursionMisses)
	}
}

// TestAProgramThatIsAloneCountsWithoutLocks is about programs that the kernel
// keeps from coming in between themselves, where it does.
func TestAProgramThatIsAloneCountsWithoutLocks(t *testing.T) {
	t.Run("tasks", func(t *testing.T) {
		p := loadAlone(t, "from_task")
		l := newLoads(t, p, manyEvents()/4)
		l.attach("sys_enter", "from_task")
		for i, cpu := range online(t) {
			l.thread("calls", cpu, 0, l.calls(2*i, 0))
			l.thread("preempting calls", cpu, 5, l.calls(2*i+1, 100*time.Microsecond))
		}
		l.race()
		l.compare()
	})
	t.Run("tasks and interrupts", func(t *testing.T) {
		p := loadAlone(t, "from_anywhere")
		l := newLoads(t, p, manyEvents()/4)
		l.attach("kmem_cache_alloc", "from_anywhere")
		l.attach("kmem_cache_free", "from_anywhere")
		for _, cpu := range online(t) {
			// Both allocate memory, as much else does: the program counts for itself.
			for kind, turn := range map[string]func(key, value uint64) int{"packets": l.packets(nil), "files": files(t)} {
				l.thread(kind, cpu, 0, func(key, value uint64) int {
					l.left.Add(-int64(turn(key, value)))
					return 0
				})
			}
		}
		l.race()
		l.compare()
		stats, err := p.Programs["from_anywhere"].Stats()
		if err == nil {
			t.Logf("the kernel left the program out %d times", stats.RecursionMisses)
		}
	})
}

// loadAlone loads one program.
func loadAlone(t *testing.T, name string) *programs {
	t.Helper()
	p := load(t, 1000, haveAtomics(), name)
	if want := kernelSince(6, 1); p.alone != want {
		t.Errorf("got alone %v, want %v", p.alone, want)
	}
	return p
}

// files opens and closes a file again and again.
func files(t *testing.T) func(key, value uint64) int {
	return func(key, value uint64) int {
		fd, err := unix.Open("/proc/self/stat", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			t.Error(err)
			return 1
		}
		unix.Close(fd)
		return 1
	}
}

func newLoads(t *testing.T, p *programs, events int64) *loads {
	procs := goruntime.GOMAXPROCS(16) // threads that are in system calls do not keep others from running
	t.Cleanup(func() { goruntime.GOMAXPROCS(procs) })
	l := &loads{
		t: t, p: p, want: map[uint64][]uint64{}, made: map[string]uint64{}, events: events,
		got: map[*Table]told{p.mixed: {}, p.small: {}, p.all: {}},
	}
	l.left.Store(events)
	var err error
	if l.ran, err = mapArray(p.Maps[".data.ran"]); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.ran.close() })
	return l
}

// flush flushes all tables together, as an agent does.
func (l *loads) flush() {
	for table := range l.got {
		table.Swap()
	}
	for table, got := range l.got {
		got.add(l.t, table)
	}
}

// raceFlushes is how often tables are flushed beside a load, at least but for
// the last two.
const raceFlushes = 22

// race flushes beside the load, each time when a share of the events is there.
func (l *loads) race() {
	begin := time.Now()
	for done := false; !done; l.flushes.Add(1) {
		for share := l.events * (l.flushes.Load() + 1) / raceFlushes; !done && l.events-l.left.Load() < share; {
			time.Sleep(time.Millisecond)
		}
		done = l.left.Load() <= 0
		l.flush()
	}
	l.threads.Wait()
	for _, stop := range l.stops {
		stop()
	}
	if n := l.flushes.Load(); n < raceFlushes-2 {
		l.t.Errorf("got %d flushes beside the load, want %d or more", n, raceFlushes-2)
	}
	l.t.Logf("%v, %d flushes", time.Since(begin).Round(time.Millisecond), l.flushes.Load())
}

// compare flushes what is left, and compares it all with what the load has
// made.
func (l *loads) compare() {
	l.flush()
	l.flush()
	l.timed()
	t, p := l.t, l.p
	sum := uint64(0)
	for _, n := range l.made {
		sum += n
	}
	refused := p.mixed.Refused() > 0
	t.Logf("%d events: %v; refused %d, missed %d", sum, l.made, p.mixed.Refused(), l.missed.Load())
	mixed, small := l.got[p.mixed], l.got[p.small]
	if refused {
		l.forgive(mixed)
	}
	everything, over := make([]uint64, allWords), make([]uint64, allWords)
	for n, want := range l.want {
		mergeAll(everything, want)
		if !refused {
			equal(t, fmt.Sprint("hash, key ", n), mixed[mixedKey(n)], want)
		}
		if n >= keys {
			mergeAll(over, want)
			continue
		}
		equal(t, fmt.Sprint("array, key ", n), small[key(n)], want)
	}
	if over[0] > 0 {
		equal(t, "array, overflow", small[overflow], over)
	}
	equal(t, "no key", l.got[p.all][""], everything)
	if !refused && len(mixed) != len(l.want) || len(l.want) < keys || len(l.got[p.all]) != 1 {
		t.Errorf("got rows of %d and %d keys, want %d, of %d or more, and 1", len(mixed), len(l.got[p.all]), len(l.want), keys)
	}
}

// forgive compares the sum of all rows where an insertion was refused: an
// event of a key is in the overflow then.
func (l *loads) forgive(rows told) {
	got, want := make([]uint64, allWords), make([]uint64, allWords)
	for _, words := range rows {
		mergeAll(got, words)
	}
	for _, words := range l.want {
		mergeAll(want, words)
	}
	equal(l.t, "hash, all keys and the overflow", got, want)
}
