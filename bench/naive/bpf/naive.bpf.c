// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Files that programs open by name, as most would write it: the kernel's
// helpers, a struct of fixed size, a wakeup for each event.
#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

struct event {
	__u64 time; // ns, CLOCK_MONOTONIC
	__u64 cgroup;
	__u32 pid;
	__u32 tid;
	__u32 ppid; // 0 from opened
	__u32 uid;
	__s32 flags;
	__s32 dfd;
	__u8 comm[16];
	__u8 filename[256];
};

// The context of tracepoint/syscalls/sys_enter_openat (its format file in tracefs).
struct openat {
	__u64 common;
	__s64 nr;
	__s64 dfd;
	const char *filename;
	__s64 flags;
	__s64 mode;
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 << 20);
	__type(value, struct event);
} events SEC(".maps");

static __always_inline struct event *filled(struct openat *ctx)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct event *event;

	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event)
		return NULL;
	event->time = bpf_ktime_get_ns();
	event->cgroup = bpf_get_current_cgroup_id();
	event->pid = id >> 32;
	event->tid = id;
	event->ppid = 0;
	event->uid = bpf_get_current_uid_gid();
	event->flags = ctx->flags;
	event->dfd = ctx->dfd;
	bpf_get_current_comm(event->comm, sizeof(event->comm));
	bpf_probe_read_user_str(event->filename, sizeof(event->filename), ctx->filename);
	return event;
}

SEC("tracepoint/syscalls/sys_enter_openat")
int opened(struct openat *ctx)
{
	struct event *event = filled(ctx);

	if (event)
		bpf_ringbuf_submit(event, 0);
	return 0;
}

// The same with the parent's pid, for which it must know the kernel's types.
SEC("tracepoint/syscalls/sys_enter_openat")
int opened_parent(struct openat *ctx)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct event *event = filled(ctx);

	if (!event)
		return 0;
	event->ppid = BPF_CORE_READ(task, real_parent, tgid);
	bpf_ringbuf_submit(event, 0);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
