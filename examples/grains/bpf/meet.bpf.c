// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// TCP connections that were made, from either end.
#include "ingrain.h"

enum role { CLIENT, SERVER };

struct _data_meet {
	__u32 family;
	enum role role;
	port_t local_port;
	port_t peer_port;
};

#include "meet.grain.h"

PROBE(changed, struct bpf_sock_ops *ops)
{
	struct _data_meet *v;
	__u32 op = ops->op;

	if (op != BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB && op != BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB)
		return;
	v = new_meet();
	if (!v)
		return;
	v->family = ops->family;
	v->role = op == BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB ? CLIENT : SERVER;
	v->local_port = ops->local_port;
	v->peer_port = bpf_ntohl(ops->remote_port);
	emit_meet(v);
}
