// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What programs do with files below some folders.
#include "ingrain.h"
#include "path.h"

/* include/linux/fs.h */
#define FMODE_READ 0x1
#define FMODE_WRITE 0x2
#define FMODE_EXEC 0x20
#define FMODE_CREATED 0x100000
#define ATTR_MODE 0x1
#define ATTR_UID 0x2
#define ATTR_GID 0x4

#define AT_FDCWD -100 /* include/uapi/linux/fcntl.h */
#define AT_REMOVEDIR 0x200
#define S_IFMT 0170000 /* include/uapi/linux/stat.h */
#define S_IFDIR 0040000
#define S_IALLUGO 07777 /* include/linux/stat.h */

enum access { read, write };

struct _data_open {
	struct who who;
	errno_t error;
	bool read;
	bool write;
	bool created;
	bool executed;
	bool folder;
	text(1024) path;
};

struct _data_transfer {
	struct who who;
	bytes_t bytes;
	enum access access;
	errno_t error;
	text(512) path;
};

struct _data_rename {
	struct who who;
	errno_t error;
	text(1024) path;
	text(1024) to;
};

struct _data_remove {
	struct who who;
	errno_t error;
	bool folder;
	text(1024) path;
};

struct _data_permission {
	struct who who;
	__s64 mode;
	__s64 uid;
	__s64 gid;
	errno_t error;
	text(1024) path;
};

struct _data_attribute {
	struct who who;
	errno_t error;
	bool removed;
	text(256) name;
	text(1024) path;
};

#include "file.grain.h"

static __always_inline errno_t error(long ret)
{
	return ret < 0 && ret >= -4095 ? -ret : 0;
}

/* ---- files that are known to be elsewhere ---- */

/*
 * Files that are below none of the folders, each in the place that the address
 * of its entry in a folder gives it: a hash of that, of its mount, and of how
 * many moves there have been. Most reads and writes of a machine find theirs
 * here and are done. A file that is opened takes its place anew, so that what
 * is said here of an address is not of one that had it before.
 */
#define ELSEWHERE 16384

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, ELSEWHERE);
	__type(key, __u32);
	__type(value, __u64);
} elsewhere SEC(".maps");

/* How often something was moved to one of the folders from elsewhere. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} moves SEC(".maps");

/* What was said of files that are elsewhere is to be asked again. */
static __always_inline void ask_again(void)
{
	__u32 zero = 0;
	__u64 *moved = bpf_map_lookup_elem(&moves, &zero);

	if (moved)
		__sync_fetch_and_add(moved, 1);
}

/* A file, and what is said of it. */
struct known {
	__u64 *place;
	__u64 mark;
};

static __always_inline struct known known(struct path path)
{
	const __u64 golden = 0x9e3779b97f4a7c15;
	__u64 number = (__u64)path.dentry * golden;
	__u32 zero = 0, place = number >> 50;
	__u64 *moved = bpf_map_lookup_elem(&moves, &zero);

	return (struct known){
		.place = bpf_map_lookup_elem(&elsewhere, &place),
		.mark = (number ^ (__u64)path.mnt) + (moved ? *moved : 0),
	};
}

/* ---- what is told of an open file ---- */

static __noinline void transferred(struct probe *probe, const struct path *path, const enum access access, long ret)
{
	int below = PARAM_dirs(path->mnt, path->dentry);
	struct _data_transfer *v;

	if (below <= 0) {
		struct known k = known(*path);

		if (below < 0)
			count_missed();
		else if (k.place)
			*(volatile __u64 *)k.place = k.mark;
		return;
	}
	v = new_transfer();
	if (!v)
		return;
	v->access = access;
	v->bytes = ret > 0 ? ret : 0;
	v->error = error(ret);
	text_path_of(v, path, path->mnt, path->dentry);
	emit_transfer(v);
}

static __always_inline struct path path_of(const struct file *file)
{
	struct path path = {};

	bpf_core_read(&path, sizeof(path), &file->f_path);
	return path;
}

static __always_inline void transfer(struct probe *probe, const struct file *file, const enum access access, long ret)
{
	struct path path = path_of(file);
	struct known k = known(path);

	if (!k.place || *(volatile __u64 *)k.place != k.mark)
		transferred(probe, &path, access, ret);
}

