// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Files that programs open by name.
#include "ingrain.h"

struct _data_open {
	struct who who;
	text(256) path;
	int flags;
	int dfd;
};

#include "open.grain.h"

PROBE(opened, int dfd, const char *filename, int flags)
{
	struct _data_open *v = new_open();

	if (!v)
		return;
	text_user(v, path, filename);
	v->flags = flags;
	v->dfd = dfd;
	emit_open(v);
}
