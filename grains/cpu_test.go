// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"fmt"
	"os"
	goruntime "runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"github.com/redsift/ingraind/generated/cpu"
	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/runtimetest"
)

// scheduled is what the scheduler says of a thread, from its birth on.
type scheduled struct {
	ran, waited, turns, voluntary, involuntary int64
}

// schedule reads /proc/PID/schedstat and status.
func schedule(t testing.TB, pid int) (s scheduled) {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/schedstat", pid))
	must(t, err)
	_, err = fmt.Sscan(string(text), &s.ran, &s.waited, &s.turns)
	must(t, err)
	text, err = os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	must(t, err)
	for line := range strings.Lines(string(text)) {
		switch name, value, _ := strings.Cut(line, ":"); name {
		case "voluntary_ctxt_switches":
			_, err = fmt.Sscan(value, &s.voluntary)
		case "nonvoluntary_ctxt_switches":
			_, err = fmt.Sscan(value, &s.involuntary)
		}
		must(t, err)
	}
	return s
}

// lifetime waits for the end of a process of one thread, and returns what the
// scheduler said of it then.
func lifetime(t testing.TB, p runtimetest.Forked) scheduled {
	t.Helper()
	must(t, unix.Waitid(unix.P_PID, p.PID, nil, unix.WEXITED|unix.WNOWAIT, nil))
	time.Sleep(100 * time.Millisecond) // until it has left its CPU
	defer wait(t, p)
	return schedule(t, p.PID)
}

// usage adds up what the rows say of a process.
func usage(rows []runtimetest.Row, pid int) scheduled {
	cell := func(name string) int64 {
		return summed(rows, "usage", name, func(r runtimetest.Row) bool { return r.Int("pid") == int64(pid) })
	}
	return scheduled{cell("ran"), cell("waited"), cell("turns"), cell("voluntary"), cell("involuntary")}
}

// pinned runs f on a thread that runs on the last CPU alone, as do processes that
// f starts.
func pinned(t testing.TB, f func()) {
	t.Helper()
	goruntime.LockOSThread()
	defer goruntime.UnlockOSThread()
	var before, one unix.CPUSet
	must(t, unix.SchedGetaffinity(0, &before))
	for n := 1023; one.Count() == 0; n-- {
		if before.IsSet(n) {
			one.Set(n)
		}
	}
	must(t, unix.SchedSetaffinity(0, &one))
	defer func() { must(t, unix.SchedSetaffinity(0, &before)) }()
	f()
}

// TestTimeOfAProcessIsWhatTheSchedulerCounted compares to the nanosecond, from
// the birth to the end of processes that share a CPU.
func TestTimeOfAProcessIsWhatTheSchedulerCounted(t *testing.T) {
	options, lines := gathering(runtime.Options{})
	agent := runtimetest.Start(t, options, cpu.New())
	var spin uint64
	var load []runtimetest.Forked
	runtimetest.Named(t, "contender", func() {
		pinned(t, func() {
			var naps []runtimetest.Step
			for range 200 {
				naps = append(naps, runtimetest.Sleep(100*time.Microsecond))
			}
			for range 3 {
				spinner, err := runtimetest.Fork(runtimetest.Meet(&spin, 4), runtimetest.Exit(0))
				must(t, err)
				sleeper, err := runtimetest.Fork(append(naps, runtimetest.Exit(0))...)
				must(t, err)
				load = append(load, spinner, sleeper)
			}
		})
	})
	time.Sleep(400 * time.Millisecond)
	atomic.AddUint64(&spin, 1)
	var want []scheduled
	var turns int64
	for _, p := range load {
		s := lifetime(t, p)
		want = append(want, s)
		turns += s.turns
	}
	rows, ledger := agent.Stop()
	for i, p := range load {
		if got := usage(rows, p.PID); got != want[i] {
			t.Errorf("process %d: got %+v, want %+v", i, got, want[i])
		}
	}
	for i, name := range []string{"spinner", "sleeper"} {
		if s := want[i]; s.ran == 0 || s.waited < 1e6 || s.turns < 2 {
			t.Errorf("the %s has only %+v: this load says nothing", name, s)
		}
	}
	ours := func(r runtimetest.Row) bool { return r.Text("comm") == "contender" }
	if got := buckets(rows, "latency", "waited", ours); got < turns || got > turns+100 { // what forks is called so too
		t.Errorf("got %d waits, want %d and those of the thread that forks", got, turns)
	}
	if n := missed(ledger); n != 0 {
		t.Errorf("%d slices were missed, want 0", n)
	}
	checkSample(t, "cpu", lines,
		func(r runtimetest.Row) bool { return r.Text("table") == "usage" && r.Int("pid") == int64(load[0].PID) },
		func(r runtimetest.Row) bool { return r.Text("table") == "latency" && ours(r) })
}

