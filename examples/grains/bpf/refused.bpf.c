// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Files that programs could not open.
#include "ingrain.h"

struct _data_refused {
	struct who who;
	text(256) path;
	int dfd;
	errno_t error;
};

#include "refused.grain.h"

/* The result is a long up to 6.12 and an int in later kernels; here it is as wide as we say. */
PROBE(opened, int dfd, const char *filename, long ret)
{
	struct _data_refused *v;

	if (ret >= 0 || !(v = new_refused()))
		return;
	text_user(v, path, filename);
	v->dfd = dfd;
	v->error = ret;
	emit_refused(v);
}
