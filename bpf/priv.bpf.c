// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Who changes or uses rights.
#include "ingrain.h"
#include "path.h"

/* include/uapi/linux/capability.h */
enum capability {
	CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER, CAP_FSETID, CAP_KILL, CAP_SETGID, CAP_SETUID,
	CAP_SETPCAP, CAP_LINUX_IMMUTABLE, CAP_NET_BIND_SERVICE, CAP_NET_BROADCAST, CAP_NET_ADMIN, CAP_NET_RAW,
	CAP_IPC_LOCK, CAP_IPC_OWNER, CAP_SYS_MODULE, CAP_SYS_RAWIO, CAP_SYS_CHROOT, CAP_SYS_PTRACE, CAP_SYS_PACCT,
	CAP_SYS_ADMIN, CAP_SYS_BOOT, CAP_SYS_NICE, CAP_SYS_RESOURCE, CAP_SYS_TIME, CAP_SYS_TTY_CONFIG, CAP_MKNOD,
	CAP_LEASE, CAP_AUDIT_WRITE, CAP_AUDIT_CONTROL, CAP_SETFCAP, CAP_MAC_OVERRIDE, CAP_MAC_ADMIN, CAP_SYSLOG,
	CAP_WAKE_ALARM, CAP_BLOCK_SUSPEND, CAP_AUDIT_READ, CAP_PERFMON, CAP_BPF, CAP_CHECKPOINT_RESTORE,
};

/* include/uapi/linux/ptrace.h, arch/x86/include/uapi/asm/ptrace-abi.h; arm64 has fewer */
enum ptrace_request {
	PTRACE_TRACEME = 0, PTRACE_PEEKTEXT = 1, PTRACE_PEEKDATA = 2, PTRACE_PEEKUSR = 3, PTRACE_POKETEXT = 4,
	PTRACE_POKEDATA = 5, PTRACE_POKEUSR = 6, PTRACE_CONT = 7, PTRACE_KILL = 8, PTRACE_SINGLESTEP = 9,
	PTRACE_GETREGS = 12, PTRACE_SETREGS = 13, PTRACE_GETFPREGS = 14, PTRACE_SETFPREGS = 15, PTRACE_ATTACH = 16,
	PTRACE_DETACH = 17, PTRACE_SYSCALL = 24, PTRACE_ARCH_PRCTL = 30, PTRACE_SYSEMU = 31,
	PTRACE_SYSEMU_SINGLESTEP = 32, PTRACE_SETOPTIONS = 0x4200, PTRACE_GETEVENTMSG = 0x4201,
	PTRACE_GETSIGINFO = 0x4202, PTRACE_SETSIGINFO = 0x4203, PTRACE_GETREGSET = 0x4204, PTRACE_SETREGSET = 0x4205,
	PTRACE_SEIZE = 0x4206, PTRACE_INTERRUPT = 0x4207, PTRACE_LISTEN = 0x4208, PTRACE_PEEKSIGINFO = 0x4209,
	PTRACE_GETSIGMASK = 0x420a, PTRACE_SETSIGMASK = 0x420b, PTRACE_SECCOMP_GET_FILTER = 0x420c,
	PTRACE_SECCOMP_GET_METADATA = 0x420d, PTRACE_GET_SYSCALL_INFO = 0x420e, PTRACE_GET_RSEQ_CONFIGURATION = 0x420f,
	PTRACE_SET_SYSCALL_USER_DISPATCH_CONFIG = 0x4210, PTRACE_GET_SYSCALL_USER_DISPATCH_CONFIG = 0x4211,
	PTRACE_SET_SYSCALL_INFO = 0x4212,
};