// TestTimeOfManyThreadsIsThatOfGetrusage: what a thread does at its very end
// is not in the kernel's sum for the process any more.
func TestTimeOfManyThreadsIsThatOfGetrusage(t *testing.T) {
	agent := runtimetest.Start(t, runtime.Options{}, cpu.New())
	c := role(t, "crunch", "8", "300ms")
	out, err := c.Output()
	must(t, err)
	var threads int64
	_, err = fmt.Sscan(string(out), &threads)
	must(t, err)
	used := c.ProcessState.SysUsage().(*syscall.Rusage)
	rows, _ := agent.Stop()
	got := usage(rows, c.Process.Pid)
	want := scheduled{ran: used.Utime.Nano() + used.Stime.Nano(), voluntary: used.Nvcsw, involuntary: used.Nivcsw}
	most := threads * int64(time.Millisecond)
	if underEmulation() {
		most *= 10
	}
	if got.ran < want.ran-2000 || got.ran > want.ran+most {
		t.Errorf("got %d ns on CPUs, want %d: at most 1 ms more for each of %d threads", got.ran, want.ran, threads)
	}
	if got.voluntary < want.voluntary || got.voluntary > want.voluntary+threads {
		t.Errorf("got %d voluntary switches, want %d: at most one more for each of %d threads", got.voluntary, want.voluntary, threads)
	}
	if got.involuntary < want.involuntary || got.involuntary > want.involuntary+threads {
		t.Errorf("got %d involuntary switches, want %d: at most one more for each of %d threads", got.involuntary, want.involuntary, threads)
	}
}

// crunch computes in so many threads for so long, and prints how many threads
// it had in all: "crunch N DURATION".
func crunch(args []string) error {
	n, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	d, err := time.ParseDuration(args[1])
	if err != nil {
		return err
	}
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			goruntime.LockOSThread()
			defer goruntime.UnlockOSThread()
			for i, end := 0, time.Now().Add(d); time.Now().Before(end); i++ {
				if i%1000 == 0 {
					_ = unix.Nanosleep(&unix.Timespec{Nsec: 1000}, nil)
				}
			}
		})
	}
	all.Wait()
	threads, err := os.ReadDir("/proc/self/task")
	fmt.Println(len(threads))
	return err
}

// TestAThreadThatNeverLeavesItsCPUIsCharged leaves out the probe at switches,
// for which a thread that is alone on a CPU gives no cause. The look at each
// CPU, four times a second, has to tell of it: all but what it ran since the
// last look, and what the scheduler had not counted by then.
func TestAThreadThatNeverLeavesItsCPUIsCharged(t *testing.T) {
	const every, bound = time.Second, 250*time.Millisecond + 20*time.Millisecond
	g := cpu.New()
	g.Tables[0].Every = every
	g.Probes = slices.DeleteFunc(g.Probes, func(p runtime.Probe) bool { return p.Name == "switched" })
	agent := runtimetest.Start(t, runtime.Options{}, g)
	var stop uint64
	spinner, err := runtimetest.Fork(runtimetest.Meet(&stop, 2), runtimetest.Exit(0))
	must(t, err)
	seen := func(r runtimetest.Row) bool { return r.Int("pid") == int64(spinner.PID) && r.Int("ran") > 0 }
	early := usage(agent.WaitFor(2, seen), spinner.PID) // of two intervals that have ended
	now := schedule(t, spinner.PID)
	atomic.AddUint64(&stop, 1)
	want := lifetime(t, spinner)
	rows, _ := agent.Stop()
	got := usage(rows, spinner.PID)
	if early.ran <= 0 || early.ran > now.ran {
		t.Errorf("got %d ns while it ran, want some, and no more than %d", early.ran, now.ran)
	}
	if got.ran > want.ran || want.ran-got.ran > int64(bound) {
		t.Errorf("got %d ns, want %d, or up to %v less", got.ran, want.ran, bound)
	}
}

