// SPDX-License-Identifier: Apache-2.0

package model

import (
	"strings"

	"github.com/redsift/ingraind/gen/internal/source"
	"github.com/redsift/ingraind/gen/internal/spec"
)

// context is a point whose programs have one argument, a struct of the
// kernel's interface for users (bpf/include/context.h). It is found by its
// type: what the parameter is called does not matter.
type context struct {
	argument   string
	verdict    string   // with it, what is observed goes on
	decide     string   // what a DECIDE may return there; "": nobody asks it
	mechanisms []string // runtime's constants, best first; one program serves them all
}

// yesOrNo is what verifiers let programs of cgroups return.
const yesOrNo = "verdict ? 1 : 0"

// contexts are the points of that sort, by kind or as they are written.
var contexts = map[string]context{
	"cgroup_skb":         {"struct __sk_buff *", "1", yesOrNo, []string{"Cgroup"}},
	"cgroup/connect4":    {"struct bpf_sock_addr *", "1", yesOrNo, []string{"Cgroup"}},
	"cgroup/connect6":    {"struct bpf_sock_addr *", "1", yesOrNo, []string{"Cgroup"}},
	"cgroup/sock_create": {"struct bpf_sock *", "1", yesOrNo, []string{"Cgroup"}},
	// 1 also where the verdict says whether the program has replied: with 0 the
	// replies of others would not count.
	"sockops":    {"struct bpf_sock_ops *", "1", "", []string{"Cgroup"}},
	"sk_lookup":  {"struct bpf_sk_lookup *", "SK_PASS", "verdict == SK_DROP ? SK_DROP : SK_PASS", []string{"SkLookup"}},
	"perf_event": {"struct bpf_perf_event_data *", "0", "", []string{"PerfEvent"}},
	"xdp":        {"struct xdp_md *", "XDP_PASS", "verdict", []string{"XDP"}},
	"tcx":        {"struct __sk_buff *", "TCX_NEXT", "verdict", []string{"TCX", "Clsact"}},
	// The socket is the agent's own, and nobody reads from it: what the program
	// let through would fill it, and then count as dropped.
	"socket": {"struct __sk_buff *", "0", "", []string{"Socket"}},
}

// context decides which programs serve a point of that sort.
func (b *binder) context(point *Point, at spec.Point, c *source.Probe) {
	kind, ok := contexts[at.Text]
	if !ok {
		kind = contexts[string(at.Kind)]
	}
	for i, p := range c.Params {
		if i > 0 || strings.TrimPrefix(p.Type, "const ") != kind.argument {
			b.mistake.Add(p.Pos, "PROBE %s at %s: there is no %s; the one argument there is %s", c.Name, at.Text, p.Name, kind.argument)
		}
	}
	point.Bind, point.Verdict, point.Decide = "", kind.verdict, kind.decide
	section := at.Text
	if at.Kind == spec.PerfEvent {
		section = "perf_event" // which event is not the program's business
	}
	program := Program{point.Stem + "_" + string(at.Kind), section, Context}
	for _, m := range kind.mechanisms {
		point.Ways = append(point.Ways, Way{m, at.Text, []Program{program}})
	}
}
