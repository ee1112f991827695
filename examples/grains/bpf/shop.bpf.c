// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What a shop sells, as its program says at a probe that its author put there.
#include "ingrain.h"

struct _data_sale {
	struct who who;
	text(64) item;
	__s32 price;
	__u32 left;
};

#include "shop.grain.h"

/* The program has DTRACE_PROBE3(shop, served, item, cents, left): there arguments have an order, and no names. */
PROBE(served, const char *arg1, int arg2, __u32 arg3)
{
	struct _data_sale *v = new_sale();

	if (!v)
		return;
	text_user(v, item, arg1);
	v->price = arg2;
	v->left = arg3;
	emit_sale(v);
}