/* include/uapi/linux/bpf.h */
enum bpf_command {
	BPF_MAP_CREATE, BPF_MAP_LOOKUP_ELEM, BPF_MAP_UPDATE_ELEM, BPF_MAP_DELETE_ELEM, BPF_MAP_GET_NEXT_KEY,
	BPF_PROG_LOAD, BPF_OBJ_PIN, BPF_OBJ_GET, BPF_PROG_ATTACH, BPF_PROG_DETACH, BPF_PROG_TEST_RUN,
	BPF_PROG_GET_NEXT_ID, BPF_MAP_GET_NEXT_ID, BPF_PROG_GET_FD_BY_ID, BPF_MAP_GET_FD_BY_ID,
	BPF_OBJ_GET_INFO_BY_FD, BPF_PROG_QUERY, BPF_RAW_TRACEPOINT_OPEN, BPF_BTF_LOAD, BPF_BTF_GET_FD_BY_ID,
	BPF_TASK_FD_QUERY, BPF_MAP_LOOKUP_AND_DELETE_ELEM, BPF_MAP_FREEZE, BPF_BTF_GET_NEXT_ID,
	BPF_MAP_LOOKUP_BATCH, BPF_MAP_LOOKUP_AND_DELETE_BATCH, BPF_MAP_UPDATE_BATCH, BPF_MAP_DELETE_BATCH,
	BPF_LINK_CREATE, BPF_LINK_UPDATE, BPF_LINK_GET_FD_BY_ID, BPF_LINK_GET_NEXT_ID, BPF_ENABLE_STATS,
	BPF_ITER_CREATE, BPF_LINK_DETACH, BPF_PROG_BIND_MAP, BPF_TOKEN_CREATE, BPF_PROG_STREAM_READ_BY_FD,
};

enum program_type {
	BPF_PROG_TYPE_UNSPEC, BPF_PROG_TYPE_SOCKET_FILTER, BPF_PROG_TYPE_KPROBE, BPF_PROG_TYPE_SCHED_CLS,
	BPF_PROG_TYPE_SCHED_ACT, BPF_PROG_TYPE_TRACEPOINT, BPF_PROG_TYPE_XDP, BPF_PROG_TYPE_PERF_EVENT,
	BPF_PROG_TYPE_CGROUP_SKB, BPF_PROG_TYPE_CGROUP_SOCK, BPF_PROG_TYPE_LWT_IN, BPF_PROG_TYPE_LWT_OUT,
	BPF_PROG_TYPE_LWT_XMIT, BPF_PROG_TYPE_SOCK_OPS, BPF_PROG_TYPE_SK_SKB, BPF_PROG_TYPE_CGROUP_DEVICE,
	BPF_PROG_TYPE_SK_MSG, BPF_PROG_TYPE_RAW_TRACEPOINT, BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
	BPF_PROG_TYPE_LWT_SEG6LOCAL, BPF_PROG_TYPE_LIRC_MODE2, BPF_PROG_TYPE_SK_REUSEPORT,
	BPF_PROG_TYPE_FLOW_DISSECTOR, BPF_PROG_TYPE_CGROUP_SYSCTL, BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE,
	BPF_PROG_TYPE_CGROUP_SOCKOPT, BPF_PROG_TYPE_TRACING, BPF_PROG_TYPE_STRUCT_OPS, BPF_PROG_TYPE_EXT,
	BPF_PROG_TYPE_LSM, BPF_PROG_TYPE_SK_LOOKUP, BPF_PROG_TYPE_SYSCALL, BPF_PROG_TYPE_NETFILTER,
};

/* include/uapi/linux/sched.h */
#define CLONE_NEWTIME 0x80
#define CLONE_NEWNS 0x20000
#define CLONE_NEWCGROUP 0x2000000
#define CLONE_NEWUTS 0x4000000
#define CLONE_NEWIPC 0x8000000
#define CLONE_NEWUSER 0x10000000
#define CLONE_NEWPID 0x20000000
#define CLONE_NEWNET 0x40000000
#define CLONE_SIGNAL 0xff /* of clone, not of clone3: the signal of the child's end */
#define CLONE_NEW_ALL (CLONE_NEWTIME | CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)

#define CAP_OPT_NOAUDIT 2 /* include/linux/security.h: somebody only wants to know */
#define S_ISUID 04000     /* include/uapi/linux/stat.h */
#define S_ISGID 02000
#define S_IXGRP 00010

struct _data_ids {
	struct who who;
	syscall_t call;
	errno_t error;
	__s32 asked;
	__s32 asked_effective;
	__s32 asked_saved;
	uid_t uid;
	uid_t euid;
	uid_t suid;
	uid_t fsuid;
	gid_t gid;
	gid_t egid;
	gid_t sgid;
	gid_t fsgid;
	__u32 groups;
};

struct _data_capset {
	struct who who;
	__u64 effective;
	__u64 permitted;
	__u64 inheritable;
	errno_t error;
};

struct _data_capable {
	struct who who;
	enum capability capability;
	errno_t error;
};

struct _data_ptrace {
	struct who who;
	enum ptrace_request request;
	pid_t target;
	errno_t error;
};

