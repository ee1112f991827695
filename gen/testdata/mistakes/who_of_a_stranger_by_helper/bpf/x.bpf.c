// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "ingrain.h"

struct _data_start {
	struct who who;
};

#include "x.grain.h"

static __always_inline void send(struct probe *probe)
{
	struct _data_start *v = new_start();

	if (v)
		emit_start(v);
}

static __always_inline void seen(struct probe *probe)
{
	send(probe);
}

PROBE(started)
{
	seen(probe);
}
