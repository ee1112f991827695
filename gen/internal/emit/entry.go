// SPDX-License-Identifier: Apache-2.0

package emit

import (
	"fmt"
	"strings"

	"github.com/redsift/ingraind/gen/internal/model"
)

// probe declares a probe's body and defines an entry point for each program
// that can serve one of its points.
func (h *header) probe(g *model.Grain, p model.Probe) {
	var params strings.Builder
	for _, a := range p.Params {
		fmt.Fprintf(&params, ", %s", declare(a.Type, a.Name))
	}
	returns := "void"
	if p.Decides {
		returns = "int"
	}
	h.line("\nstatic __always_inline %s ingrain_probe_%s(struct probe *probe%s);", returns, p.Name, params.String())
	for _, at := range p.Points {
		h.line("\n/* %s: %s */", p.Name, at.At)
		switch {
		case static(at):
			h.line("/* Where arguments are (usdt.h). They have no names there: arg1 is the first. */")
			h.line("const volatile struct ingrain_place %s[%d] = {};", at.Bind, len(p.Params))
		case at.Bind != "":
			h.line("const volatile struct ingrain_at %s = {};", at.Bind)
		}
		if at.Syscall != nil {
			h.syscallNumbers(at)
		}
		done := map[string]bool{}
		for _, w := range at.Ways {
			if w.Mechanism == "Pair" {
				h.pair(p, at, w)
				continue
			}
			for _, program := range w.Programs {
				if !done[program.Name] { // else another way has it too
					h.program(p, at, program)
				}
				done[program.Name] = true
			}
		}
	}
}

func declare(ctype, name string) string {
	if strings.HasSuffix(ctype, "*") {
		return ctype + name
	}
	return ctype + " " + name
}

func (h *header) syscallNumbers(at model.Point) {
	for i, target := range at.Syscall.Targets {
		if i == 0 {
			h.line("#if defined(__TARGET_ARCH_%s)", target.Arch)
		} else {
			h.line("#elif defined(__TARGET_ARCH_%s)", target.Arch)
		}
		stem, args := at.Stem, ""
		for i, n := range target.Args {
			args += fmt.Sprintf(", %s_arg%d = %d", stem, i, n)
		}
		h.line("enum { %[1]s_nr = %[2]d, %[1]s_compat = %[3]d%[4]s };", stem, target.Number, target.Compat, args)
	}
	h.line("#endif")
}

// program is one entry point:
//
//	SEC("tp_btf/sched_process_exec")
//	int executed_tp_btf(void *ctx)
//	{
//		INGRAIN_BEGIN(0)
//		ingrain_probe_executed(&probe,
//			(struct task_struct *)ingrain_raw_arg(ctx, executed_at.arg[0]),
//			(struct linux_binprm *)ingrain_raw_arg(ctx, executed_at.arg[1]));
//		INGRAIN_END
//		return 0;
//	}
func (h *header) program(p model.Probe, at model.Point, program model.Program) {
	h.line("\nSEC(\"%s\")\nint %s(void *ctx)\n{", program.Section, program.Name)
	if at.Syscall != nil {
		h.line("\tconst struct pt_regs *regs = ingrain_syscall(ctx, %t, %s_nr, %s_compat, %d);\n", at.Returns, at.Stem, at.Stem, p.Index)
		h.line("\tif (!regs)\n\t\treturn %s;", at.Verdict)
	}
	switch {
	case program.Style == model.Visit:
		h.objects(p, at)
	case program.Style == model.Places && static(at):
		h.places(p, at)
	}
	h.line("\tINGRAIN_BEGIN(%d)", p.Index)
	h.call(p, func(i int) string { return argument(at, program.Style, i, p.Params[i].Name) })
	h.line("\tINGRAIN_END\n\treturn %s;\n}", verdict(p, at))
}

func verdict(p model.Probe, at model.Point) string {
	if p.Decides {
		return at.Decide
	}
	return at.Verdict
}

// objects takes an iterator's arguments. The last run is for the end: it has
// no object.
func (h *header) objects(p model.Probe, at model.Point) {
	var pointers []string
	for i, a := range p.Params {
		h.line("\t__u64 arg_%s = ingrain_raw_arg(ctx, %s.arg[%d]);", a.Name, at.Bind, i)
		if strings.HasSuffix(a.Type, "*") {
			pointers = append(pointers, "!arg_"+a.Name)
		}
	}
	h.line("\n\tif (%s)\n\t\treturn %s;", strings.Join(pointers, " || "), at.Verdict)
}

