// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "ingrain.h"

struct _data_start {
	struct who who;
};

#include "x.grain.h"

PROBE(served, const char *item, int arg2, long arg0, int ret)
{
	struct _data_start *v = new_start();

	if (v)
		emit_start(v);
}

PROBE(opened, int arg12, int arg13)
{
	struct _data_start *v = new_start();

	if (v)
		emit_start(v);
}
