// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "ingrain.h"

struct _data_task {
	__u32 n;
};

#include "x.grain.h"

PROBE(seen)
{
	struct _data_task *v = new_task();

	if (v)
		emit_task(v);
}
