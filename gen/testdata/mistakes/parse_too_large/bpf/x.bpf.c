// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "raw.h"

struct _data_word {
	port_t port;
	raw(64) said;
};

#include "x.grain.h"

PROBE(came, struct __sk_buff *skb)
{
	struct _data_word *v = new_word();

	if (v)
		emit_word(v);
}