struct _data_ptrace_call {
	struct who who;
	enum ptrace_request request;
	errno_t error;
};

struct _data_module {
	struct who who;
	syscall_t call;
	errno_t error;
	text(64) name;
	text(4096) path;
};

struct _data_bpf {
	struct who who;
	enum bpf_command command;
	enum program_type type;
	errno_t error;
	text(16) name;
};

struct _data_bpf_call {
	struct who who;
	enum bpf_command command;
	errno_t error;
};

struct _data_namespace {
	struct who who;
	syscall_t call;
	pid_t child;
	errno_t error;
	bool user_ns;
	bool mnt_ns;
	bool pid_ns;
	bool net_ns;
	bool ipc_ns;
	bool uts_ns;
	bool cgroup_ns;
	bool time_ns;
};

struct _data_memfd {
	struct who who;
	__u32 flags;
	errno_t error;
	text(256) name;
};

struct _data_exec {
	struct who who;
	uid_t euid;
	gid_t egid;
	bool unlinked;
	bool setuid;
	bool setgid;
	text(4096) exe;
};

#include "priv.grain.h"

/* A system call that has returned. */
struct call {
	const struct pt_regs *regs;
	int nr;
	long ret;
};

static __always_inline __u64 arg(const struct call *call, const int n)
{
	return ingrain_syscall_arg(call->regs, n);
}

static __always_inline errno_t error(const struct call *call)
{
	return call->ret < 0 && call->ret >= -4095 ? -call->ret : 0;
}

static __always_inline const struct cred *credentials(void)
{
	return BPF_CORE_READ((struct task_struct *)bpf_get_current_task(), cred);
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

static __always_inline void changed_ids(struct probe *probe, const struct call *call)
{
	const struct cred *cred = credentials();
	struct _data_ids *v = new_ids();

	if (!v)
		return;
	v->call = call->nr;
	v->asked = arg(call, 0);
	v->asked_effective = v->asked_saved = -1;
	switch (call->nr) {
	case __NR_setresuid:
	case __NR_setresgid:
		v->asked_saved = arg(call, 2);
	case __NR_setreuid:
	case __NR_setregid:
		v->asked_effective = arg(call, 1);
	}
	if (call->nr != __NR_setfsuid && call->nr != __NR_setfsgid) /* these return what was before */
		v->error = error(call);
	v->uid = BPF_CORE_READ(cred, uid.val);
	v->euid = BPF_CORE_READ(cred, euid.val);
	v->suid = BPF_CORE_READ(cred, suid.val);
	v->fsuid = BPF_CORE_READ(cred, fsuid.val);
	v->gid = BPF_CORE_READ(cred, gid.val);
	v->egid = BPF_CORE_READ(cred, egid.val);
	v->sgid = BPF_CORE_READ(cred, sgid.val);
	v->fsgid = BPF_CORE_READ(cred, fsgid.val);
	v->groups = BPF_CORE_READ(cred, group_info, ngroups);
	emit_ids(v);
}

/* A set of capabilities: 64 bits in every kernel, as two words or as one. */
#define capabilities(cred, member)                                                       \
	({                                                                               \
		__u64 bits = 0;                                                          \
		bpf_core_read(&bits, sizeof(bits), &(cred)->member);                     \
		bits;                                                                    \
	})

static __always_inline void changed_capabilities(struct probe *probe, const struct call *call)
{
	const struct cred *cred = credentials();
	struct _data_capset *v = new_capset();

	if (!v)
		return;
	v->error = error(call);
	v->effective = capabilities(cred, cap_effective);
	v->permitted = capabilities(cred, cap_permitted);
	v->inheritable = capabilities(cred, cap_inheritable);
	emit_capset(v);
}

static __always_inline void traced(struct probe *probe, const struct call *call)
{
	struct _data_ptrace_call *all = new_ptrace_call();
	struct _data_ptrace *v = new_ptrace();
	enum ptrace_request request = arg(call, 0);

	if (all) {
		all->request = request;
		all->error = error(call);
		emit_ptrace_call(all);
	}
	if (v) {
		v->request = request;
		v->target = request == PTRACE_TRACEME ? 0 : arg(call, 1);
		v->error = error(call);
		emit_ptrace(v);
	}
}

/* The name of the module that a thread is loading. */
struct module_name {
	char name[56]; /* MODULE_NAME_LEN of include/linux/module.h */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 256);
	__type(key, pid_t); /* a thread */
	__type(value, struct module_name);
} loading SEC(".maps");

