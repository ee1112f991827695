// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "ingrain.h"

struct _data_start {
	struct who who;
};

#include "x.grain.h"

PROBE(started, struct task_struct *p)
{
	struct _data_start *v = new_start();

	if (v)
		emit_start(v);
}
