// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Packets for which the kernel looks for a socket that listens.
#include "ingrain.h"

struct _data_knock {
	__u32 family;
	__u32 protocol;
	port_t to_port;
	port_t from_port;
};

#include "knock.grain.h"

PROBE(looked, struct bpf_sk_lookup *lookup)
{
	struct _data_knock *v = new_knock();

	if (!v)
		return;
	v->family = lookup->family;
	v->protocol = lookup->protocol;
	v->to_port = lookup->local_port;
	v->from_port = bpf_ntohs(lookup->remote_port);
	emit_knock(v);
}
