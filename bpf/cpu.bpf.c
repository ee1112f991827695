// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Time on CPUs, and time spent waiting for one.
#include "ingrain.h"

struct _data_slice {
	struct who who;
	nsecs_t ran;
	nsecs_t waited;
	__u32 turns;
	__u32 voluntary;
	__u32 involuntary;
};

struct _data_wait {
	struct who who;
	nsecs_t waited;
};

#include "cpu.grain.h"

/*
 * What the scheduler counts of a thread from its birth on, and shows in
 * /proc/PID/schedstat and to getrusage. All but ran change when the thread
 * gets a CPU or leaves it; ran also at each tick of the scheduler, some 4 ms.
 */
struct counters {
	__u64 ran;    /* ns */
	__u64 waited; /* ns */
	__u64 turns;  /* on a CPU */
	__u64 voluntary;
	__u64 involuntary;
};

/*
 * As far as they have been told. No clock is read, and what the kernel did not
 * run a probe for is told by the next. Of a thread for which there is no room
 * nothing is told.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32768);
	__type(key, const struct task_struct *);
	__type(value, struct counters);
} told SEC(".maps");

static __always_inline void read_task(struct counters *now, const struct task_struct *task)
{
	now->ran = BPF_CORE_READ(task, se.sum_exec_runtime);
	now->waited = BPF_CORE_READ(task, sched_info.run_delay);
	now->turns = BPF_CORE_READ(task, sched_info.pcount);
	now->voluntary = BPF_CORE_READ(task, nvcsw);
	now->involuntary = BPF_CORE_READ(task, nivcsw);
}

/* The same of the current task: by plain loads where the kernel has a pointer that the verifier knows. */
static __always_inline void read_current(struct counters *now)
{
	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_current_task_btf)) {
		struct task_struct *task = bpf_get_current_task_btf();

		now->ran = task->se.sum_exec_runtime;
		now->waited = task->sched_info.run_delay;
		now->turns = task->sched_info.pcount;
		now->voluntary = task->nvcsw;
		now->involuntary = task->nivcsw;
	} else {
		read_task(now, (struct task_struct *)bpf_get_current_task());
	}
}

/* Tells what the current task has run and waited since it was told last. On its CPU nothing comes between. */
static __always_inline void tell(struct probe *probe)
{
	const struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct counters now, *was;
	struct _data_slice *slice;
	struct _data_wait *wait;
	nsecs_t waited;
	__u32 turns;

	if (!(pid_t)bpf_get_current_pid_tgid()) /* an idle CPU */
		return;
	read_current(&now);
	was = bpf_map_lookup_elem(&told, &task);
	if (!was) { /* it is older than the agent, and was not found before it ran, or there is no room for it */
		if (bpf_map_update_elem(&told, &task, &now, BPF_NOEXIST))
			count_missed();
		return;
	}
	waited = now.waited - was->waited;
	turns = now.turns - was->turns;
	if (turns && (wait = new_wait())) {
		wait->waited = waited;
		emit_wait(wait);
	}
	slice = new_slice();
	if (!slice)
		return;
	slice->ran = now.ran - was->ran;
	slice->waited = waited;
	slice->turns = turns;
	slice->voluntary = now.voluntary - was->voluntary;
	slice->involuntary = now.involuntary - was->involuntary;
	*was = now;
	emit_slice(slice);
}

/* The current task is still the one that leaves the CPU, and interrupts are off. */
PROBE(switched)
{
	tell(probe);
}

/* One that has its CPU for itself is never switched. */
PROBE(ticked)
{
	tell(probe);
}

/* What it ran under its old name is counted under that. */
PROBE(renamed, const struct task_struct *task)
{
	if (task == (struct task_struct *)bpf_get_current_task())
		tell(probe);
}

/* A new thread has not run yet: all that it will is to be told. */
PROBE(born, const struct task_struct *p)
{
	struct counters none = {};

	bpf_map_update_elem(&told, &p, &none, BPF_ANY);
}

/* No CPU will run it again. */
PROBE(freed, const struct task_struct *p)
{
	bpf_map_delete_elem(&told, &p);
}

/* Threads that are older than the agent. */
PROBE(found, const struct task_struct *task)
{
	struct counters now;

	read_task(&now, task);
	bpf_map_update_elem(&told, &task, &now, BPF_NOEXIST);
}
