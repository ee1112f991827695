// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The points of the kernel that have names of their own, an event for each kind.
#include "ingrain.h"

struct _data_tracepoint {
	struct who who;
	pid_t child;
};

struct _data_raw_tp {
	struct who who;
	pid_t child;
};

struct _data_tp_btf {
	struct who who;
	pid_t child;
};

struct _data_syscall {
	struct who who;
	pid_t target;
	signal_t sig;
};

struct _data_syscall_return {
	struct who who;
	pid_t target;
	signal_t sig;
	errno_t error;
};

#include "points.grain.h"

PROBE(forked, struct task_struct *child)
{
	struct _data_tracepoint *v = new_tracepoint();

	if (!v)
		return;
	v->child = BPF_CORE_READ(child, pid);
	emit_tracepoint(v);
}

PROBE(forked_raw, struct task_struct *child)
{
	struct _data_raw_tp *v = new_raw_tp();

	if (!v)
		return;
	v->child = BPF_CORE_READ(child, pid);
	emit_raw_tp(v);
}

PROBE(forked_btf, struct task_struct *child)
{
	struct _data_tp_btf *v = new_tp_btf();

	if (!v)
		return;
	v->child = BPF_CORE_READ(child, pid);
	emit_tp_btf(v);
}

PROBE(kill_called, pid_t pid, int sig)
{
	struct _data_syscall *v = new_syscall();

	if (!v)
		return;
	v->target = pid;
	v->sig = sig;
	emit_syscall(v);
}

PROBE(kill_done, pid_t pid, int sig, int ret)
{
	struct _data_syscall_return *v = new_syscall_return();

	if (!v)
		return;
	v->target = pid;
	v->sig = sig;
	v->error = ret;
	emit_syscall_return(v);
}
