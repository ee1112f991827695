// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Programs that are started and processes that end.
#include "ingrain.h"
#include "path.h"

#define PF_FORKNOEXEC 0x40     /* include/linux/sched.h */
#define SIGNAL_GROUP_EXIT 0x4  /* include/linux/sched/signal.h */

struct _data_exec {
	struct who who;
	char parent_comm[16];
	text(4096) path;
	text(4096) exe;
	text(256) interp;
	words(16384) args;
};

struct _data_exit {
	struct who who;
	nsecs_t duration;
	int code;
	signal_t signal;
	bool core;
	bool execed;
};

#include "exec.grain.h"

PROBE(executed, struct task_struct *p, struct linux_binprm *bprm)
{
	struct _data_exec *v = new_exec();
	unsigned long start, end;
	const char *filename, *interp;
	struct mm_struct *mm;
	struct file *file;

	if (!v)
		return;
	str_kernel(v->parent_comm, BPF_CORE_READ(p, real_parent, comm));

	filename = BPF_CORE_READ(bprm, filename);
	text_kernel(v, path, filename);

	file = BPF_CORE_READ(bprm, file);
	text_path(v, exe, &file->f_path);

	interp = BPF_CORE_READ(bprm, interp);
	if (interp != filename)
		text_kernel(v, interp, interp);

	mm = BPF_CORE_READ(p, mm);
	start = BPF_CORE_READ(mm, arg_start);
	end = BPF_CORE_READ(mm, arg_end);
	words_user(v, args, start, end - start, PARAM_max_args);

	emit_exec(v);
}

/* leader is the task that wait(2) reports of; signal is shared by all threads. */
static __always_inline void ended(struct probe *probe, struct task_struct *p)
{
	struct task_struct *leader = BPF_CORE_READ(p, group_leader);
	struct signal_struct *signal = BPF_CORE_READ(p, signal);
	struct _data_exit *v = new_exit();
	int status;

	if (!v)
		return;
	status = BPF_CORE_READ(leader, exit_code);
	if (BPF_CORE_READ(signal, flags) & SIGNAL_GROUP_EXIT)
		status = BPF_CORE_READ(signal, group_exit_code);
	v->code = status >> 8 & 0xff;
	v->signal = status & 0x7f;
	v->core = status >> 7 & 1;
	v->execed = !(BPF_CORE_READ(leader, flags) & PF_FORKNOEXEC);
	v->duration = bpf_ktime_get_ns() - BPF_CORE_READ(leader, start_time);
	emit_exit(v);
}

PROBE(exited, struct task_struct *p, bool group_dead)
{
	if (group_dead)
		ended(probe, p);
}

/*
 * Before the tracepoint said group_dead, threads that end together may all
 * find nobody else alive. The first to note the process reports it; the note
 * goes when the leader is freed, which is after the last of them. Whoever
 * comes later may find itself the only thread that is left: the others are
 * gone while it waited for the memory's lock.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__type(key, struct signal_struct *);
	__type(value, __u8);
} reported SEC(".maps");

PROBE(exited_alone, struct task_struct *p)
{
	struct signal_struct *signal = BPF_CORE_READ(p, signal);
	__u8 one = 1;

	if (BPF_CORE_READ(signal, live.counter) != 0)
		return;
	/* An int: before 6.4 the upper half of the result is not part of it. */
	if ((int)bpf_map_update_elem(&reported, &signal, &one, BPF_NOEXIST) == -17 /* EEXIST */)
		return;
	ended(probe, p);
}

PROBE(released, struct task_struct *p)
{
	struct signal_struct *signal = BPF_CORE_READ(p, signal);

	if (BPF_CORE_READ(p, pid) == BPF_CORE_READ(p, tgid)) /* the leader */
		bpf_map_delete_elem(&reported, &signal);
}
