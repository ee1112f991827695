/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Full paths of files, by walking their directory entries.
 */
#ifndef PATH_H
#define PATH_H

#include "ingrain.h"

#define INGRAIN_PATH_DEPTH 48 /* directories and mounts that one path may cross */
#define INGRAIN_PATH_ROOM 4096
#define INGRAIN_NAME_MAX 255 /* include/uapi/linux/limits.h */

/*
 * text_path fills a text(4096) of v with the full path of a struct path *, up
 * to the root of its mount namespace, or only the name of a file that is in no
 * directory ("memfd:NAME"). A path that crosses more than 48 directories and
 * mounts is cut at its front.
 */
#define text_path(v, member, path)                                                    \
	({                                                                            \
		_Static_assert(sizeof((v)->member.text[0]) == INGRAIN_PATH_ROOM,      \
			       "text_path takes a text(4096)");                       \
		ingrain_text_path((void *)(v) - sizeof(struct ingrain_slot),          \
				  (void *)&(v)->member, (char *)((v) + 1),            \
				  INGRAIN_TAIL_ROOM, path);                           \
	})

static __always_inline void ingrain_text_path(struct ingrain_slot *slot, struct ingrain_tail *tail, char *area,
					      const __u32 room, const struct path *path)
{
	struct vfsmount *vfsmnt = BPF_CORE_READ(path, mnt);
	struct dentry *dentry = BPF_CORE_READ(path, dentry);
	struct dentry *root = BPF_CORE_READ(vfsmnt, mnt_root);
	struct mount *mnt = (void *)vfsmnt - bpf_core_field_offset(struct mount, mnt);
	/* In the slot, where the verifier forgets what it holds: else it would tell the turns of the loop apart by it. */
	volatile __u32 *first = &slot->used;
	__u64 at = slot->used, pos, len;
	bool whole = false;

	tail->state = INGRAIN_TAIL_SET | INGRAIN_TAIL_CUT;
	tail->at = at;
	if (at > room - INGRAIN_PATH_ROOM)
		return;
	ingrain_keep(at);
	area += at;
	ingrain_keep(area);

	/* Names are put in front of what is there, from the end of the room to its start. */
	*first = INGRAIN_PATH_ROOM;
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
		len = BPF_CORE_READ(dentry, d_name.len) & INGRAIN_NAME_MAX;
		name = BPF_CORE_READ(dentry, d_name.name);
		pos = *first - (len + 1);
		ingrain_keep(pos);
		if (pos > INGRAIN_PATH_ROOM - 1) /* below 0: no room */
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
	if (pos == INGRAIN_PATH_ROOM && whole) { /* the root itself */
		pos--;
		area[INGRAIN_PATH_ROOM - 1] = '/';
	}
	ingrain_keep(pos);
	if (pos > INGRAIN_PATH_ROOM - 1)
		return;
	len = INGRAIN_PATH_ROOM - pos;
	/* Forward, towards lower addresses: what is read has not been overwritten yet. */
	bpf_probe_read_kernel(area, len, area + pos);
	tail->state = INGRAIN_TAIL_SET | (whole ? 0 : INGRAIN_TAIL_CUT);
	tail->len = len;
	slot->used = at + len;
}

#endif
