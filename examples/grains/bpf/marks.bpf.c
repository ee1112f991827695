// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The arguments of a program's probes, as many as they have.
#include "ingrain.h"

struct _data_mark {
	struct who who;
	__s64 number[12];
};

#include "marks.grain.h"

PROBE(none)
{
	struct _data_mark *v = new_mark();

	if (v)
		emit_mark(v);
}

/* What is not asked for is not read: the first argument of this probe is at a label that only the compiler knew. */
PROBE(second, __s64 arg2)
{
	struct _data_mark *v = new_mark();

	if (!v)
		return;
	v->number[0] = arg2;
	emit_mark(v);
}

PROBE(two, __s64 arg1, __s64 arg2)
{
	struct _data_mark *v = new_mark();

	if (!v)
		return;
	v->number[0] = arg1;
	v->number[1] = arg2;
	emit_mark(v);
}

PROBE(three, __s64 arg1, __s64 arg2, __s64 arg3)
{
	struct _data_mark *v = new_mark();

	if (!v)
		return;
	v->number[0] = arg1;
	v->number[1] = arg2;
	v->number[2] = arg3;
	emit_mark(v);
}

PROBE(five, __s64 arg1, __s64 arg2, __s64 arg3, __s64 arg4, __s64 arg5)
{
	struct _data_mark *v = new_mark();

	if (!v)
		return;
	v->number[0] = arg1;
	v->number[1] = arg2;
	v->number[2] = arg3;
	v->number[3] = arg4;
	v->number[4] = arg5;
	emit_mark(v);
}

PROBE(twelve, __s64 arg1, __s64 arg2, __s64 arg3, __s64 arg4, __s64 arg5, __s64 arg6,
      __s64 arg7, __s64 arg8, __s64 arg9, __s64 arg10, __s64 arg11, __s64 arg12)
{
	struct _data_mark *v = new_mark();

	if (!v)
		return;
	v->number[0] = arg1;
	v->number[1] = arg2;
	v->number[2] = arg3;
	v->number[3] = arg4;
	v->number[4] = arg5;
	v->number[5] = arg6;
	v->number[6] = arg7;
	v->number[7] = arg8;
	v->number[8] = arg9;
	v->number[9] = arg10;
	v->number[10] = arg11;
	v->number[11] = arg12;
	emit_mark(v);
}
