// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What programs receive over TCP.
#include "ingrain.h"

struct _data_receive {
	struct who who;
	bytes_t asked;
	int got;
	port_t peer_port;
};

#include "receive.grain.h"

/* tcp_recvmsg has six arguments up to 5.18 and fewer after; these three it always had. */
PROBE(received, struct sock *sk, size_t len, int ret)
{
	struct _data_receive *v = new_receive();

	if (!v)
		return;
	v->asked = len;
	v->got = ret;
	v->peer_port = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
	emit_receive(v);
}