static __noinline void open(struct probe *probe, const struct path *path, const struct file *file, long ret)
{
	int below = PARAM_dirs(path->mnt, path->dentry);
	struct known k = known(*path);
	struct _data_open *v;
	__u32 mode;

	if (k.place)
		*(volatile __u64 *)k.place = below ? 0 : k.mark;
	if (below < 0)
		count_missed();
	if (below <= 0)
		return;
	v = new_open();
	if (!v)
		return;
	mode = BPF_CORE_READ(file, f_mode);
	v->error = error(ret);
	v->read = mode & FMODE_READ;
	v->write = mode & FMODE_WRITE;
	v->created = mode & FMODE_CREATED;
	v->executed = (mode | BPF_CORE_READ(file, f_flags)) & FMODE_EXEC;
	v->folder = (BPF_CORE_READ(path->dentry, d_inode, i_mode) & S_IFMT) == S_IFDIR;
	text_path_of(v, path, path->mnt, path->dentry);
	emit_open(v);
}

PROBE(opened, const struct path *path, const struct file *file, int ret)
{
	struct path copy = {};

	bpf_core_read(&copy, sizeof(copy), path);
	open(probe, &copy, file, ret);
}

PROBE(read, const struct file *file, ssize_t ret)
{
	transfer(probe, file, read, ret);
}

PROBE(written, const struct file *file, ssize_t ret)
{
	transfer(probe, file, write, ret);
}

/* Threads in a call that may do its work by another of those that are told: only the outer one is. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, pid_t); /* a thread */
	__type(value, __u8);
} outer SEC(".maps");

PROBE(within)
{
	pid_t tid = (pid_t)bpf_get_current_pid_tgid();
	__u8 one = 1;

	bpf_map_update_elem(&outer, &tid, &one, BPF_ANY);
}

static __always_inline bool is_within(void)
{
	pid_t tid = (pid_t)bpf_get_current_pid_tgid();

	return bpf_map_lookup_elem(&outer, &tid);
}

static __noinline void moved(struct probe *probe, const struct file *from, const struct file *to, long ret)
{
	pid_t tid = (pid_t)bpf_get_current_pid_tgid();

	bpf_map_delete_elem(&outer, &tid);
	transfer(probe, from, read, ret);
	transfer(probe, to, write, ret);
}

PROBE(copied, const struct file *file_in, const struct file *file_out, ssize_t ret)
{
	moved(probe, file_in, file_out, ret);
}

PROBE(spliced, const struct file *in, const struct file *out, ssize_t ret)
{
	moved(probe, in, out, ret);
}

/* sendfile */
PROBE(sent, const struct file *in, const struct file *out, ssize_t ret)
{
	if (!is_within())
		moved(probe, in, out, ret);
}

/* sendfile to a pipe */
PROBE(piped, const struct file *in, ssize_t ret)
{
	if (!is_within())
		transfer(probe, in, read, ret);
}

/* ---- what is told of a name ---- */

/*
 * The mount through which a thread is about to change a file system. What
 * changes one is not told by which mount it was asked to.
 */
struct change {
	const struct super_block *sb;
	__u64 tid; /* a thread */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 2048);
	__type(key, struct change);
	__type(value, struct vfsmount *);
} mounts SEC(".maps");

static __always_inline void about_to_change(struct vfsmount *mnt)
{
	struct change change = {BPF_CORE_READ(mnt, mnt_sb), (__u32)bpf_get_current_pid_tgid()};

	bpf_map_update_elem(&mounts, &change, &mnt, BPF_ANY);
}

PROBE(mounted, struct vfsmount *m)
{
	about_to_change(m);
}

PROBE(mounted_file, const struct file *file)
{
	about_to_change(BPF_CORE_READ(file, f_path.mnt));
}

/* That of a change that is over, or NULL. */
static __always_inline struct vfsmount *mount_of(const struct dentry *dentry)
{
	struct change change = {BPF_CORE_READ(dentry, d_sb), (__u32)bpf_get_current_pid_tgid()};
	struct vfsmount **found = bpf_map_lookup_elem(&mounts, &change), *mnt = NULL;

	if (found) {
		mnt = *found;
		bpf_map_delete_elem(&mounts, &change);
	}
	return mnt;
}

/* Is it one of the folders, or below one? */
static __noinline bool is_below(struct probe *probe, struct vfsmount *mnt, struct dentry *dentry)
{
	int below = PARAM_dirs(mnt, dentry);

	if (below < 0)
		count_missed();
	return below > 0;
}

