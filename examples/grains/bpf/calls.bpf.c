// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// System calls of all programs.
#include "ingrain.h"

struct _data_call {
	struct who who;
};

#include "calls.grain.h"

PROBE(entered)
{
	struct _data_call *v = new_call();

	if (v)
		emit_call(v);
}
