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
	ip_from_ip4(&v->peer, call->user_ip4);
	v->peer_port = bpf_ntohs((__be16)call->user_port);
	v->protocol = call->protocol;
	emit_dial(v);
}

PROBE(ip6, struct bpf_sock_addr *call)
{
	struct _data_dial *v = new_dial();

	if (!v)
		return;
	v->peer.word[0] = call->user_ip6[0];
	v->peer.word[1] = call->user_ip6[1];
	v->peer.word[2] = call->user_ip6[2];
	v->peer.word[3] = call->user_ip6[3];
	v->peer_port = bpf_ntohs((__be16)call->user_port);
	v->protocol = call->protocol;
	emit_dial(v);
}
