// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/ringbuf"
)

// compilePoints compiles testdata/points.bpf.c. Where there is no compiler,
// in a virtual machine, INGRAIN_TEST_POINTS names the object.
func compilePoints(t *testing.T) []byte {
	t.Helper()
	file := os.Getenv("INGRAIN_TEST_POINTS")
	if file == "" {
		file = filepath.Join(t.TempDir(), "points.o")
		arch := map[string]string{"amd64": "x86", "arm64": "arm64"}[goruntime.GOARCH]
		out, err := exec.Command("clang-19", "-O2", "-g", "-target", "bpf", "-mcpu=v3", "-Wall", "-Werror", "-D__TARGET_ARCH_"+arch,
			"-I../bpf/include", "-c", "testdata/points.bpf.c", "-o", file).CombinedOutput()
		if err != nil {
			t.Fatalf("this test needs clang-19 (apt-get install clang-19), or INGRAIN_TEST_POINTS: %v\n%s", err, out)
		}
	}
	object, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return object
}

// points is a grain with the given probes.
func points(t *testing.T, probes ...Probe) *Grain {
	t.Helper()
	object := compilePoints(t)
	return &Grain{
		Name:   "points",
		Params: []Param{{Name: "tag", Type: Integer, Default: 7, Min: 1, Max: 99}},
		Events: []Event{{Name: "started"}, {Name: "opened"}},
		Probes: probes,
		Load: func() (*ebpf.CollectionSpec, error) {
			return ebpf.LoadCollectionSpecFromReader(bytes.NewReader(object))
		},
	}
}

func started() Probe {
	return Probe{Name: "started", Args: []string{"p", "bprm"}, Points: []Point{{
		At: "tracepoint/sched/sched_process_exec", Bind: "started_at",
		Ways: []Way{
			{TPBTF, "sched_process_exec", []string{"started_tp_btf"}},
			{RawTP, "sched_process_exec", []string{"started_raw_tp"}},
		},
	}}}
}

func opened() Probe {
	return Probe{Name: "opened", Args: []string{"dfd", "ret"}, Points: []Point{{
		At: "return/do_sys_openat2", Bind: "opened_at", Returns: true,
		Ways: []Way{
			{Fexit, "do_sys_openat2", []string{"opened_fexit"}},
			{Pair, "do_sys_openat2", []string{"opened_enter", "opened_leave"}},
		},
	}}}
}

func opening() Probe {
	return Probe{Name: "opening", Args: []string{"dfd"}, Points: []Point{{
		At: "entry/do_sys_openat2", Bind: "opening_at",
		Ways: []Way{
			{Fentry, "do_sys_openat2", []string{"opening_fentry"}},
			{Kprobe, "do_sys_openat2", []string{"opening_kprobe"}},
		},
	}}}
}

// wrong does not load.
func wrong(unless string) Probe {
	return Probe{Name: "wrong", Unless: strings.Fields(unless), Points: []Point{{
		At:   "tracepoint/sched/sched_process_exec",
		Ways: []Way{{TPBTF, "sched_process_exec", []string{"wrong_tp_btf"}}},
	}}}
}

// asked runs at a function of the C library that ls calls.
func asked(m Mechanism) Probe {
	return Probe{Name: "asked", Points: []Point{{
		At: "uprobe/libc.so.6:setlocale", Find: FindFunctions, Ways: []Way{{m, "libc.so.6:setlocale", []string{"asked_uprobe"}}},
	}}}
}

func kernel(t *testing.T) *Kernel {
	t.Helper()
	if os.Getuid() != 0 {
		t.Fatal("this test loads eBPF programs: run it as root")
	}
	k, err := RunningKernel("")
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func share(t *testing.T, k *Kernel, o SharedOptions) *Shared {
	t.Helper()
	o.Rings = max(o.Rings, 1) // what is awaited in the first is in no other
	s, err := k.Share(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// start loads and attaches g until the test ends.
func start(t *testing.T, k *Kernel, g *Grain, s *Shared, o PlanOptions) *Loaded {
	t.Helper()
	l, err := k.Plan(g, o).Load(s, LoadOptions{Number: 3, Params: map[string]int64{"tag": 42}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	if err := l.Attach(); err != nil {
		t.Fatal(err)
	}
	return l
}

// seen is struct seen of testdata/points.bpf.c, behind its head.
type seen struct {
	Time     uint64
	Weight   uint32
	Grain    uint16
	Event    uint16
	Tag, Arg uint64
	Ret      int64
	PID, Way uint32
}

// await reads records until one is wanted.
func await(t *testing.T, ring *ebpf.Map, wanted func(seen) bool) seen {
	t.Helper()
	r, err := ringbuf.NewReader(ring)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); {
		r.SetDeadline(time.Now().Add(50 * time.Millisecond))
		record, err := r.Read()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		var s seen
		if err := binary.Read(bytes.NewReader(record.RawSample), binary.NativeEndian, &s); err != nil {
			t.Fatalf("a record of %d bytes: %v", len(record.RawSample), err)
		}
		if wanted(s) {
			return s
		}
	}
	t.Fatal("no such record within 10 s")
	return seen{}
}

// child starts this test's binary, which the tracepoint sees, and returns its pid.
func child(t *testing.T) uint32 {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "-test.run=^$")
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	return uint32(cmd.Process.Pid)
}