/* What a name was, kept until the rename is over: then nothing has it any more. */
struct name {
	struct dentry *parent;
	char name[INGRAIN_NAME_MAX + 1];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 256);
	__type(key, pid_t); /* a thread */
	__type(value, struct name);
} renames SEC(".maps");

PROBE(renaming, const struct renamedata *rd)
{
	pid_t tid = (pid_t)bpf_get_current_pid_tgid();
	struct dentry *dentry = BPF_CORE_READ(rd, old_dentry);
	struct name name;

	name.parent = BPF_CORE_READ(dentry, d_parent);
	bpf_probe_read_kernel_str(name.name, sizeof(name.name), BPF_CORE_READ(dentry, d_name.name));
	bpf_map_update_elem(&renames, &tid, &name, BPF_ANY);
}

PROBE(renamed, const struct renamedata *rd, int ret)
{
	pid_t tid = (pid_t)bpf_get_current_pid_tgid();
	struct name *was = bpf_map_lookup_elem(&renames, &tid);
	struct dentry *moved = BPF_CORE_READ(rd, old_dentry);
	struct dentry *to = ret ? BPF_CORE_READ(rd, new_dentry) : moved;
	struct vfsmount *mnt = mount_of(moved);
	bool from_below, to_below;
	struct _data_rename *v;

	if (!was) {
		count_missed();
		return;
	}
	from_below = is_below(probe, mnt, was->parent);
	to_below = is_below(probe, mnt, to);
	if (from_below || to_below) {
		if (!from_below && !ret)
			ask_again();
		v = new_rename();
		if (v) {
			v->error = error(ret);
			text_path_below(v, path, mnt, was->parent, was->name);
			text_path_of(v, to, mnt, to);
			emit_rename(v);
		}
	}
	bpf_map_delete_elem(&renames, &tid);
}

static __noinline void removed(struct probe *probe, struct dentry *dentry, const bool folder, long ret)
{
	struct vfsmount *mnt = mount_of(dentry);
	struct _data_remove *v;

	if (!is_below(probe, mnt, dentry))
		return;
	v = new_remove();
	if (!v)
		return;
	v->error = error(ret);
	v->folder = folder;
	text_path_of(v, path, mnt, dentry);
	emit_remove(v);
}

PROBE(unlinked, struct dentry *dentry, int ret)
{
	removed(probe, dentry, false, ret);
}

/*
 * The folder that a thread is removing. Some compilers make vfs_rmdir a part of
 * its caller: there only those are told that were removed.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 256);
	__type(key, pid_t); /* a thread */
	__type(value, __u64);
} folders SEC(".maps");

PROBE(unlinking_folder, const struct dentry *dentry)
{
	pid_t tid = (pid_t)bpf_get_current_pid_tgid();
	__u64 number = (__u64)dentry;

	bpf_map_update_elem(&folders, &tid, &number, BPF_ANY);
}

/* Is it the one, and has not been told? */
static __always_inline bool is_removing(const struct dentry *dentry)
{
	pid_t tid = (pid_t)bpf_get_current_pid_tgid();
	__u64 *folder = bpf_map_lookup_elem(&folders, &tid);

	if (!folder || *folder != (__u64)dentry)
		return false;
	bpf_map_delete_elem(&folders, &tid);
	return true;
}

/* It is gone. */
PROBE(deleted, struct dentry *dentry)
{
	if (is_removing(dentry))
		removed(probe, dentry, true, 0);
}

PROBE(unlinked_folder, struct dentry *dentry, int ret)
{
	if (is_removing(dentry) || ret)
		removed(probe, dentry, true, ret);
}

/* What permissions were asked for; -1 for what was not. */
struct permission {
	__s64 mode, uid, gid;
};

static __noinline void permitted(struct probe *probe, struct vfsmount *mnt, struct dentry *dentry, const struct permission *asked, long ret)
{
	struct _data_permission *v;

	if (!is_below(probe, mnt, dentry))
		return;
	v = new_permission();
	if (!v)
		return;
	v->mode = asked->mode;
	v->uid = asked->uid;
	v->gid = asked->gid;
	v->error = error(ret);
	text_path_of(v, path, mnt, dentry);
	emit_permission(v);
}

