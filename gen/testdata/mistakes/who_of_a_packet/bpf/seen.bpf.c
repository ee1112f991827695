// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Packets of a cgroup.
#include "ingrain.h"

struct _data_packet {
	struct who who;
	bytes_t size;
};

#include "seen.grain.h"

PROBE(came, struct __sk_buff *skb)
{
	struct _data_packet *v = new_packet();

	if (v)
		emit_packet(v);
}
