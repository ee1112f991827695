// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Files and folders that programs remove.
#include "ingrain.h"

struct _data_removing {
	struct who who;
	char name[64];
	errno_t error;
};

struct _data_ask {
	struct who who;
	text(256) path;
};

#include "remove.grain.h"

PROBE(removing, struct dentry *dentry, int ret)
{
	struct _data_removing *v = new_removing();

	if (!v)
		return;
	str_kernel(v->name, BPF_CORE_READ(dentry, d_name.name));
	v->error = ret;
	emit_removing(v);
}

PROBE(asked, const char *pathname)
{
	struct _data_ask *v = new_ask();

	if (!v)
		return;
	text_user(v, path, pathname);
	emit_ask(v);
}
