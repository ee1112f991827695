// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// IP packets that a packet socket hears, as tcpdump does.
#include "packet.h"

struct _data_packet {
	ip_t from;
	ip_t to;
	bytes_t size;
	port_t from_port;
	port_t to_port;
	__u8 protocol;
};

#include "overhear.grain.h"

PROBE(heard, struct __sk_buff *skb)
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
	emit_packet(v);
}