// places reads arguments. Memory of a program may not be there: then the body
// does not run, and that is counted.
func (h *header) places(p model.Probe, at model.Point) {
	h.line("\t__u64 arg[%d];\n", len(p.Params))
	h.line("\tif (ingrain_read_places(ctx, %s, arg, %d)) {\n\t\tingrain_unpaired(%d);\n\t\treturn %s;\n\t}", at.Bind, len(p.Params), p.Index, at.Verdict)
}

// call runs the probe's body with each parameter from value.
func (h *header) call(p model.Probe, value func(i int) string) {
	var args strings.Builder
	for i, a := range p.Params {
		fmt.Fprintf(&args, ",\n\t\t(%s)%s", a.Type, value(i))
	}
	result := ""
	if p.Decides {
		result = "const int verdict = "
	}
	h.line("\t%singrain_probe_%s(&probe%s);", result, p.Name, args.String())
}

// argument is the C expression for parameter i.
func argument(at model.Point, style model.Style, i int, name string) string {
	isResult := at.Returns && name == "ret"
	switch style {
	case model.Words, model.WordsRet:
		if isResult {
			return fmt.Sprintf("ingrain_widen(ingrain_raw_arg(ctx, %[1]s.result), %[1]s.bits, %[1]s.is_signed)", at.Bind)
		}
		return fmt.Sprintf("ingrain_raw_arg(ctx, %s.arg[%d])", at.Bind, i)
	case model.Regs:
		return fmt.Sprintf("ingrain_regs_arg(ctx, %s.arg[%d])", at.Bind, i)
	case model.Visit:
		return "arg_" + name
	case model.Context:
		return "ctx"
	case model.Places:
		return fmt.Sprintf("arg[%d]", i)
	case model.RegsInTurn:
		return fmt.Sprintf("ingrain_regs_arg(ctx, %d)", i)
	case model.RegsRet:
		if at.Bind == "" {
			return "ingrain_regs_result(ctx)"
		}
		return fmt.Sprintf("ingrain_widen(ingrain_regs_result(ctx), %[1]s.bits, %[1]s.is_signed)", at.Bind)
	case model.SyscallIn, model.SyscallOut:
		if isResult {
			return "ingrain_word(ctx, 8)"
		}
		return fmt.Sprintf("ingrain_syscall_arg(regs, %s_arg%d)", at.Stem, i)
	}
	return "0"
}

// pair is a return probe where there are no trampolines: a kprobe keeps the
// arguments under the call's frame, the kretprobe takes them.
func (h *header) pair(p model.Probe, at model.Point, w model.Way) {
	entry, exit := w.Programs[0], w.Programs[1]
	calls := at.Stem + "_calls"
	kept := 0
	for _, a := range p.Params {
		if a.Name != "ret" {
			kept++
		}
	}
	h.line("\nstruct %s {\n\t__u64 arg[%d];\n};\n", calls, max(kept, 1))
	h.line(`struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64); /* the call's frame */
	__type(value, struct %[1]s);
} %[1]s SEC(".maps");
`, calls)
	h.line("SEC(\"%s\")\nint %s(void *ctx)\n{", entry.Section, entry.Name)
	h.line("\t__u64 frame = ingrain_frame(ctx, false);\n\tstruct %s call = {};\n", calls)
	n := 0
	slot := make([]int, len(p.Params))
	for i, a := range p.Params {
		if a.Name == "ret" {
			continue
		}
		slot[i] = n
		h.line("\tcall.arg[%d] = ingrain_regs_arg(ctx, %s.arg[%d]);", n, at.Bind, i)
		n++
	}
	h.line("\tif (bpf_map_update_elem(&%s, &frame, &call, BPF_ANY))\n\t\tingrain_unpaired(%d);\n\treturn 0;\n}\n", calls, p.Index)

	h.line("SEC(\"%s\")\nint %s(void *ctx)\n{", exit.Section, exit.Name)
	h.line(`	__u64 frame = ingrain_frame(ctx, true);
	struct %[1]s *kept = bpf_map_lookup_elem(&%[1]s, &frame);
	struct %[1]s call;

	if (!kept) {
		ingrain_unpaired(%[2]d);
		return 0;
	}
	call = *kept;
	bpf_map_delete_elem(&%[1]s, &frame);
	INGRAIN_BEGIN(%[2]d)`, calls, p.Index)
	h.call(p, func(i int) string {
		if p.Params[i].Name == "ret" {
			return argument(at, model.RegsRet, i, "ret")
		}
		return fmt.Sprintf("call.arg[%d]", slot[i])
	})
	h.line("\tINGRAIN_END\n\treturn 0;\n}")
}
