// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Who connects to what: TCP, and UDP sockets that are given a peer.
#include "inet.h"

struct _data_dial {
	struct who who;
	ip_t peer;
	__u32 protocol;
	port_t peer_port;
};

#include "dial.grain.h"

PROBE(ip4, struct bpf_sock_addr *call)
{
	struct _data_dial *v = new_dial();

	if (!v)
		return;
	fill_called4(call, &v->peer, &v->peer_port);
	v->protocol = call->protocol;
	emit_dial(v);
}

PROBE(ip6, struct bpf_sock_addr *call)
{
	struct _data_dial *v = new_dial();

	if (!v)
		return;
	fill_called6(call, &v->peer, &v->peer_port);
	v->protocol = call->protocol;
	emit_dial(v);
}
