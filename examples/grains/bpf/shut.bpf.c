// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// A port that is shut. Where PROBE observes, DECIDE says what becomes of what it sees.
#include "packet.h"

#define EPERM 1

struct _data_refused {
	struct who who;
	bool listens;
};

struct _data_dropped {
	ip_t from;
	port_t from_port;
	bool early;
};

#include "shut.grain.h"

static __always_inline bool is_shut(port_t port)
{
	return PARAM_port && port == PARAM_port;
}

static __always_inline void refuse(struct probe *probe, bool listens)
{
	struct _data_refused *v = new_refused();

	if (!v)
		return;
	v->listens = listens;
	emit_refused(v);
}

static __always_inline void drop(struct probe *probe, const struct packet *p, bool early)
{
	struct _data_dropped *v = new_dropped();

	if (!v)
		return;
	v->from = p->from;
	v->from_port = p->from_port;
	v->early = early;
	emit_dropped(v);
}

DECIDE(connecting, struct bpf_sock_addr *call)
{
	if (!is_shut(bpf_ntohs((__be16)call->user_port)))
		return 1;
	refuse(probe, false);
	return 0;
}

DECIDE(arriving, struct xdp_md *xdp)
{
	struct packet p;

	if (!read_frame(xdp, &p) || !is_shut(p.to_port))
		return XDP_PASS;
	drop(probe, &p, true);
	return XDP_DROP;
}

DECIDE(coming, struct __sk_buff *skb)
{
	struct packet p;

	if (!read_packet(skb, &p) || !is_shut(p.to_port))
		return TCX_NEXT;
	drop(probe, &p, false);
	return TCX_DROP;
}

DECIDE(listening, struct socket *sock)
{
	if (!is_shut(BPF_CORE_READ(sock, sk, __sk_common.skc_num)))
		return 0;
	refuse(probe, true);
	return -EPERM;
}
