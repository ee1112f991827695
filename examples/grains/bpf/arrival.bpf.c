// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// IP packets that interfaces receive, before the kernel has done anything with them.
#include "packet.h"

struct _data_packet {
	ip_t from;
	ip_t to;
	bytes_t size;
	ifindex_t interface;
	port_t from_port;
	port_t to_port;
	__u8 protocol;
};

#include "arrival.grain.h"

PROBE(arrived, struct xdp_md *xdp)
{
	struct _data_packet *v;
	struct packet p;

	if (!read_frame(xdp, &p) || !(v = new_packet()))
		return;
	v->from = p.from;
	v->to = p.to;
	v->from_port = p.from_port;
	v->to_port = p.to_port;
	v->protocol = p.protocol;
	v->size = xdp->data_end - xdp->data;
	v->interface = xdp->ingress_ifindex;
	emit_packet(v);
}
