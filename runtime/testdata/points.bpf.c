// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// A grain in the shape of generated ones: a program for each mechanism, which says what it saw.
#include "ingrain.h"

#define INGRAIN_EVENTS 2
#define INGRAIN_PROBES 5
#define INGRAIN_TAIL_ROOM 0
#define INGRAIN_SLOT_BODY 64
#ifndef INGRAIN_SLOTS
#define INGRAIN_SLOTS 4
#endif
#include "grain.h"

const volatile __u64 ingrain_param_tag = 7;

struct seen {
	__u64 tag;
	__u64 arg;
	__s64 ret;
	__u32 pid;
	__u32 way;
};

static __always_inline int say(void *ctx, __u32 event, __u32 way, __u64 arg, __s64 ret)
{
	struct ingrain_counts *counts = ingrain_counts(event);
	struct ingrain_slot *slot;
	struct seen *v;

	if (!counts || !(slot = ingrain_take_slot(event)))
		return 0;
	v = (struct seen *)(slot + 1);
	v->tag = ingrain_param_tag;
	v->arg = arg;
	v->ret = ret;
	v->pid = bpf_get_current_pid_tgid() >> 32;
	v->way = way;
	INGRAIN_COUNT(counts->seen);
	ingrain_head(&slot->head, event, 1);
	ingrain_send(ctx, &slot->head, sizeof(slot->head) + sizeof(*v), counts);
	ingrain_give_slot(slot);
	return 0;
}

/* started(p, bprm): tracepoint/sched/sched_process_exec; tells whether p is the current task */
const volatile struct ingrain_at started_at;

static __always_inline __u64 pid_of(__u64 task)
{
	return BPF_CORE_READ((struct task_struct *)task, tgid);
}

SEC("tp_btf/sched_process_exec")
int started_tp_btf(void *ctx)
{
	return say(ctx, 0, 1, pid_of(ingrain_raw_arg(ctx, started_at.arg[0])), ingrain_raw_arg(ctx, started_at.arg[1]) != 0);
}

SEC("raw_tp/sched_process_exec")
int started_raw_tp(void *ctx)
{
	return say(ctx, 0, 2, pid_of(ingrain_raw_arg(ctx, started_at.arg[0])), ingrain_raw_arg(ctx, started_at.arg[1]) != 0);
}

/* opened(dfd, ret): return/do_sys_openat2 */
const volatile struct ingrain_at opened_at;

SEC("fexit/do_sys_openat2")
int opened_fexit(void *ctx)
{
	return say(ctx, 1, 3, (int)ingrain_raw_arg(ctx, opened_at.arg[0]),
		   ingrain_widen(ingrain_raw_arg(ctx, opened_at.result), opened_at.bits, opened_at.is_signed));
}

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, __u64);
} opened_calls SEC(".maps");

SEC("kprobe/do_sys_openat2")
int opened_enter(void *ctx)
{
	__u64 frame = ingrain_frame(ctx, false), dfd = ingrain_regs_arg(ctx, opened_at.arg[0]);

	bpf_map_update_elem(&opened_calls, &frame, &dfd, BPF_ANY);
	return 0;
}

SEC("kretprobe/do_sys_openat2")
int opened_leave(void *ctx)
{
	__u64 frame = ingrain_frame(ctx, true), *dfd = bpf_map_lookup_elem(&opened_calls, &frame), kept;

	if (!dfd) {
		ingrain_unpaired(1);
		return 0;
	}
	kept = *dfd;
	bpf_map_delete_elem(&opened_calls, &frame);
	return say(ctx, 1, 4, (int)kept, ingrain_widen(ingrain_regs_result(ctx), opened_at.bits, opened_at.is_signed));
}

/* opening(dfd): entry/do_sys_openat2 */
const volatile struct ingrain_at opening_at;

SEC("fentry/do_sys_openat2")
int opening_fentry(void *ctx)
{
	return say(ctx, 1, 5, (int)ingrain_raw_arg(ctx, opening_at.arg[0]), 0);
}

SEC("kprobe/do_sys_openat2")
int opening_kprobe(void *ctx)
{
	return say(ctx, 1, 6, (int)ingrain_regs_arg(ctx, opening_at.arg[0]), 0);
}

/* asked: uprobe, uretprobe of a user program */
SEC("uprobe")
int asked_uprobe(void *ctx)
{
	return say(ctx, 0, 7, ingrain_regs_arg(ctx, 0), 0);
}

/* wrong: refused by every verifier */
SEC("tp_btf/sched_process_exec")
int wrong_tp_btf(void *ctx)
{
	return ingrain_word(ctx, 8000) & 1;
}
