// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Datagrams of UDP whose other end is said in the call.
#include "inet.h"

enum direction { OUT, IN };

struct _data_datagram {
	struct who who;
	ip_t peer;
	port_t peer_port;
	enum direction direction;
};

#include "post.grain.h"

static __always_inline void datagram4(struct probe *probe, struct bpf_sock_addr *call, enum direction direction)
{
	struct _data_datagram *v = new_datagram();

	if (!v)
		return;
	fill_called4(call, &v->peer, &v->peer_port);
	v->direction = direction;
	emit_datagram(v);
}

static __always_inline void datagram6(struct probe *probe, struct bpf_sock_addr *call, enum direction direction)
{
	struct _data_datagram *v = new_datagram();

	if (!v)
		return;
	fill_called6(call, &v->peer, &v->peer_port);
	v->direction = direction;
	emit_datagram(v);
}

PROBE(to4, struct bpf_sock_addr *call)
{
	datagram4(probe, call, OUT);
}

PROBE(to6, struct bpf_sock_addr *call)
{
	datagram6(probe, call, OUT);
}

PROBE(from4, struct bpf_sock_addr *call)
{
	datagram4(probe, call, IN);
}

PROBE(from6, struct bpf_sock_addr *call)
{
	datagram6(probe, call, IN);
}
