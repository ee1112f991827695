/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel as grains see it: integer types, the few UAPI constants in use,
 * and of each kernel structure only the members that grains read. Clang
 * records accesses to them (preserve_access_index) and the loader moves each
 * to where the running kernel has it, so order and padding do not matter here.
 * Names and types are those of the kernel's own headers.
 */
#ifndef KERNEL_H
#define KERNEL_H

typedef unsigned char __u8;
typedef signed char __s8;
typedef unsigned short __u16;
typedef short __s16;
typedef unsigned int __u32;
typedef int __s32;
typedef unsigned long long __u64;
typedef long long __s64;

typedef __u8 u8;
typedef __s8 s8;
typedef __u16 u16;
typedef __s16 s16;
typedef __u32 u32;
typedef __s32 s32;
typedef __u64 u64;
typedef __s64 s64;

typedef __u16 __be16;
typedef __u32 __be32;
typedef __u64 __be64;
typedef __u32 __wsum;
typedef __u16 __sum16;

typedef _Bool bool;
enum { false, true };

#define NULL ((void *)0)

typedef unsigned long size_t;
typedef long ssize_t;
typedef int pid_t;
typedef __u32 uid_t;
typedef __u32 gid_t;
typedef __u16 umode_t;
typedef __u32 dev_t;
typedef long long loff_t;

/* include/uapi/linux/bpf.h: map types and flags that grains and generated headers use */
enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PERF_EVENT_ARRAY = 4,
	BPF_MAP_TYPE_PERCPU_HASH = 5,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_ARRAY_OF_MAPS = 12,
	BPF_MAP_TYPE_RINGBUF = 27,
};

enum { BPF_ANY = 0, BPF_NOEXIST = 1, BPF_EXIST = 2 };
enum { BPF_F_NO_PREALLOC = 1 << 0, BPF_F_MMAPABLE = 1 << 10 };
enum { BPF_RB_NO_WAKEUP = 1 << 0, BPF_RB_FORCE_WAKEUP = 1 << 1 };
#define BPF_F_CURRENT_CPU 0xffffffffULL

/* arch/x86/include/asm/ptrace.h, arch/arm64/include/uapi/asm/ptrace.h */
#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx;
	unsigned long r11, r10, r9, r8, ax, cx, dx, si, di;
	unsigned long orig_ax, ip, cs, flags, sp, ss;
};
#elif defined(__TARGET_ARCH_arm64)
struct pt_regs {
	__u64 regs[31], sp, pc, pstate;
	__u64 orig_x0;
	__s32 syscallno;
	__u32 unused;
} __attribute__((preserve_access_index));
#endif

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* include/uapi/linux/bpf.h: looked up by name in the running kernel's BTF to learn which helpers it has */
enum bpf_func_id {
	BPF_FUNC_get_current_task_btf = 158,
};

typedef struct {
	int counter;
} atomic_t;

struct list_head {
	struct list_head *next, *prev;
};

typedef struct {
	uid_t val;
} kuid_t;

typedef struct {
	gid_t val;
} kgid_t;

typedef struct {
	__u32 cap[2]; /* up to 6.2; one __u64 since */
} kernel_cap_t;

struct group_info {
	int ngroups;
};

struct cred {
	kuid_t uid;
	kgid_t gid;
	kuid_t suid;
	kgid_t sgid;
	kuid_t euid;
	kgid_t egid;
	kuid_t fsuid;
	kgid_t fsgid;
	kernel_cap_t cap_inheritable;
	kernel_cap_t cap_permitted;
	kernel_cap_t cap_effective;
	struct group_info *group_info;
};

struct kernfs_node {
	__u64 id;
};

struct cgroup {
	struct kernfs_node *kn;
};

struct css_set {
	struct cgroup *dfl_cgrp;
};

struct thread_info {
	unsigned long flags;
	__u32 status; /* x86 */
};

struct qstr {
	__u32 len;
	const unsigned char *name;
};

struct super_block {
	dev_t s_dev;
};

struct inode {
	umode_t i_mode;
	unsigned int i_nlink;
	unsigned long i_ino;
	void *i_private;
};

struct dentry {
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
	struct super_block *d_sb;
};

struct vfsmount {
	struct dentry *mnt_root;
	struct super_block *mnt_sb;
};

struct mount { /* fs/mount.h; struct vfsmount is embedded in it */
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct file {
	struct path f_path;
	struct inode *f_inode;
	unsigned int f_flags; /* O_ */
	unsigned int f_mode;  /* FMODE_ */
};

struct fs_struct {
	struct path pwd;
};

struct iattr {
	unsigned int ia_valid; /* ATTR_ */
	umode_t ia_mode;
	kuid_t ia_uid;
	kgid_t ia_gid;
};

struct renamedata {
	struct dentry *old_dentry;
	struct dentry *new_dentry;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct proc_ns_operations {
	int type; /* CLONE_NEWNET ...; up to 6.17 */
};

struct ns_common {
	__u32 ns_type; /* the same, since 6.18 */
	const struct proc_ns_operations *ops;
};

struct module {
	char name[56];
};

struct mm_struct {
	unsigned long arg_start, arg_end;
	struct file *exe_file;
};

struct signal_struct {
	atomic_t live;
	int group_exit_code;
	unsigned int flags;
};

struct sched_entity {
	__u64 sum_exec_runtime; /* ns */
};

struct sched_info {
	unsigned long pcount;
	unsigned long long run_delay; /* ns */
};

struct task_struct {
	struct thread_info thread_info;
	unsigned int flags;
	struct sched_entity se;
	struct sched_info sched_info;
	unsigned long nvcsw;
	unsigned long nivcsw;
	struct mm_struct *mm;
	int exit_code;
	pid_t pid;
	pid_t tgid;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	__u64 start_time; /* ns, CLOCK_MONOTONIC */
	const struct cred *cred;
	char comm[16];
	struct fs_struct *fs;
	struct files_struct *files;
	struct signal_struct *signal;
	struct css_set *cgroups;
};

struct linux_binprm {
	struct file *file;
	const char *filename;
	const char *interp;
};

struct in6_addr {
	union {
		__be32 u6_addr32[4];
	} in6_u;
};

struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num; /* the own port, host byte order */
	unsigned short skc_family;
	volatile unsigned char skc_state;
	unsigned long skc_flags;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
};

struct sock {
	struct sock_common __sk_common;
	__u8 sk_userlocks : 4;
	__u16 sk_protocol;
	int sk_err;
};

struct socket {
	struct sock *sk;
};

struct msghdr {
	void *msg_name;
	int msg_namelen;
};

struct sk_buff {
	unsigned int len;
};

struct inet_sock {
	struct sock sk;
	__be16 inet_sport;
};

struct inet_connection_sock {
	const struct tcp_ulp_ops *icsk_ulp_ops;
};

struct mptcp_sock {
	struct sock *first;
};

struct tcp_sock {
	struct list_head tsorted_sent_queue;
	__u32 rcv_nxt;
	__u32 copied_seq;
	__u32 total_retrans;
	__u32 segs_out;
	__u32 snd_una;
	__u32 write_seq;
	__u64 bytes_received;
	__u64 bytes_acked;
};

#pragma clang attribute pop

#include "context.h"

#endif