/* The kernel has read the module. Its own code has not run yet and may still fail. */
PROBE(loaded, const struct module *mod)
{
	pid_t tid = (pid_t)bpf_get_current_pid_tgid();
	struct module_name name = {};

	bpf_core_read_str(name.name, sizeof(name.name), &mod->name);
	bpf_map_update_elem(&loading, &tid, &name, BPF_ANY);
}

static __always_inline void loaded_module(struct probe *probe, const struct call *call)
{
	pid_t tid = (pid_t)bpf_get_current_pid_tgid();
	struct module_name *name = bpf_map_lookup_elem(&loading, &tid);
	struct _data_module *v = new_module();
	const struct file *file;

	if (v) {
		v->call = call->nr;
		v->error = error(call);
		if (call->nr == __NR_delete_module)
			text_user(v, name, arg(call, 0));
		else if (name)
			text_kernel(v, name, name->name);
		if (call->nr == __NR_finit_module && (file = open_file(arg(call, 0))))
			text_path(v, path, &file->f_path);
		emit_module(v);
	}
	if (name)
		bpf_map_delete_elem(&loading, &tid);
}

#define BPF_ATTR_PROG_NAME 48 /* of union bpf_attr (include/uapi/linux/bpf.h), whose first member is the program's type */

static __always_inline void called_bpf(struct probe *probe, const struct call *call)
{
	struct _data_bpf_call *all = new_bpf_call();
	enum bpf_command command = arg(call, 0);
	__u64 attr = arg(call, 1);
	struct _data_bpf *v;

	if (all) {
		all->command = command;
		all->error = error(call);
		emit_bpf_call(all);
	}
	v = new_bpf();
	if (!v)
		return;
	v->command = command;
	v->error = error(call);
	if (command == BPF_PROG_LOAD) {
		bpf_probe_read_user(&v->type, sizeof(v->type), (void *)attr);
		if (arg(call, 2) > BPF_ATTR_PROG_NAME)
			text_user(v, name, attr + BPF_ATTR_PROG_NAME);
	}
	emit_bpf(v);
}

/* The kind of namespace that a file of /proc/PID/ns stands for. */
static __always_inline __u64 namespace_of(__u32 fd)
{
	const struct file *file = open_file(fd);
	const struct ns_common *ns = BPF_CORE_READ(file, f_inode, i_private);

	if (bpf_core_field_exists(ns->ns_type)) /* since 6.18 */
		return BPF_CORE_READ(ns, ns_type);
	return (__u32)BPF_CORE_READ(ns, ops, type);
}

static __always_inline void moved(struct probe *probe, const struct call *call)
{
	struct _data_namespace *v;
	__u64 flags = 0;

	switch (call->nr) {
	case __NR_unshare:
		flags = arg(call, 0);
		break;
	case __NR_setns:
		flags = arg(call, 1);
		if (!flags && !error(call)) /* any kind: then it is one */
			flags = namespace_of(arg(call, 0));
		break;
	case __NR_clone:
		flags = arg(call, 0) & ~CLONE_SIGNAL;
		break;
	case __NR_clone3:
		bpf_probe_read_user(&flags, sizeof(flags), (void *)arg(call, 0));
		break;
	}
	if (!(flags & CLONE_NEW_ALL) && call->nr != __NR_setns)
		return;
	v = new_namespace();
	if (!v)
		return;
	v->call = call->nr;
	v->error = error(call);
	if (call->nr == __NR_clone || call->nr == __NR_clone3)
		v->child = call->ret > 0 ? call->ret : 0;
	v->user_ns = flags & CLONE_NEWUSER;
	v->mnt_ns = flags & CLONE_NEWNS;
	v->pid_ns = flags & CLONE_NEWPID;
	v->net_ns = flags & CLONE_NEWNET;
	v->ipc_ns = flags & CLONE_NEWIPC;
	v->uts_ns = flags & CLONE_NEWUTS;
	v->cgroup_ns = flags & CLONE_NEWCGROUP;
	v->time_ns = flags & CLONE_NEWTIME;
	emit_namespace(v);
}

static __always_inline void made_memfd(struct probe *probe, const struct call *call)
{
	struct _data_memfd *v = new_memfd();

	if (!v)
		return;
	v->flags = arg(call, 1);
	v->error = error(call);
	text_user(v, name, arg(call, 0));
	emit_memfd(v);
}

