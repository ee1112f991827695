// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/redsift/ingraind/examples/grains/generated/functions"
	"github.com/redsift/ingraind/examples/grains/generated/open"
	"github.com/redsift/ingraind/examples/grains/generated/points"
	"github.com/redsift/ingraind/examples/grains/generated/resolve"
	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/runtimetest"
	"golang.org/x/sys/unix"
)

// deeds are what a test does for probes to see.
type deeds struct {
	child  int    // the process that was made
	killed int    // a process that does not exist, which was sent a signal
	path   string // a name that was not opened: a pipe without a reader
	asker  string // a program that looks up a name, and was run as child
}

// do does all of it.
func do(t *testing.T, asker string) deeds {
	t.Helper()
	d := deeds{killed: 0x7ffffff0, path: filepath.Join(t.TempDir(), "ingrain-pipe"), asker: asker}
	cmd := exec.Command(asker)
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	d.child = cmd.Process.Pid
	if err := unix.Kill(d.killed, unix.SIGWINCH); !errors.Is(err, unix.ESRCH) {
		t.Fatalf("kill: got %v, want %v", err, unix.ESRCH)
	}
	if err := unix.Mkfifo(d.path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := unix.Open(d.path, unix.O_WRONLY|unix.O_NONBLOCK, 0); !errors.Is(err, unix.ENXIO) {
		t.Fatalf("open a pipe without a reader: got %v, want %v", err, unix.ENXIO)
	}
	return d
}

// sight is a kind of probe point by one mechanism, and the row that it must
// make of the deeds.
type sight struct {
	kind      string
	grain     func() *runtime.Grain
	probe     string
	mechanism runtime.Mechanism
	event     string
	want      func(deeds) map[string]string // member: what it prints as
}

// child, killed and piped are what an event of points and functions says.
func child(d deeds) map[string]string { return map[string]string{"child": fmt.Sprint(d.child)} }

func killed(d deeds) map[string]string {
	return map[string]string{"target": fmt.Sprint(d.killed), "signal": "SIGWINCH"}
}

func killedInVain(d deeds) map[string]string {
	return map[string]string{"target": fmt.Sprint(d.killed), "signal": "SIGWINCH", "error": "ESRCH"}
}

func piped(d deeds) map[string]string { return map[string]string{"name": filepath.Base(d.path)} }

func pipedInVain(d deeds) map[string]string {
	return map[string]string{"name": filepath.Base(d.path), "error": "ENXIO"}
}

func inVain(deeds) map[string]string { return map[string]string{"error": "ENXIO"} }

func opened(d deeds) map[string]string {
	return map[string]string{"path": d.path, "dfd": fmt.Sprint(unix.AT_FDCWD), "flags": fmt.Sprint(unix.O_WRONLY | unix.O_NONBLOCK | unix.O_LARGEFILE)}
}

func asked(d deeds) map[string]string {
	return map[string]string{"name": "example.org", "service": "https", "who.pid": fmt.Sprint(d.child), "who.comm": filepath.Base(d.asker)}
}

func answered(d deeds) map[string]string {
	return map[string]string{"result": "-2", "who.pid": fmt.Sprint(d.child)}
}

var sights = []sight{
	{"tracepoint", points.New, "forked", runtime.TPBTF, "tracepoint", child},
	{"tracepoint", points.New, "forked", runtime.RawTP, "tracepoint", child},
	{"raw_tp", points.New, "forked_raw", runtime.RawTP, "raw_tp", child},
	{"tp_btf", points.New, "forked_btf", runtime.TPBTF, "tp_btf", child},
	{"syscall", points.New, "kill_called", runtime.TPBTF, "syscall", killed},
	{"syscall", points.New, "kill_called", runtime.RawTP, "syscall", killed},
	{"syscall", open.New, "opened", runtime.TPBTF, "open", opened},
	{"syscall", open.New, "opened", runtime.RawTP, "open", opened},
	{"syscall_return", points.New, "kill_done", runtime.TPBTF, "syscall_return", killedInVain},
	{"syscall_return", points.New, "kill_done", runtime.RawTP, "syscall_return", killedInVain},
	{"entry", functions.New, "entered", runtime.Fentry, "entry", piped},
	{"entry", functions.New, "entered", runtime.Kprobe, "entry", piped},
	{"return", functions.New, "left", runtime.Fexit, "returned", pipedInVain},
	{"return", functions.New, "left", runtime.Pair, "returned", pipedInVain},
	{"fentry", functions.New, "by_fentry", runtime.Fentry, "fentry", piped},
	{"fexit", functions.New, "by_fexit", runtime.Fexit, "fexit", pipedInVain},
	{"kprobe", functions.New, "by_kprobe", runtime.Kprobe, "kprobe", piped},
	{"kretprobe", functions.New, "by_kretprobe", runtime.Kretprobe, "kretprobe", inVain},
	{"uprobe", resolve.New, "asked", runtime.Uprobe, "ask", asked},
	{"uretprobe", resolve.New, "answered", runtime.Uretprobe, "answer", answered},
}

// transports are the two ways from the kernel to the agent.
var transports = []string{"ring", "perf"}

func TestEachKindOfPointDeliversByEachMechanismAndTransport(t *testing.T) {
	var mechanisms []runtime.Mechanism
	for _, s := range sights {
		if !slices.Contains(mechanisms, s.mechanism) {
			mechanisms = append(mechanisms, s.mechanism)
		}
	}
	program := asker(t)
	for _, m := range mechanisms {
		t.Run(string(m), func(t *testing.T) {
			var only []*runtime.Grain
			for _, g := range grainsOf(m, program) {
				only = append(only, by(m, g))
			}
			if lacking(t, m, only...) {
				return
			}
			for _, transport := range transports {
				t.Run(transport, func(t *testing.T) { deliver(t, m, program, transport) })
			}
		})
	}
}

// grainsOf are the grains with sights of a mechanism, with the probes that
// have it.
func grainsOf(m runtime.Mechanism, program string) []*runtime.Grain {
	probes, grains := map[string][]string{}, map[string]*runtime.Grain{}
	var names []string
	for _, s := range sights {
		if s.mechanism != m {
			continue
		}
		g := s.grain()
		if grains[g.Name] == nil {
			names = append(names, g.Name)
		}
		grains[g.Name], probes[g.Name] = g, append(probes[g.Name], s.probe)
	}
	var all []*runtime.Grain
	for _, name := range names {
		g := alone(grains[name], probes[name]...)
		if m == runtime.Uprobe || m == runtime.Uretprobe {
			g = at(program+":ask", g)
		}
		all = append(all, g)
	}
	return all
}

func deliver(t *testing.T, m runtime.Mechanism, program, transport string) {
	agent := start(t, runtime.Options{Transport: transport, Only: map[runtime.Mechanism]bool{m: true}}, grainsOf(m, program)...)
	for _, p := range agent.Plans {
		for _, row := range p.Placements {
			if row.Mechanism != m {
				t.Errorf("%s.%s runs by %q, want %s", row.Grain, row.Probe, row.Mechanism, m)
			}
		}
	}
	d := do(t, program)
	rows, _ := stop(t, agent)
	for _, s := range sights {
		if s.mechanism != m {
			continue
		}
		want := s.want(d)
		if want["who.pid"] == "" {
			want["who.pid"] = fmt.Sprint(os.Getpid())
		}
		if n := count(rows, s.event, want); n != 1 {
			t.Errorf("%s by %s: %d events %s are %v, want 1; there are %v", s.kind, m, n, s.event, want, ours(rows, s.event))
		}
	}
}

// count is how many rows of an event have these values.
func count(rows []runtimetest.Row, event string, want map[string]string) (n int) {
	for _, r := range rows {
		if r.Text("event") == event && has(r, want) {
			n++
		}
	}
	return n
}

func has(r runtimetest.Row, want map[string]string) bool {
	for path, value := range want {
		if fmt.Sprint(r.Get(path)) != value {
			return false
		}
	}
	return true
}

// ours are the rows of an event that this process caused, for messages.
func ours(rows []runtimetest.Row, event string) (found []runtimetest.Row) {
	for _, r := range rows {
		if r.Text("event") == event && (r.Int("who.pid") == int64(os.Getpid()) || r.Int("who.ppid") == int64(os.Getpid())) && len(found) < 20 {
			found = append(found, r)
		}
	}
	return found
}
