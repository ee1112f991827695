// SPDX-License-Identifier: Apache-2.0

package main

// tracedAs gives the names under which tracefs knows a call, where they differ
// from its __NR_ macro: that of the kernel's function, not of the call.
var tracedAs = map[string]string{
	"fstat":    "newfstat",
	"lstat":    "newlstat",
	"sendfile": "sendfile64",
	"stat":     "newstat",
	"umount2":  "umount",
	"uname":    "newuname",
}

// completed holds the arguments of calls that a kernel without modules, kexec,
// 32-bit tasks or shadow stacks leaves out, that are newer than it, or that
// only older ones have (lookup_dcookie up to 6.7, uselib up to 6.15).
// Source: include/linux/syscalls.h, and arch/x86/kernel/tls.c.
var completed = map[string]string{
	"delete_module":    "const char *name_user, unsigned int flags",
	"fchroot":          "int fd, unsigned int flags",
	"finit_module":     "int fd, const char *uargs, int flags",
	"get_thread_area":  "struct user_desc *u_info",
	"init_module":      "void *umod, unsigned long len, const char *uargs",
	"kexec_file_load":  "int kernel_fd, int initrd_fd, unsigned long cmdline_len, const char *cmdline_ptr, unsigned long flags",
	"kexec_load":       "unsigned long entry, unsigned long nr_segments, struct kexec_segment *segments, unsigned long flags",
	"listns":           "const struct ns_id_req *req, u64 *ns_ids, size_t nr_ns_ids, unsigned int flags",
	"lookup_dcookie":   "u64 cookie64, char *buf, size_t len",
	"map_shadow_stack": "unsigned long addr, unsigned long size, unsigned int flags",
	"rseq_slice_yield": "",
	"set_thread_area":  "struct user_desc *u_info",
	"uselib":           "const char *library",
}

// onArm64 holds the arguments of calls that arm64 takes in another order than
// amd64: it selects CONFIG_CLONE_BACKWARDS (kernel/fork.c).
var onArm64 = map[string]string{
	"clone": "unsigned long clone_flags, unsigned long newsp, int *parent_tidptr, unsigned long tls, int *child_tidptr",
}

// unimplemented calls have a number and nothing behind it, on every kernel
// since 5.10.
var unimplemented = []string{
	"_sysctl", "afs_syscall", "create_module", "epoll_ctl_old", "epoll_wait_old", "get_kernel_syms", "getpmsg",
	"nfsservctl", "putpmsg", "query_module", "security", "tuxcall", "vserver",
}
