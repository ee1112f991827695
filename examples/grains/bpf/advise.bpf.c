// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What programs do with files, at all functions of the kernel whose names match a pattern.
#include "ingrain.h"

struct _data_file {
	struct who who;
	char name[64];
};

struct _data_call {
	struct who who;
};

#include "advise.grain.h"

PROBE(touched, struct file *file)
{
	struct _data_file *v = new_file();

	if (!v)
		return;
	str_kernel(v->name, BPF_CORE_READ(file, f_path.dentry, d_name.name));
	emit_file(v);
}

PROBE(called)
{
	struct _data_call *v = new_call();

	if (v)
		emit_call(v);
}
