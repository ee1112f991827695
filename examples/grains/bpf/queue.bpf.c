// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// IP packets that interfaces send and receive, as the traffic control sees them.
#include "packet.h"

enum direction { IN, OUT };

struct _data_packet {
	ip_t from;
	ip_t to;
	bytes_t size;
	ifindex_t interface;
	enum direction direction;
	port_t from_port;
	port_t to_port;
	__u8 protocol;
};

#include "queue.grain.h"

static __always_inline void packet(struct probe *probe, struct __sk_buff *skb, enum direction direction)
{
	struct _data_packet *v;
	struct packet p;

	if (!read_packet(skb, &p) || !(v = new_packet()))
		return;
	v->from = p.from;
	v->to = p.to;
	v->from_port = p.from_port;
	v->to_port = p.to_port;
	v->protocol = p.protocol;
	v->size = skb->len;
	v->interface = skb->ifindex;
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
