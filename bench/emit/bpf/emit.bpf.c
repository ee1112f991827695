// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Sends an event of 64 bytes each time a test run runs it, as generated code
// does whose event lives on the stack.
#include "ingrain.h"

#define INGRAIN_EVENTS 1
#define INGRAIN_PROBES 1
#include "grain.h"

struct __sk_buff;

struct event {
	struct ingrain_record head;
	struct who who;
	__u64 value;
};

static __always_inline int send(struct ingrain_counts *counts)
{
	struct event *event = ingrain_reserve(sizeof(*event), counts);

	if (!event)
		return 0;
	ingrain_head(&event->head, 0, 1);
	ingrain_fill_who(&event->who, INGRAIN_WHO_ALL);
	event->value = counts->seen;
	bpf_ringbuf_submit(event, ingrain_wakeup());
	return 0;
}

SEC("socket")
int emit(struct __sk_buff *skb)
{
	struct ingrain_counts *counts = ingrain_counts(0);

	if (!counts)
		return 0;
	INGRAIN_COUNT(counts->seen);
	return send(counts);
}

// What the event costs without what it is filled with: the transport alone.
SEC("socket")
int bare(struct __sk_buff *skb)
{
	struct ingrain_counts *counts = ingrain_counts(0);
	struct event *event;

	if (!counts)
		return 0;
	INGRAIN_COUNT(counts->seen);
	event = ingrain_reserve(sizeof(*event), counts);
	if (!event)
		return 0;
	event->value = counts->seen;
	bpf_ringbuf_submit(event, ingrain_wakeup());
	return 0;
}

// An event that a condition does not want, told before anything is filled in.
SEC("socket")
int reject(struct __sk_buff *skb)
{
	struct ingrain_counts *counts = ingrain_counts(0);

	if (!counts)
		return 0;
	INGRAIN_COUNT(counts->seen);
	if (counts->seen) {
		INGRAIN_COUNT(counts->rejected);
		return 0;
	}
	return send(counts);
}

// The same event as most would write it: helpers fill it in, one after the
// other, into a ring that all CPUs share.
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} naive_ring SEC(".maps");

SEC("socket")
int naive(struct __sk_buff *skb)
{
	struct event *event = bpf_ringbuf_reserve(&naive_ring, sizeof(*event), 0);
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	__u64 pid = bpf_get_current_pid_tgid();

	if (!event)
		return 0;
	event->head.time = bpf_ktime_get_ns();
	event->who.cgroup = bpf_get_current_cgroup_id();
	bpf_get_current_comm(event->who.comm, sizeof(event->who.comm));
	event->who.pid = pid >> 32;
	event->who.tid = pid;
	event->who.ppid = BPF_CORE_READ(task, real_parent, tgid);
	event->who.uid = bpf_get_current_uid_gid();
	event->value = 1;
	bpf_ringbuf_submit(event, 0);
	return 0;
}

// The same as most would send it, waking whoever waits.
SEC("socket")
int adaptive(struct __sk_buff *skb)
{
	struct ingrain_counts *counts = ingrain_counts(0);
	struct event *event;

	if (!counts)
		return 0;
	event = ingrain_reserve(sizeof(*event), counts);
	if (!event)
		return 0;
	event->value = counts->emitted;
	bpf_ringbuf_submit(event, 0);
	return 0;
}

// What a test run costs without a program.
SEC("socket")
int nothing(struct __sk_buff *skb)
{
	return 0;
}
