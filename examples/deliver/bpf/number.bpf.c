// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Numbers that a program asks about: a call that it can make very often.
#include "ingrain.h"

struct _data_ask {
	struct who who;
	nsecs_t took;
	__u32 number;
};

#include "number.grain.h"

PROBE(asked, int who)
{
	struct _data_ask *v = new_ask();

	if (!v)
		return;
	v->number = who;
	v->took = (__u64)v->number * 1000;
	emit_ask(v);
}
