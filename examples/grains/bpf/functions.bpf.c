// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// A function of the kernel, seen in each way there is.
#include "ingrain.h"

struct _data_entry {
	struct who who;
	char name[64];
};

struct _data_returned {
	struct who who;
	char name[64];
	errno_t error;
};

struct _data_fentry {
	struct who who;
	char name[64];
};

struct _data_fexit {
	struct who who;
	char name[64];
	errno_t error;
};

struct _data_kprobe {
	struct who who;
	char name[64];
};

struct _data_kretprobe {
	struct who who;
	errno_t error;
};

#include "functions.grain.h"

PROBE(entered, const struct path *path)
{
	struct _data_entry *v = new_entry();

	if (!v)
		return;
	str_kernel(v->name, BPF_CORE_READ(path, dentry, d_name.name));
	emit_entry(v);
}

PROBE(left, const struct path *path, int ret)
{
	struct _data_returned *v = new_returned();

	if (!v)
		return;
	str_kernel(v->name, BPF_CORE_READ(path, dentry, d_name.name));
	v->error = ret;
	emit_returned(v);
}

PROBE(by_fentry, const struct path *path)
{
	struct _data_fentry *v = new_fentry();

	if (!v)
		return;
	str_kernel(v->name, BPF_CORE_READ(path, dentry, d_name.name));
	emit_fentry(v);
}

PROBE(by_fexit, const struct path *path, int ret)
{
	struct _data_fexit *v = new_fexit();

	if (!v)
		return;
	str_kernel(v->name, BPF_CORE_READ(path, dentry, d_name.name));
	v->error = ret;
	emit_fexit(v);
}

PROBE(by_kprobe, const struct path *path)
{
	struct _data_kprobe *v = new_kprobe();

	if (!v)
		return;
	str_kernel(v->name, BPF_CORE_READ(path, dentry, d_name.name));
	emit_kprobe(v);
}

PROBE(by_kretprobe, int ret)
{
	struct _data_kretprobe *v = new_kretprobe();

	if (!v)
		return;
	v->error = ret;
	emit_kretprobe(v);
}
