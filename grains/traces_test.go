// SPDX-License-Identifier: Apache-2.0

package grains

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
)

func TestNothingOfTheAgentStaysInTheKernel(t *testing.T) {
	for _, test := range []struct {
		name   string
		signal syscall.Signal
		code   int
		args   []string
	}{
		{"ended", syscall.SIGTERM, 0, nil},
		{"killed", syscall.SIGKILL, -1, nil},
		{"killed with the perf buffer", syscall.SIGKILL, -1, []string{"-transport", "perf"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := watch(t, io.Discard, append([]string{"-o", "json"}, test.args...)...)
			objects := held(t, w.Process.Pid)
			kinds := map[string]int{}
			for _, o := range objects {
				if !o.exists(t) {
					t.Errorf("%v is not found while the agent runs", o)
				}
				kinds[o.kind]++
			}
			if kinds["prog_id"] < 2 || kinds["link_id"] < 2 || kinds["map_id"] < 4 {
				t.Errorf("the agent holds %v, want programs, links and maps", kinds)
			}
			w.Signal(t, test.signal)
			if code := w.Code(t, 5*time.Second); code != test.code {
				t.Errorf("got exit code %d, want %d", code, test.code)
			}
			for _, o := range objects {
				for end := time.Now().Add(5 * time.Second); o.exists(t); time.Sleep(10 * time.Millisecond) {
					if time.Now().After(end) {
						t.Errorf("%v is still in the kernel", o)
						break
					}
				}
			}
			checkNoTrace(t, w.Process.Pid)
		})
	}
}

// object is something of eBPF in the kernel.
type object struct {
	kind string // "map_id", "prog_id", "link_id"
	id   uint32
}

func (o object) String() string { return fmt.Sprint(o.kind, " ", o.id) }

// held are the objects that a process has files of (Documentation/filesystems/proc.rst).
func held(t *testing.T, pid int) (objects []object) {
	t.Helper()
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/fdinfo/*", pid))
	must(t, err)
	seen := map[object]bool{}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			continue // closed meanwhile
		}
		for line := range strings.Lines(string(text)) {
			kind, number, _ := strings.Cut(strings.TrimSpace(line), ":")
			id, err := strconv.ParseUint(strings.TrimSpace(number), 10, 32)
			o := object{kind, uint32(id)}
			if err == nil && (kind == "map_id" || kind == "prog_id" || kind == "link_id") && !seen[o] {
				seen[o] = true
				objects = append(objects, o)
			}
		}
	}
	return objects
}

// exists reports whether the kernel has the object.
func (o object) exists(t *testing.T) bool {
	t.Helper()
	var found io.Closer
	var err error
	switch o.kind {
	case "map_id":
		found, err = ebpf.NewMapFromID(ebpf.MapID(o.id))
	case "prog_id":
		found, err = ebpf.NewProgramFromID(ebpf.ProgramID(o.id))
	case "link_id":
		found, err = link.NewFromID(link.ID(o.id))
	}
	if err != nil {
		return false
	}
	must(t, found.Close())
	return true
}

// checkNoTrace looks for events that a process left in tracefs.
func checkNoTrace(t *testing.T, pid int) {
	t.Helper()
	for _, name := range []string{"kprobe_events", "uprobe_events"} {
		text, err := os.ReadFile("/sys/kernel/tracing/" + name)
		if os.IsNotExist(err) {
			continue // not mounted, or no such probes
		}
		must(t, err)
		if strings.Contains(string(text), fmt.Sprintf("ingraind_%d_", pid)) {
			t.Errorf("%s still has\n%s", name, text)
		}
	}
}
