// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Files that are about to be opened, seen where the kernel asks whether they may be.
#include "ingrain.h"

struct _data_lsm {
	struct who who;
	char name[64];
};

struct _data_fmod_ret {
	struct who who;
	char name[64];
};

#include "permit.grain.h"

PROBE(asked, struct file *file)
{
	struct _data_lsm *v = new_lsm();

	if (!v)
		return;
	str_kernel(v->name, BPF_CORE_READ(file, f_path.dentry, d_name.name));
	emit_lsm(v);
}

PROBE(asking, struct file *file)
{
	struct _data_fmod_ret *v = new_fmod_ret();

	if (!v)
		return;
	str_kernel(v->name, BPF_CORE_READ(file, f_path.dentry, d_name.name));
	emit_fmod_ret(v);
}
