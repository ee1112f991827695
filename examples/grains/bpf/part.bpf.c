// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Questions about priorities, of which not all are told.
#include "ingrain.h"

struct _data_some {
	struct who who;
	__u32 number;
};

struct _data_few {
	struct who who;
	__u32 number;
};

struct _data_odd {
	struct who who;
	__u32 number;
};

struct _data_told {
	struct who who;
	__u32 number;
};

#include "part.grain.h"

PROBE(asked, int who)
{
	struct _data_some *some = new_some();
	struct _data_few *few = new_few();
	struct _data_odd *odd = new_odd();
	struct _data_told *told = new_told();

	if (!some || !few || !odd || !told)
		return;
	some->number = few->number = odd->number = told->number = who;
	emit_some(some);
	emit_few(few);
	emit_odd(odd);
	emit_told(told);
}
