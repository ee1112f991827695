// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"strings"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
)

// cLine is a line of C.
type cLine uint32

func (s cLine) FileName() string   { return "bpf/net.bpf.c" }
func (s cLine) LineNumber() uint32 { return uint32(s) }
func (s cLine) String() string     { return "v->peer = *sk;" }

func TestARefusalNamesTheLineAndTheCause(t *testing.T) {
	program := &ebpf.ProgramSpec{Instructions: asm.Instructions{
		asm.LoadImm(asm.R1, 1<<40, asm.DWord).WithSource(cLine(40)), // as wide as two
		asm.LoadMem(asm.R2, asm.R1, 0, asm.DWord).WithSource(cLine(41)),
		asm.Mov.Imm(asm.R0, 0),
		asm.Return().WithSource(cLine(43)),
	}}
	for log, want := range map[string]string{
		"0: (18) r1 = 0x1;2: (79) r2 = *(u64 *)(r1 +0);R1 invalid mem access 'scalar';processed 2 insns (limit 1000000)": "bpf/net.bpf.c:41: R1 invalid mem access 'scalar' (a pointer into the kernel is read as",
		"0: R1=ctx() R10=fp0;; v = *sk; @ x.c:7;2: (79) r2 = *(u64 *)(r1 +0);R1 invalid mem access 'inv';":               "bpf/net.bpf.c:41: R1 invalid mem access 'inv' (a pointer",
		"2: (79) r2 = *(u64 *)(r0 +0);R0 invalid mem access 'map_value_or_null'":                                         "bpf/net.bpf.c:41: R0 invalid mem access 'map_value_or_null' (what new_X or a lookup returns may be NULL",
		"3: (b7) r0 = 0;4: (95) exit;something new":                                                                      "bpf/net.bpf.c:43: something new",
		"back-edge from insn 3 to 2":      "refuses it: back-edge from insn 3 to 2 (a loop needs",
		"99999999999999: (95) exit;never": "refuses it: never",
		"":                                "refuses it: ",
	} {
		got := refusal(strings.Split(log, ";"), program, "6.1.0")
		if !strings.HasPrefix(got, "the verifier of Linux 6.1.0 refuses it: ") || !strings.Contains(got, want) {
			t.Errorf("%s:\ngot  %s\nwant ...%s", log, got, want)
		}
	}
	if got := refusal([]string{"2: (79) r2 = 0", "no"}, nil, "6.1.0"); got != "the verifier of Linux 6.1.0 refuses it: no" {
		t.Errorf("without the program: got %s", got)
	}
}
