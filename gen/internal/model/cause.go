// SPDX-License-Identifier: Apache-2.0

package model

import (
	"slices"
	"strings"

	"github.com/redsift/ingraind/gen/internal/source"
	"github.com/redsift/ingraind/gen/internal/spec"
)

// strangers are the categories of tracepoints that run in an interrupt, or in
// a system call of somebody else: over loopback the sender's call handles the
// receiver's sockets. The current task there is whoever happened to run. Behind
// each are the beginnings of its tracepoints' names, for points that have no
// category (include/trace/events/*.h).
var strangers = map[string][]string{
	"irq":   {"irq_handler_", "softirq_", "tasklet_"},
	"napi":  {"napi_", "dql_stall_"},
	"net":   {"net_dev_", "netif_"},
	"qdisc": {"qdisc_"},
	"skb":   {"consume_skb", "kfree_skb", "skb_"},
	"sock":  {"inet_sock_set_state"}, // of this category the only one
	"tcp":   {"tcp_"},
	"timer": {"timer_", "hrtimer_", "itimer_expire", "tick_stop"},
	"xdp":   {"xdp_", "mem_connect", "mem_disconnect"},
}

// callers are tracepoints of those categories that run in the call which they
// are about: a program reads from its socket. What the kernel reads for itself,
// as kTLS does when a segment comes, is there too, and for a probe to leave out.
var callers = []string{"tcp_rcv_space_adjust"}

// strangeHooks are the hooks of security modules that run when a packet comes
// (include/linux/lsm_hook_defs.h).
var strangeHooks = []string{
	"socket_sock_rcv_skb", "inet_conn_request", "inet_csk_clone", "inet_conn_established", "sctp_assoc_request", "sctp_sk_clone",
}

// stranger reports whether the current task at a point is not the cause of
// what happens there.
func stranger(at spec.Point) bool {
	if slices.Contains(callers, at.Target) {
		return false
	}
	switch at.Kind {
	case spec.Tracepoint:
		if at.Category == "sock" {
			return slices.Contains(strangers["sock"], at.Target)
		}
		_, ok := strangers[at.Category]
		return ok
	case spec.CgroupSKB, spec.XDP, spec.TCX, spec.Socket, spec.Sockops, spec.SkLookup, spec.Iter:
		return true
	case spec.LSM:
		return slices.Contains(strangeHooks, at.Target)
	case spec.RawTP, spec.TPBTF:
		for _, names := range strangers {
			if slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(at.Target, name) }) {
				return true
			}
		}
	}
	return false
}

// causes refuses a struct who in an event that is made where the current task
// did not cause it.
func (b *binder) causes() {
	for _, p := range b.spec.Probes {
		c := b.source.Probe(p.Name.Text)
		if c == nil {
			continue
		}
		made := b.made(c.Calls)
		for _, at := range p.Points {
			if !stranger(at) {
				continue
			}
			for _, e := range b.grain.Events {
				if len(e.Who.All) > 0 && made[e.Name] {
					b.mistake.Add(b.whoPos(e), "struct who is the current task, and PROBE %s makes event %s at %s, where that is whoever happened to run; keep a struct owner from where the cause was running, with fill_owner", p.Name.Text, e.Name, at.Text)
				}
			}
		}
	}
}

// made are the events that calls, and the functions of the file that they
// reach, make.
func (b *binder) made(calls []source.Call) map[string]bool {
	made, been := map[string]bool{}, map[string]bool{}
	var follow func(calls []source.Call)
	follow = func(calls []source.Call) {
		for _, c := range calls {
			if been[c.Name] {
				continue
			}
			been[c.Name] = true
			if name, ok := strings.CutPrefix(c.Name, "new_"); ok {
				made[name] = true
			}
			if f := b.source.Func(c.Name); f != nil {
				follow(f.Calls)
			}
		}
	}
	follow(calls)
	return made
}
