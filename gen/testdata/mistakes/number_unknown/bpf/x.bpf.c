// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "ingrain.h"

struct _data_start {
	struct who who;
};

#include "x.grain.h"

/* __NR_none: a comment is no mistake. */
PROBE(started, long id)
{
	struct _data_start *v = new_start();

	if (v && (id == __NR_opennat || id == __NR32_openat))
		emit_start(v);
}