PROBE(changed, struct dentry *dentry, const struct iattr *attr, int ret)
{
	__u32 valid = BPF_CORE_READ(attr, ia_valid);
	struct vfsmount *mnt = mount_of(dentry);
	struct permission asked = {-1, -1, -1};

	if (!(valid & (ATTR_MODE | ATTR_UID | ATTR_GID))) /* times, or the size */
		return;
	if (valid & ATTR_MODE)
		asked.mode = BPF_CORE_READ(attr, ia_mode) & S_IALLUGO;
	if (valid & ATTR_UID)
		asked.uid = BPF_CORE_READ(attr, ia_uid.val);
	if (valid & ATTR_GID)
		asked.gid = BPF_CORE_READ(attr, ia_gid.val);
	permitted(probe, mnt, dentry, &asked, ret);
}

static __noinline void attributed(struct probe *probe, struct dentry *dentry, const char *name, const bool removed, long ret)
{
	struct vfsmount *mnt = mount_of(dentry);
	struct _data_attribute *v;

	if (!is_below(probe, mnt, dentry))
		return;
	v = new_attribute();
	if (!v)
		return;
	v->removed = removed;
	v->error = error(ret);
	text_kernel(v, name, name);
	text_path_of(v, path, mnt, dentry);
	emit_attribute(v);
}

PROBE(labelled, struct dentry *dentry, const char *name, int ret)
{
	attributed(probe, dentry, name, false, ret);
}

PROBE(unlabelled, struct dentry *dentry, const char *name, int ret)
{
	attributed(probe, dentry, name, true, ret);
}

PROBE(listed, struct dentry *dentry, const char *acl_name, int ret)
{
	attributed(probe, dentry, acl_name, false, ret);
}

PROBE(unlisted, struct dentry *dentry, const char *acl_name, int ret)
{
	attributed(probe, dentry, acl_name, true, ret);
}

/*
 * ---- the same from system calls, where functions cannot be probed ----
 *
 * What is told of an open file is the same. A name is told as it was given,
 * behind the path of the folder that it was given in: what it led to is over.
 * A name that begins at the root is compared by its letters, any other one by
 * the folder it was given in.
 */

struct call {
	const struct pt_regs *regs;
	int nr;
	long ret;
};

static __always_inline __u64 arg(const struct call *call, const int n)
{
	return ingrain_syscall_arg(call->regs, n);
}

/* An open file of the current task. */
static __always_inline const struct file *open_file(__u32 fd)
{
	const struct fdtable *table = BPF_CORE_READ((struct task_struct *)bpf_get_current_task(), files, fdt);
	const struct file *file = NULL;

	if (fd < BPF_CORE_READ(table, max_fds))
		bpf_probe_read_kernel(&file, sizeof(file), BPF_CORE_READ(table, fd) + fd);
	return file;
}

static __noinline void call_transfer(struct probe *probe, __u32 fd, const enum access access, long ret)
{
	const struct file *file = open_file(fd);

	if (file)
		transfer(probe, file, access, ret);
}

static __noinline void call_open(struct probe *probe, long ret)
{
	const struct file *file = ret >= 0 ? open_file(ret) : NULL;
	struct path path = path_of(file);

	if (file)
		open(probe, &path, file, ret);
}

/* A name as it was given to a call: in which folder, an open one or AT_FDCWD. */
struct given {
	__s32 folder;
	__u32 unused;
	__u64 name; /* in the task's memory */
};

