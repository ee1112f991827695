// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What some kernels have and others lack.
#include "ingrain.h"

struct _data_seen {
	struct who who;
	__u64 value;
};

#include "fits.grain.h"

#define BPF_MAP_TYPE_BLOOM_FILTER 30 /* since 5.16 */

struct {
	__uint(type, BPF_MAP_TYPE_BLOOM_FILTER);
	__uint(max_entries, 16);
	__uint(value_size, 8);
} filter SEC(".maps");

/* Up to 5.13, and since then. */
struct task_struct___old {
	long state;
} __attribute__((preserve_access_index));

struct task_struct___new {
	unsigned int __state;
} __attribute__((preserve_access_index));

static __always_inline void see(struct probe *probe, __u64 value)
{
	struct _data_seen *v = new_seen();

	if (!v)
		return;
	v->value = value;
	emit_seen(v);
}

PROBE(guarded, struct task_struct *p)
{
	struct task_struct___old *old = (void *)p;
	struct task_struct___new *task = (void *)p;

	if (bpf_core_field_exists(task->__state))
		see(probe, BPF_CORE_READ(task, __state));
	else
		see(probe, BPF_CORE_READ(old, state));
}

PROBE(unguarded, struct task_struct *p)
{
	struct task_struct___new *task = (void *)p;

	see(probe, BPF_CORE_READ(task, __state));
}

PROBE(helper)
{
	struct task_struct *task = bpf_get_current_task_btf();

	see(probe, task->tgid);
}

PROBE(helper_guarded)
{
	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_current_task_btf))
		see(probe, bpf_get_current_task_btf()->tgid);
}

PROBE(map)
{
	__u64 value = 1;

	bpf_map_push_elem(&filter, &value, BPF_ANY);
}

PROBE(argument, int nonblock)
{
	see(probe, nonblock);
}

PROBE(seventh, int *addr_len)
{
	see(probe, (__u64)addr_len);
}

PROBE(gone, int x)
{
	see(probe, x);
}

PROBE(instead, struct sock *sk)
{
	see(probe, 0);
}

PROBE(nowhere)
{
	see(probe, 0);
}

PROBE(call, const char *filename)
{
	see(probe, 0);
}

PROBE(call_elsewhere, const char *filename)
{
	see(probe, 0);
}

PROBE(user)
{
	see(probe, 0);
}

PROBE(users)
{
	see(probe, 0);
}

PROBE(ended, long ret)
{
	see(probe, ret);
}

PROBE(marked, int arg2)
{
	see(probe, arg2);
}
