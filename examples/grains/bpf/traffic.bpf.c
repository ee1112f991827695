// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Packets of the sockets of a cgroup.
#include "ingrain.h"

enum direction { IN, OUT };

struct _data_packet {
	bytes_t size;
	port_t peer_port;
	port_t local_port;
	enum direction direction;
};

#include "traffic.grain.h"

/* Packets come in an interrupt: the current task is not the socket's. */
static __always_inline void packet(struct probe *probe, struct __sk_buff *skb, enum direction direction)
{
	struct _data_packet *v = new_packet();

	if (!v)
		return;
	v->size = skb->len;
	v->peer_port = bpf_ntohl(skb->remote_port);
	v->local_port = skb->local_port;
	v->direction = direction;
	emit_packet(v);
}

PROBE(came, struct __sk_buff *skb)
{
	packet(probe, skb, IN);
}

PROBE(went, struct __sk_buff *skb)
{
	packet(probe, skb, OUT);
}
