// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Questions about priorities: a call that any program may make as often as it likes.
#include "ingrain.h"

enum about { process, group, user };

struct _data_ask {
	struct who who;
	enum about about;
	__u32 number;
	__s32 delta;
};

#include "ask.grain.h"

PROBE(asked, int which, int who)
{
	struct _data_ask *v = new_ask();

	if (!v)
		return;
	v->about = which;
	v->number = who;
	v->delta = who - 100;
	emit_ask(v);
}