/* The calls of 64-bit programs that are told. */
static __always_inline bool is_told(int nr)
{
	switch (nr) {
	case __NR_setuid: case __NR_setreuid: case __NR_setresuid: case __NR_setfsuid:
	case __NR_setgid: case __NR_setregid: case __NR_setresgid: case __NR_setfsgid: case __NR_setgroups:
	case __NR_capset: case __NR_ptrace: case __NR_bpf: case __NR_memfd_create:
	case __NR_init_module: case __NR_finit_module: case __NR_delete_module:
	case __NR_unshare: case __NR_setns: case __NR_clone: case __NR_clone3:
		return true;
	}
	return false;
}

/* The same of 32-bit programs, whose calls are counted. */
static __always_inline bool is_told32(int nr)
{
	switch (nr) {
	case __NR32_setuid: case __NR32_setreuid: case __NR32_setresuid: case __NR32_setfsuid:
	case __NR32_setgid: case __NR32_setregid: case __NR32_setresgid: case __NR32_setfsgid: case __NR32_setgroups:
	case 203: case 204: case 206: case 208: case 210: case 213: case 214: case 215: case 216: /* setreuid32 ... setfsgid32 */
	case __NR32_capset: case __NR32_ptrace: case __NR32_bpf: case __NR32_memfd_create:
	case __NR32_init_module: case __NR32_finit_module: case __NR32_delete_module:
	case __NR32_unshare: case __NR32_setns: case __NR32_clone: case __NR32_clone3:
		return true;
	}
	return false;
}

/*
 * At the return, because it has the result, and what a program has in its
 * registers for the call is still there.
 */
PROBE(returned, const struct pt_regs *regs, long ret)
{
	struct call call = {regs, ingrain_syscall_nr(regs), ret};
	bool told = is_told(call.nr), told32 = is_told32(call.nr);

	if (!told && !told32)
		return;
	if (ingrain_compat()) {
		if (told32)
			count_compat();
		return;
	}
	if (!told)
		return;
	switch (call.nr) {
	case __NR_capset:
		changed_capabilities(probe, &call);
		break;
	case __NR_ptrace:
		traced(probe, &call);
		break;
	case __NR_init_module:
	case __NR_finit_module:
	case __NR_delete_module:
		loaded_module(probe, &call);
		break;
	case __NR_bpf:
		called_bpf(probe, &call);
		break;
	case __NR_clone:
	case __NR_clone3:
		if (!ret) /* the child's return */
			break;
	case __NR_unshare:
	case __NR_setns:
		moved(probe, &call);
		break;
	case __NR_memfd_create:
		made_memfd(probe, &call);
		break;
	default:
		changed_ids(probe, &call);
	}
}

PROBE(executed, const struct linux_binprm *bprm)
{
	const struct cred *cred = credentials();
	const struct file *file = BPF_CORE_READ(bprm, file);
	const struct inode *inode = BPF_CORE_READ(file, f_inode);
	umode_t mode = BPF_CORE_READ(inode, i_mode);
	uid_t euid = BPF_CORE_READ(cred, euid.val);
	gid_t egid = BPF_CORE_READ(cred, egid.val);
	bool unlinked = BPF_CORE_READ(inode, i_nlink) == 0;
	bool setuid = mode & S_ISUID && euid != BPF_CORE_READ(cred, uid.val);
	bool setgid = (mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) && egid != BPF_CORE_READ(cred, gid.val);
	struct _data_exec *v;

	if (!unlinked && !setuid && !setgid)
		return;
	v = new_exec();
	if (!v)
		return;
	v->euid = euid;
	v->egid = egid;
	v->unlinked = unlinked;
	v->setuid = setuid;
	v->setgid = setgid;
	text_path(v, exe, &file->f_path);
	emit_exec(v);
}

static __always_inline void asked_for(struct probe *probe, int cap, int ret)
{
	struct _data_capable *v = new_capable();

	if (!v)
		return;
	v->capability = cap;
	v->error = ret < 0 ? -ret : 0;
	emit_capable(v);
}

/* What all security modules say. */
PROBE(asked, int cap, unsigned int opts, int ret)
{
	if (!(opts & CAP_OPT_NOAUDIT))
		asked_for(probe, cap, ret);
}

/* What capabilities alone say, to whoever asks. */
PROBE(asked_late, int cap, int ret)
{
	asked_for(probe, cap, ret);
}
