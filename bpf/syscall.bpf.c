// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// System calls, how many and how long they took.
#include "ingrain.h"

struct _data_call {
	struct who who;
	nsecs_t latency;
	syscall_t call;
	errno_t error;
};

#include "syscall.grain.h"

/*
 * When the call of each thread began, ns. A call that does not return, because
 * its thread ends in it, leaves its entry to the next thread of that number.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, pid_t); /* a thread */
	__type(value, __u64);
} begun SEC(".maps");

PROBE(entered, long id)
{
	pid_t tid = (pid_t)bpf_get_current_pid_tgid();
	__u64 now;

	if (!PARAM_syscalls((__u32)id) || ingrain_compat())
		return;
	now = bpf_ktime_get_ns();
	bpf_map_update_elem(&begun, &tid, &now, BPF_ANY);
}

PROBE(returned, struct pt_regs *regs, long ret)
{
	pid_t tid = (pid_t)bpf_get_current_pid_tgid();
	int nr = ingrain_syscall_nr(regs);
	struct _data_call *v;
	__u64 *began;

	if (!PARAM_syscalls((__u32)nr) || ingrain_compat() || !(v = new_call()))
		return;
	began = bpf_map_lookup_elem(&begun, &tid);
	if (began && *began) {
		v->latency = bpf_ktime_get_ns() - *began;
		*began = 0;
	}
	v->call = nr;
	if (ret < 0 && ret >= -4095)
		v->error = -ret;
	emit_call(v);
}
