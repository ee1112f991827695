// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Changes of a file's mode, owner, size or times.
#include "ingrain.h"

/* Members that kernel.h does not have; behind ___ stands a name of our own. */
struct super_block___change {
	unsigned long s_magic;
} __attribute__((preserve_access_index));

struct dentry___change {
	struct super_block___change *d_sb;
} __attribute__((preserve_access_index));

struct _data_change {
	struct who who;
	__u64 filesystem;
	char name[64];
	errno_t error;
};

#include "change.grain.h"

/* dentry is the first argument up to 5.11 and the second since. */
PROBE(changed, struct dentry *dentry, int ret)
{
	struct _data_change *v = new_change();

	if (!v)
		return;
	v->filesystem = BPF_CORE_READ((struct dentry___change *)dentry, d_sb, s_magic);
	str_kernel(v->name, BPF_CORE_READ(dentry, d_name.name));
	v->error = ret;
	emit_change(v);
}
