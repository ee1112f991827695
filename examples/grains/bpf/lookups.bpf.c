// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Names that programs look up, by whichever function of the C library.
#include "ingrain.h"

struct _data_ask {
	struct who who;
	text(256) name;
};

struct _data_answer {
	struct who who;
	__s64 result;
};

#include "lookups.grain.h"

/* All these functions have the name as their first argument. */
PROBE(asked, const char *name)
{
	struct _data_ask *v = new_ask();

	if (!v)
		return;
	if (name)
		text_user(v, name, name);
	emit_ask(v);
}

PROBE(answered, long ret)
{
	struct _data_answer *v = new_answer();

	if (!v)
		return;
	v->result = ret;
	emit_answer(v);
}
