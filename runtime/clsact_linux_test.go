// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"os"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"golang.org/x/sys/unix"
)

const loopback = 1 // its index, in each network namespace

func TestFiltersOfAKilledAgentAreSwept(t *testing.T) {
	if os.Getuid() != 0 {
		t.Fatal("this test loads eBPF programs: run it as root")
	}
	program, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Type: ebpf.SchedCLS, License: "Dual BSD/GPL",
		Instructions: asm.Instructions{asm.Mov.Imm(asm.R0, -1), asm.Return()},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close()
	before := qdiscs(t)
	for _, egress := range []bool{false, true} {
		if _, err := attachClsact(program, loopback, egress); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := sweepFilters(func(pid int) bool { return false }); n != 0 || err != nil {
		t.Errorf("got %d filters of live agents swept, %v, want none", n, err)
	}
	// As if this process had been killed.
	if n, err := sweepFilters(func(pid int) bool { return pid == os.Getpid() }); n != 2 || err != nil {
		t.Errorf("got %d filters swept, %v, want 2", n, err)
	}
	for _, parent := range []uint32{ingressParent, egressParent} {
		if left, err := filters(loopback, parent); before == 0 && err == nil && len(left) > 0 {
			t.Errorf("got filters %+v, want none left", left)
		}
	}
	if after := qdiscs(t); after != before {
		t.Errorf("got %d clsact qdiscs, want %d as before", after, before)
	}
}

// qdiscs is how many clsact qdiscs there are.
func qdiscs(t *testing.T) (n int) {
	t.Helper()
	all, err := (&tcMessage{family: unix.RTM_GETQDISC, flags: unix.NLM_F_DUMP}).send()
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range all {
		if q.parent == clsactParent {
			n++
		}
	}
	return n
}