// TestTimeOfOlderThreadsCountsFromTheAgentsStart: what they ran before is
// nobody's business.
func TestTimeOfOlderThreadsCountsFromTheAgentsStart(t *testing.T) {
	var stop uint64
	spinner, err := runtimetest.Fork(runtimetest.Meet(&stop, 2), runtimetest.Exit(0))
	must(t, err)
	time.Sleep(200 * time.Millisecond)
	before := schedule(t, spinner.PID)
	agent := runtimetest.Start(t, runtime.Options{}, cpu.New())
	after := schedule(t, spinner.PID)
	time.Sleep(200 * time.Millisecond)
	atomic.AddUint64(&stop, 1)
	end := lifetime(t, spinner)
	rows, ledger := agent.Stop()
	if got := usage(rows, spinner.PID).ran; got < end.ran-after.ran || got > end.ran-before.ran {
		t.Errorf("got %d ns, want between %d, since the agent had started, and %d, since it began to", got, end.ran-after.ran, end.ran-before.ran)
	}
	if n := missed(ledger); n != 0 {
		t.Errorf("got %d missed, want 0", n)
	}
}

// TestTimeUnderANameIsCountedUnderThatName, to within a tick of the scheduler.
func TestTimeUnderANameIsCountedUnderThatName(t *testing.T) {
	agent := runtimetest.Start(t, runtime.Options{}, cpu.New())
	goruntime.LockOSThread()
	defer goruntime.UnlockOSThread()
	var want [2]int64
	for i, name := range []string{"first name", "second name"} {
		runtimetest.Named(t, name, func() {
			began := schedule(t, unix.Gettid()).ran
			for end := time.Now().Add(200 * time.Millisecond); time.Now().Before(end); {
			}
			want[i] = schedule(t, unix.Gettid()).ran - began
		})
	}
	rows, _ := agent.Stop()
	bound := int64(10 * time.Millisecond)
	if underEmulation() {
		bound *= 5
	}
	for i, name := range []string{"first name", "second name"} {
		got := summed(rows, "usage", "ran", func(r runtimetest.Row) bool { return r.Text("comm") == name })
		if got < want[i]-bound || got > want[i]+bound {
			t.Errorf("%s: got %d ns, want %d, give or take %d", name, got, want[i], bound)
		}
	}
}

// TestThreadsForWhichThereIsNoRoomAreCounted in the books, as often as nothing
// is told of them.
func TestThreadsForWhichThereIsNoRoomAreCounted(t *testing.T) {
	g := cpu.New()
	load := g.Load
	g.Load = func() (*ebpf.CollectionSpec, error) {
		spec, err := load()
		if err == nil {
			spec.Maps["told"].MaxEntries = 2
		}
		return spec, err
	}
	agent := runtimetest.Start(t, runtime.Options{}, g)
	p, err := runtimetest.Fork(runtimetest.Sleep(time.Microsecond), runtimetest.Sleep(time.Microsecond), runtimetest.Exit(0))
	must(t, err)
	if s := lifetime(t, p); s.turns < 3 {
		t.Fatalf("the process has %+v, want 3 turns or more", s)
	}
	rows, ledger := agent.Stop()
	if got := usage(rows, p.PID); got.turns != 0 {
		t.Errorf("got %+v, want nothing of it", got)
	}
	if n := missed(ledger); n < 3 {
		t.Errorf("got %d missed, want 3 or more", n)
	}
}

// BenchmarkSwitch says what a switch costs while the grain runs, and without
// it: two threads on one CPU hand a byte back and forth.
func BenchmarkSwitch(b *testing.B) {
	turns := func(b *testing.B) {
		pinned(b, func() {
			var there, back [2]int
			must(b, unix.Pipe(there[:]))
			must(b, unix.Pipe(back[:]))
			ended := make(chan error, 1)
			ready := make(chan struct{})
			go pinned(b, func() {
				ended <- func() error {
					close(ready)
					return passOn(there[0], back[1], b.N)
				}()
			})
			<-ready
			b.ResetTimer()
			one := []byte{1}
			for range b.N {
				_, _ = unix.Write(there[1], one)
				_, _ = unix.Read(back[0], one)
			}
			b.StopTimer()
			must(b, <-ended)
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(2*b.N), "ns/switch")
			b.ReportMetric(0, "ns/op")
			for _, fd := range []int{there[0], there[1], back[0], back[1]} {
				unix.Close(fd)
			}
		})
	}
	for range 3 {
		b.Run("without", turns)
		agent := runtimetest.Start(b, runtime.Options{}, cpu.New())
		b.Run("with", turns)
		agent.Stop()
	}
}

// passOn reads a byte and writes it, n times.
func passOn(from, to, n int) error {
	one := []byte{1}
	for range n {
		if _, err := unix.Read(from, one); err != nil {
			return err
		}
		if _, err := unix.Write(to, one); err != nil {
			return err
		}
	}
	return nil
}
