// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Sockets that programs open.
#include "ingrain.h"

struct _data_socket {
	struct who who;
	__u32 family;
	__u32 type;
	__u32 protocol;
};

#include "created.grain.h"

PROBE(opened, struct bpf_sock *sk)
{
	struct _data_socket *v = new_socket();

	if (!v)
		return;
	v->family = sk->family;
	v->type = sk->type;
	v->protocol = sk->protocol;
	emit_socket(v);
}
