/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Folders that a param names, and what is below them. X.grain.h includes this
 * where there is such a param:
 *
 *	PARAM_dirs(mnt, dentry)   is a file one of the folders, or below one of them?
 *	                          1: yes, 0: no, -1: it lies deeper than can be looked
 *	PARAM_dirs_named(name)    the same of an absolute path in the current task's memory,
 *	                          of up to 255 bytes, by its letters: symbolic links, . and
 *	                          .. are what they are. 1: yes, 0: no
 *
 * A folder is known by its inode, so it does not matter by which path, through
 * which mount or from which container it is reached, and looked for among all
 * that a file is in: the folders of its file system, those that this is
 * mounted on, and so on.
 */
#ifndef BELOW_H
#define BELOW_H

#define INGRAIN_PATHS 16
#define INGRAIN_BELOW_DEPTH 32 /* folders and mounts that are looked at */

struct ingrain_paths {
	__u64 count;
	struct {
		__u64 inode;
		__u64 device; /* of the file system */
		__u64 name;   /* hash of its path, FNV-1a */
	} place[INGRAIN_PATHS];
};

/* 1 for 0, and 0 for all else. Without a branch, like all that is asked of each folder: a verifier would walk the ways through them all. */
static __always_inline __u64 ingrain_none(__u64 n)
{
	n = ~(n | -n) >> 63;
	ingrain_keep(n);
	return n;
}

/* Goes through the folders. How many there are is constant to the verifier. */
#define ingrain_each_place(paths, n) for (int n = 0; n < INGRAIN_PATHS && n < paths->count; n++)

static __always_inline int ingrain_below(const volatile struct ingrain_paths *paths, struct vfsmount *vfsmnt, struct dentry *dentry)
{
	struct mount *mnt = (void *)vfsmnt - bpf_core_field_offset(struct mount, mnt), *above;

	for (int i = 0; i < INGRAIN_BELOW_DEPTH; i++) {
		__u64 inode = BPF_CORE_READ(dentry, d_inode, i_ino), device = BPF_CORE_READ(dentry, d_sb, s_dev), found = 0;
		struct dentry *parent = BPF_CORE_READ(dentry, d_parent);

		ingrain_each_place(paths, n)
			found |= ingrain_none((paths->place[n].inode ^ inode) | (paths->place[n].device ^ device));
		if (found)
			return 1;
		if (parent != dentry) {
			dentry = parent;
			continue;
		}
		/* On with the folder that the file system is mounted on. */
		above = BPF_CORE_READ(mnt, mnt_parent);
		if (!vfsmnt || !above || above == mnt)
			return 0;
		dentry = BPF_CORE_READ(mnt, mnt_mountpoint);
		mnt = above;
	}
	return -1;
}

#define INGRAIN_NAMED 8  /* pieces of a path that are looked at */
#define INGRAIN_PIECE 32 /* bytes of each */

static __always_inline bool ingrain_named_below(const volatile struct ingrain_paths *paths, const char *name)
{
	__u64 hash = 0xcbf29ce484222325, alive = 1, found = 0;
	char piece[INGRAIN_PIECE + 8];

	for (int at = 0; at < INGRAIN_NAMED; at++) {
		long read = bpf_probe_read_user_str(piece, INGRAIN_PIECE + 1, name + at * INGRAIN_PIECE);

		if (read < 0)
			break;
		for (int i = 0; i < INGRAIN_PIECE; i++) {
			__u64 c = (__u8)piece[i];
			__u64 ends = alive & (ingrain_none(c ^ '/') | ingrain_none(c)); /* a folder's name, or the whole */

			ingrain_each_place(paths, n)
				found |= ends & ingrain_none(paths->place[n].name ^ hash);
			alive &= (c + 255) >> 8;
			ingrain_keep(alive);
			hash = (hash ^ c) * 0x100000001b3;
		}
		if (!alive || read <= INGRAIN_PIECE)
			break;
	}
	return found;
}

/* A pointer as a number: for the verifier it is one only when it comes from a helper. */
static __always_inline __u64 ingrain_number(const void *pointer)
{
	__u64 number = 0;

	bpf_probe_read_kernel(&number, sizeof(number), &pointer);
	return number;
}

/*
 * Both in functions of their own, of numbers alone: such are verified once, and
 * not for each call.
 */
#define INGRAIN_BELOW(param)                                                                              \
	__noinline int ingrain_below_##param(__u64 mnt, __u64 dentry)                                     \
	{                                                                                                 \
		return ingrain_below(&ingrain_param_##param, (struct vfsmount *)mnt, (struct dentry *)dentry); \
	}                                                                                                 \
	__noinline int ingrain_named_below_##param(__u64 name)                                            \
	{                                                                                                 \
		return ingrain_named_below(&ingrain_param_##param, (const char *)name);                   \
	}

#endif