/* The folder. */
struct base {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

static __always_inline bool is_absolute(const struct given *given)
{
	char first = 0;

	bpf_probe_read_user(&first, 1, (void *)given->name);
	return first == '/';
}

static __noinline void base_of(const struct given *given, struct base *base)
{
	const struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	const struct file *file;

	if (given->folder == AT_FDCWD) {
		base->mnt = BPF_CORE_READ(task, fs, pwd.mnt);
		base->dentry = BPF_CORE_READ(task, fs, pwd.dentry);
	} else if ((file = open_file(given->folder))) {
		base->mnt = BPF_CORE_READ(file, f_path.mnt);
		base->dentry = BPF_CORE_READ(file, f_path.dentry);
	}
}

/* Fills a text with the path that was given, and says whether it is below one of the folders. */
#define given_path(probe, v, member, given)                                                    \
	({                                                                                     \
		bool below = false;                                                            \
		struct base base = {};                                                         \
		if (is_absolute(given)) {                                                      \
			below = PARAM_dirs_named((given)->name);                               \
			text_user(v, member, (given)->name);                                   \
		} else {                                                                       \
			base_of(given, &base);                                                 \
			below = is_below(probe, base.mnt, base.dentry);                        \
			text_path_below_user(v, member, base.mnt, base.dentry, (void *)(given)->name); \
		}                                                                              \
		below;                                                                         \
	})

static __noinline void call_rename(struct probe *probe, const struct given *before, const struct given *after, long ret)
{
	struct _data_rename *v = new_rename();
	bool below;

	if (!v)
		return;
	below = given_path(probe, v, path, before);
	below |= given_path(probe, v, to, after);
	v->error = error(ret);
	if (!below)
		return;
	if (!ret)
		ask_again();
	emit_rename(v);
}

static __noinline void call_remove(struct probe *probe, const struct given *given, const bool folder, long ret)
{
	struct _data_remove *v = new_remove();

	if (!v || !given_path(probe, v, path, given))
		return;
	v->error = error(ret);
	v->folder = folder;
	emit_remove(v);
}

static __noinline void call_permit(struct probe *probe, const struct given *given, const struct permission *asked, long ret)
{
	struct _data_permission *v = new_permission();

	if (!v || !given_path(probe, v, path, given))
		return;
	v->mode = asked->mode;
	v->uid = asked->uid;
	v->gid = asked->gid;
	v->error = error(ret);
	emit_permission(v);
}

/* An attribute's name, in the task's memory. */
struct label {
	__u64 name;
	bool removed;
};

static __noinline void call_attribute(struct probe *probe, const struct given *given, const struct label *label, long ret)
{
	struct _data_attribute *v = new_attribute();

	if (!v || !given_path(probe, v, path, given))
		return;
	v->removed = label->removed;
	v->error = error(ret);
	text_user(v, name, label->name);
	emit_attribute(v);
}

static __noinline void call_attribute_file(struct probe *probe, __u32 fd, const struct label *label, long ret)
{
	const struct file *file = open_file(fd);
	struct vfsmount *mnt = BPF_CORE_READ(file, f_path.mnt);
	struct dentry *dentry = BPF_CORE_READ(file, f_path.dentry);
	struct _data_attribute *v;

	if (!file || !is_below(probe, mnt, dentry) || !(v = new_attribute()))
		return;
	v->removed = label->removed;
	v->error = error(ret);
	text_user(v, name, label->name);
	text_path_of(v, path, mnt, dentry);
	emit_attribute(v);
}

static __noinline void call_permit_file(struct probe *probe, __u32 fd, const struct permission *asked, long ret)
{
	const struct file *file = open_file(fd);

	if (file)
		permitted(probe, BPF_CORE_READ(file, f_path.mnt), BPF_CORE_READ(file, f_path.dentry), asked, ret);
}

static __always_inline __s64 id(__u32 asked)
{
	return asked == (__u32)-1 ? -1 : (__s64)asked;
}

static __noinline void call_mode(struct probe *probe, const struct call *call)
{
	struct permission asked = {-1, -1, -1};
	struct given given = {AT_FDCWD, 0, arg(call, 0)};

	switch (call->nr) {
	case __NR_fchmod:
		asked.mode = arg(call, 1) & S_IALLUGO;
		call_permit_file(probe, arg(call, 0), &asked, call->ret);
		return;
	case __NR_fchown:
		asked.uid = id(arg(call, 1));
		asked.gid = id(arg(call, 2));
		call_permit_file(probe, arg(call, 0), &asked, call->ret);
		return;
	case __NR_chmod:
		asked.mode = arg(call, 1) & S_IALLUGO;
		break;
	case __NR_fchmodat:
	case __NR_fchmodat2:
		given = (struct given){arg(call, 0), 0, arg(call, 1)};
		asked.mode = arg(call, 2) & S_IALLUGO;
		break;
	case __NR_fchownat:
		given = (struct given){arg(call, 0), 0, arg(call, 1)};
		asked.uid = id(arg(call, 2));
		asked.gid = id(arg(call, 3));
		break;
	default: /* chown, lchown */
		asked.uid = id(arg(call, 1));
		asked.gid = id(arg(call, 2));
	}
	call_permit(probe, &given, &asked, call->ret);
}

static __noinline void call_name(struct probe *probe, const struct call *call)
{
	struct given from = {AT_FDCWD, 0, arg(call, 0)}, to = {AT_FDCWD, 0, arg(call, 1)};

	switch (call->nr) {
	case __NR_rename:
		call_rename(probe, &from, &to, call->ret);
		break;
	case __NR_renameat:
	case __NR_renameat2:
		from = (struct given){arg(call, 0), 0, arg(call, 1)};
		to = (struct given){arg(call, 2), 0, arg(call, 3)};
		call_rename(probe, &from, &to, call->ret);
		break;
	case __NR_unlinkat:
		from = (struct given){arg(call, 0), 0, arg(call, 1)};
		call_remove(probe, &from, arg(call, 2) & AT_REMOVEDIR, call->ret);
		break;
	case __NR_unlink:
	case __NR_rmdir:
		call_remove(probe, &from, call->nr == __NR_rmdir, call->ret);
		break;
	}
}

static __noinline void call_label(struct probe *probe, const struct call *call)
{
	struct given given = {AT_FDCWD, 0, arg(call, 0)};
	struct label label = {arg(call, 1), false};

	switch (call->nr) {
	case __NR_fremovexattr:
		label.removed = true;
	case __NR_fsetxattr:
		call_attribute_file(probe, arg(call, 0), &label, call->ret);
		return;
	case __NR_removexattrat:
		label.removed = true;
	case __NR_setxattrat:
		given = (struct given){arg(call, 0), 0, arg(call, 1)};
		label.name = arg(call, 3);
		break;
	case __NR_removexattr:
	case __NR_lremovexattr:
		label.removed = true;
	}
	call_attribute(probe, &given, &label, call->ret);
}

PROBE(returned, const struct pt_regs *regs, long ret)
{
	struct call call = {regs, ingrain_syscall_nr(regs), ret};

	switch (call.nr) {
	case __NR_read: case __NR_readv: case __NR_pread64: case __NR_preadv: case __NR_preadv2:
	case __NR_write: case __NR_writev: case __NR_pwrite64: case __NR_pwritev: case __NR_pwritev2:
	case __NR_sendfile: case __NR_splice: case __NR_copy_file_range:
	case __NR_open: case __NR_openat: case __NR_openat2: case __NR_creat: case __NR_open_by_handle_at:
	case __NR_rename: case __NR_renameat: case __NR_renameat2: case __NR_unlink: case __NR_unlinkat: case __NR_rmdir:
	case __NR_chmod: case __NR_fchmod: case __NR_fchmodat: case __NR_fchmodat2:
	case __NR_chown: case __NR_lchown: case __NR_fchown: case __NR_fchownat:
	case __NR_setxattr: case __NR_lsetxattr: case __NR_fsetxattr: case __NR_setxattrat:
	case __NR_removexattr: case __NR_lremovexattr: case __NR_fremovexattr: case __NR_removexattrat:
		break;
	default:
		return;
	}
	if (ingrain_compat())
		return;
	switch (call.nr) {
	case __NR_read: case __NR_readv: case __NR_pread64: case __NR_preadv: case __NR_preadv2:
		call_transfer(probe, arg(&call, 0), read, ret);
		break;
	case __NR_write: case __NR_writev: case __NR_pwrite64: case __NR_pwritev: case __NR_pwritev2:
		call_transfer(probe, arg(&call, 0), write, ret);
		break;
	case __NR_sendfile:
		call_transfer(probe, arg(&call, 1), read, ret);
		call_transfer(probe, arg(&call, 0), write, ret);
		break;
	case __NR_splice: case __NR_copy_file_range:
		call_transfer(probe, arg(&call, 0), read, ret);
		call_transfer(probe, arg(&call, 2), write, ret);
		break;
	case __NR_open: case __NR_openat: case __NR_openat2: case __NR_creat: case __NR_open_by_handle_at:
		call_open(probe, ret);
		break;
	case __NR_rename: case __NR_renameat: case __NR_renameat2: case __NR_unlink: case __NR_unlinkat: case __NR_rmdir:
		call_name(probe, &call);
		break;
	case __NR_chmod: case __NR_fchmod: case __NR_fchmodat: case __NR_fchmodat2:
	case __NR_chown: case __NR_lchown: case __NR_fchown: case __NR_fchownat:
		call_mode(probe, &call);
		break;
	default:
		call_label(probe, &call);
	}
}
