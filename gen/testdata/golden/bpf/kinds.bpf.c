// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Every kind of value, param and point there is.
#include "ingrain.h"
#include "shared.h"

enum color { RED = 1, GREEN = 2, GREENISH = 2, BLUE = 0x80000000 };
enum delta { DOWN = -1, SAME, UP };
enum wide { NARROW = 1, WIDE = 0x100000000 };

struct inner {
	__u16 a;
	__s8 b[2];
	enum color color;
};

struct _data_all {
	struct who who;
	__u64 u64;
	__s64 s64;
	nsecs_t duration;
	moment_t moment;
	bytes_t bytes;
	cgroup_t cgroup;
	enum wide wide;
	ip_t ip;
	__u32 u32;
	__s32 s32;
	ip4_t ip4;
	errno_t error;
	signal_t signal;
	syscall_t syscall;
	ifindex_t interface;
	pid_t pid;
	uid_t user;
	gid_t group;
	enum color color;
	enum delta delta;
	struct inner inner;
	struct inner pair[2];
	text(64) path;
	words(128) args;
	__u16 u16;
	__s16 s16;
	port_t port;
	__u8 u8;
	__s8 s8;
	bool flag;
	mac_t mac;
	char name[7];
	__u8 raw[5];
	__u16 sizes[3];
	int secret;
	size_t renamed;
};

struct _data_type {
	struct owner owner;
	text(16) v;
	text(16) dst;
	text(16) r;
	text(16) runtime;
	text(16) range;
	text(16) state;
	umode_t type;
	char append;
};

struct _data_ctx {
	int probe;
	unsigned char letter;
};

#include "kinds.grain.h"

PROBE(started, struct task_struct *p, pid_t old_pid)
{
	struct _data_all *v;

	if (!PARAM_loud || PARAM_count > 0 || !(v = new_all()))
		return;
	v->pid = old_pid;
	text_kernel(v, path, p);
	emit_all(v);
}

/* An event made in a function of the file. */
static __always_inline void note(struct probe *probe, int value)
{
	struct _data_ctx *v = new_ctx();

	if (!v)
		return;
	v->probe = value + SHARED;
	emit_ctx(v);
}

PROBE(forked, struct task_struct *parent, struct task_struct *child)
{
	struct _data_type *v = new_type();

	if (!v)
		return;
	fill_owner(&v->owner);
	emit_type(v);
}

PROBE(forked_late)
{
	note(probe, 1);
}

PROBE(called, unsigned long tls, unsigned long clone_flags)
{
	note(probe, tls + clone_flags);
}

PROBE(returned, const char *filename, int flags, long ret)
{
	if (ret < 0)
		note(probe, flags);
}

PROBE(entered, const struct path *path, struct file *file)
{
	note(probe, path != NULL);
}

PROBE(left, struct file *file, size_t count, ssize_t ret)
{
	if (count >= PARAM_room && ret >= 0)
		note(probe, ret);
}

PROBE(failed, int ret)
{
	note(probe, ret);
}

PROBE(trampoline, size_t count)
{
	note(probe, count);
}

PROBE(back, ssize_t ret, size_t count)
{
	if (PARAM_wait)
		note(probe, ret);
}

PROBE(asked, const char *node, const char *service)
{
	note(probe, node == service);
}

PROBE(answered, int ret)
{
	note(probe, ret);
}

PROBE(listed, const char *name)
{
	note(probe, !name);
}

PROBE(ended)
{
	note(probe, 0);
}

PROBE(marked, const void *arg1, int arg3)
{
	note(probe, arg1 ? arg3 : 0);
}

PROBE(passed)
{
	note(probe, 0);
}

PROBE(allowed, struct file *file)
{
	note(probe, (__u64)file);
}

PROBE(changed, struct file *file)
{
	note(probe, (__u64)file);
}

PROBE(packet, const struct __sk_buff *skb)
{
	note(probe, skb->len);
}

PROBE(cgroups, struct __sk_buff *skb)
{
	note(probe, skb->len);
}

PROBE(calls, struct bpf_sock_addr *call)
{
	note(probe, call->user_port);
}

PROBE(made, struct bpf_sock *sk)
{
	note(probe, sk->family);
}

PROBE(moved, struct bpf_sock_ops *ops)
{
	note(probe, ops->op);
}

PROBE(frame, struct xdp_md *xdp)
{
	note(probe, xdp->data_end - xdp->data);
}

PROBE(heard)
{
	note(probe, 1);
}

PROBE(looked, struct bpf_sk_lookup *lookup)
{
	note(probe, lookup->local_port);
}

PROBE(sampled, struct bpf_perf_event_data *at)
{
	note(probe, sampled_ip(at));
}

PROBE(visited, struct file *file, __u32 fd)
{
	note(probe, fd);
}
