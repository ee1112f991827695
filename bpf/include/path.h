/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Full paths of files, by walking their directory entries.
 */
#ifndef PATH_H
#define PATH_H

#include "ingrain.h"

#define INGRAIN_PATH_DEPTH 48 /* directories and mounts that one path may cross */
#define INGRAIN_NAME_MAX 255 /* include/uapi/linux/limits.h */

/*
 * text_path fills a text(n) of v, n 512 or more, with the full path of a
 * struct path *, up to the root of its mount namespace, or only the name of a
 * file that is in no directory ("memfd:NAME"). A path that crosses more than 48
 * directories and mounts, or is longer than n, is cut at its front.
 *
 * text_path_of takes what a struct path has; without a mount (NULL) the path
 * ends, as cut, at the root of the file system. text_path_below and
 * text_path_below_user add a name to the path of a folder: the kernel's string,
 * or one of the current task's memory.
 */
#define text_path(v, member, src)                                                     \
	({                                                                            \
		const struct path *from = (src);                                      \
		text_path_of(v, member, BPF_CORE_READ(from, mnt), BPF_CORE_READ(from, dentry)); \
	})
#define text_path_of(v, member, mnt, dentry)                                          \
	({                                                                            \
		const __u32 size = sizeof((v)->member.text[0]);                       \
		_Static_assert(sizeof((v)->member.text[0]) >= 2 * (INGRAIN_NAME_MAX + 1), \
			       "a path takes a text(n) of 512 bytes or more");        \
		ingrain_text_path((void *)(v) - sizeof(struct ingrain_slot),          \
				  (void *)&(v)->member, (char *)((v) + 1),            \
				  INGRAIN_TAIL_ROOM, size, mnt, dentry);              \
	})
#define text_path_below(v, member, mnt, dentry, name) \
	ingrain_path_below(v, member, mnt, dentry, name, bpf_probe_read_kernel_str)
#define text_path_below_user(v, member, mnt, dentry, name) \
	ingrain_path_below(v, member, mnt, dentry, name, bpf_probe_read_user_str)

#define ingrain_path_below(v, member, mnt, dentry, name, read_str)                    \
	({                                                                            \
		char *end;                                                            \
		text_path_of(v, member, mnt, dentry);                                 \
		end = ingrain_path_end((void *)&(v)->member, (char *)((v) + 1),       \
				       INGRAIN_TAIL_ROOM, sizeof((v)->member.text[0])); \
		if (end)                                                              \
			ingrain_path_longer((void *)(v) - sizeof(struct ingrain_slot), \
					    (void *)&(v)->member, sizeof((v)->member.text[0]), \
					    read_str(end, INGRAIN_NAME_MAX + 1, name)); \
	})

static __always_inline void ingrain_text_path(struct ingrain_slot *slot, struct ingrain_tail *tail, char *area, const __u32 room,
					      const __u32 size, struct vfsmount *vfsmnt, struct dentry *dentry)
{
	struct dentry *root = BPF_CORE_READ(vfsmnt, mnt_root);
	struct mount *mnt = (void *)vfsmnt - bpf_core_field_offset(struct mount, mnt);
	/* In the slot, where the verifier forgets what it holds: else it would tell the turns of the loop apart by it. */
	volatile __u32 *first = &slot->used;
	__u64 at = slot->used, pos, len;
	bool whole = false;

	tail->state = INGRAIN_TAIL_SET | INGRAIN_TAIL_CUT;
	tail->at = at;
	if (at > room - size)
		return;
	ingrain_keep(at);
	area += at;
	ingrain_keep(area);

	/* Names are put in front of what is there, from the end of the room to its start. */
	*first = size;
	for (int i = 0; i < INGRAIN_PATH_DEPTH; i++) {
		struct dentry *parent;
		const unsigned char *name;

		if (dentry == root) {
			struct mount *above = BPF_CORE_READ(mnt, mnt_parent);

			if (above == mnt) {
				whole = true;
				break;
			}
			dentry = BPF_CORE_READ(mnt, mnt_mountpoint);
			root = BPF_CORE_READ(above, mnt.mnt_root);
			mnt = above;
			continue;
		}
		parent = BPF_CORE_READ(dentry, d_parent);
		if (parent == dentry && !root) /* the root of the file system, mounted somewhere */
			break;
		len = BPF_CORE_READ(dentry, d_name.len) & INGRAIN_NAME_MAX;
		name = BPF_CORE_READ(dentry, d_name.name);
		pos = *first - (len + 1);
		ingrain_keep(pos);
		if (pos > size - 1) /* below 0: no room */
			break;
		area[pos] = '/';
		*first = pos;
		bpf_probe_read_kernel(area + pos + 1, len, name);
		if (parent == dentry) { /* in no directory: its name alone */
			*first = pos + 1;
			whole = true;
			break;
		}
		dentry = parent;
	}
	pos = *first;
	*first = at;
	if (pos == size && whole) { /* the root itself */
		pos--;
		area[size - 1] = '/';
	}
	ingrain_keep(pos);
	if (pos > size - 1)
		return;
	len = size - pos;
	/* Forward, towards lower addresses: what is read has not been overwritten yet. */
	bpf_probe_read_kernel(area, len, area + pos);
	tail->state = INGRAIN_TAIL_SET | (whole ? 0 : INGRAIN_TAIL_CUT);
	tail->len = len;
	slot->used = at + len;
}

/* Where a name comes behind a path, with a / before it; NULL when there is no room. */
static __always_inline char *ingrain_path_end(struct ingrain_tail *tail, char *area, const __u32 room, const __u32 size)
{
	__u64 at = tail->at, len = tail->len;

	ingrain_keep(at);
	if (at > room - size)
		return NULL;
	area += at;
	ingrain_keep(area);
	if (len == 1 && area[0] == '/') /* the root's own is there already */
		len = 0;
	ingrain_keep(len);
	if (len > size - 2)
		return NULL;
	tail->len = len;
	area += len;
	ingrain_keep(area);
	area[0] = '/';
	return area + 1;
}

/* Notes that a path has got longer by a name of n bytes, its NUL included, and a /. */
static __always_inline void ingrain_path_longer(struct ingrain_slot *slot, struct ingrain_tail *tail, const __u32 size, long n)
{
	__u32 len = tail->len + n;

	if (n < 0) {
		tail->state |= INGRAIN_TAIL_FAULT;
		return;
	}
	if (n > INGRAIN_NAME_MAX)
		tail->state |= INGRAIN_TAIL_CUT;
	if (len > size) {
		len = size;
		tail->state |= INGRAIN_TAIL_CUT;
	}
	tail->len = len;
	slot->used = tail->at + len;
}

#endif
