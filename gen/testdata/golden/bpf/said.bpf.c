// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What functions of Go read in bytes.
#include "packet.h"
#include "raw.h"

struct _data_word {
	text(8) note;
	raw(64) said;
	port_t port;
};

struct _data_line {
	ip_t from;
	raw(16) said;
};

#include "said.grain.h"

PROBE(came, struct __sk_buff *skb)
{
	struct _data_word *v = new_word();
	struct _data_line *l = new_line();

	if (v) {
		raw_packet(v, said, skb, 0, skb->len);
		emit_word(v);
	}
	if (l) {
		raw_kernel(l, said, skb, 8);
		emit_line(l);
	}
}
