// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What there is, counted again and again rather than when it changes.
#include "inet.h"

struct _data_task {
	char comm[16];
	pid_t pid;
	pid_t tid;
};

struct _data_connection {
	ip_t local;
	ip_t peer;
	uid_t owner;
	port_t local_port;
	port_t peer_port;
	__u8 state;
};

/* A member that kernel.h does not have. */
struct sock_common___census {
	unsigned char skc_state;
} __attribute__((preserve_access_index));

#include "census.grain.h"

PROBE(tasks, struct task_struct *task)
{
	struct _data_task *v = new_task();

	if (!v)
		return;
	str_kernel(v->comm, task->comm);
	v->pid = BPF_CORE_READ(task, tgid);
	v->tid = BPF_CORE_READ(task, pid);
	emit_task(v);
}

/* sk_common begins a struct sock, but for connections that are half made or over. */
PROBE(sockets, struct sock_common *sk_common, uid_t uid)
{
	__u8 state = BPF_CORE_READ((struct sock_common___census *)sk_common, skc_state);
	struct _data_connection *v;

	if (state != TCP_ESTABLISHED && state != TCP_LISTEN)
		return;
	v = new_connection();
	if (!v)
		return;
	fill_ends((struct sock *)sk_common, &v->local, &v->local_port, &v->peer, &v->peer_port);
	v->owner = uid;
	v->state = state;
	emit_connection(v);
}
