// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Packets of a cgroup.
#include "ingrain.h"

struct _data_packet {
	bytes_t size;
};

#include "seen.grain.h"

PROBE(came, struct bpf_sock_addr *skb, int ret)
{
	struct _data_packet *v = new_packet();

	if (v)
		emit_packet(v);
}
