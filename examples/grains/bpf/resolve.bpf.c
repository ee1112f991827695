// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Names that programs look up through the C library.
#include "ingrain.h"

struct _data_ask {
	struct who who;
	text(256) name;
	text(64) service;
};

struct _data_answer {
	struct who who;
	int result;
};

#include "resolve.grain.h"

/* A program's own functions have no BTF: their arguments bind in order. */
PROBE(asked, const char *node, const char *service)
{
	struct _data_ask *v = new_ask();

	if (!v)
		return;
	if (node)
		text_user(v, name, node);
	if (service)
		text_user(v, service, service);
	emit_ask(v);
}

PROBE(answered, int ret)
{
	struct _data_answer *v = new_answer();

	if (!v)
		return;
	v->result = ret;
	emit_answer(v);
}
