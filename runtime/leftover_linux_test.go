// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
)

func TestNothingIsLeftAfterClose(t *testing.T) {
	k := kernel(t)
	g := points(t, started(), asked(Uprobe), wrong("started"))
	before := held(t)
	s, err := k.Share(SharedOptions{Rings: 2})
	if err != nil {
		t.Fatal(err)
	}
	l, err := k.Plan(g, PlanOptions{}).Load(s, LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Attach(); err != nil {
		t.Fatal(err)
	}
	during := held(t)
	kinds := map[string]int{}
	for object := range during {
		if !before[object] {
			kind, _, _ := strings.Cut(object, " ")
			kinds[kind]++
		}
	}
	// Links: a tracepoint's and a uprobe's. Maps: rings and their array, the
	// perf array, the word, and of the grain .rodata, slots and two books.
	// Before 5.15 a uprobe's is none.
	if kinds["link_id"] < 1 || kinds["prog_id"] != 2 || kinds["map_id"] < 9 {
		t.Errorf("it holds %v", kinds)
	}
	if err := errors.Join(l.Close(), l.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	for object := range held(t) {
		if !before[object] {
			t.Errorf("still held: %s", object)
		}
	}
	for object := range during {
		if before[object] {
			continue
		}
		for end := time.Now().Add(5 * time.Second); inKernel(t, object); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(end) {
				t.Errorf("still in the kernel: %s", object)
				break
			}
		}
	}
}

// held are the eBPF objects that this process has files of: "map_id 17".
func held(t *testing.T) map[string]bool {
	t.Helper()
	files, err := os.ReadDir("/proc/self/fdinfo")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]bool{}
	for _, f := range files {
		text, err := os.ReadFile("/proc/self/fdinfo/" + f.Name())
		if err != nil {
			continue // it was the folder's own
		}
		for line := range strings.Lines(string(text)) {
			kind, id, _ := strings.Cut(line, ":")
			switch kind {
			case "map_id", "prog_id", "link_id":
				all[kind+" "+strings.TrimSpace(id)] = true
			}
		}
	}
	return all
}

// inKernel reports whether the kernel has an object.
func inKernel(t *testing.T, object string) bool {
	t.Helper()
	kind, number, _ := strings.Cut(object, " ")
	id, err := strconv.ParseUint(number, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	switch kind {
	case "map_id":
		m, err := ebpf.NewMapFromID(ebpf.MapID(id))
		return err == nil && m.Close() == nil
	case "prog_id":
		p, err := ebpf.NewProgramFromID(ebpf.ProgramID(id))
		return err == nil && p.Close() == nil
	}
	l, err := link.NewFromID(link.ID(id))
	return err == nil && l.Close() == nil
}
