// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Large reads, and what came of them.
#include "ingrain.h"

struct _data_read {
	struct who who;
	char name[64];
	bytes_t asked;
	ssize_t got;
};

#include "file_return.grain.h"

/* Arguments bind by name: pos and buf are left out, ret is the result. */
PROBE(done, struct file *file, size_t count, ssize_t ret)
{
	struct _data_read *v;

	if (count < PARAM_min_size || !(v = new_read()))
		return;
	str_kernel(v->name, BPF_CORE_READ(file, f_path.dentry, d_name.name));
	v->asked = count;
	v->got = ret;
	emit_read(v);
}
