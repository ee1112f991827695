/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The vocabulary of a grain's C file.
 *
 * A grain is written in this order: this header, constants, `struct _data_X`
 * for each event X, the generated "GRAIN.grain.h", private maps, static
 * helpers, and a PROBE for each probe of the YAML.
 *
 *	PROBE(name, type arg, ...)   a probe's body; arguments are found by their names (at usdt/: arg1, arg2 ...)
 *	DECIDE(name, type arg, ...)  the same, and what it returns is done
 *	new_X()                      a zeroed struct _data_X, or NULL (counted)
 *	emit_X(v)                    send it: what nobody reads is not filled in
 *	count_missed()               this probe saw something and could not make an event of it,
 *	                             because a map of the grain is full, say: it is in the books
 *	count_compat()               it saw a system call by a 32-bit program, which it does not tell
 *
 * These work in a PROBE, and in a static function that has a parameter
 * `struct probe *probe`. PARAM_X is a param of the YAML, and __NR_X the number
 * of a system call, __NR32_X that of 32-bit programs; a call that an
 * architecture does not have has a number that no call has.
 */
#ifndef INGRAIN_H
#define INGRAIN_H

#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>

/* ---- types that carry meaning: how a value is printed follows from its type ---- */

#define MEANING(m) __attribute__((btf_decl_tag("ingrain:" #m)))

typedef struct {
	__be32 word[4];
} ip_t MEANING(ip); /* IPv6 address, or IPv4 as ::ffff:a.b.c.d; network byte order */
typedef __be32 ip4_t MEANING(ip4);         /* IPv4 address, network byte order */
typedef __u16 port_t MEANING(port);        /* host byte order */
typedef __u64 bytes_t MEANING(bytes);      /* an amount of bytes */
typedef __u64 nsecs_t MEANING(duration);   /* nanoseconds between two moments */
typedef __u64 moment_t MEANING(moment);    /* bpf_ktime_get_ns() at some moment; printed as wall-clock time */
typedef __s32 errno_t MEANING(errno);      /* 0, or an error number of either sign */
typedef __s32 signal_t MEANING(signal);    /* 0, or a signal number */
typedef __s32 syscall_t MEANING(syscall);  /* a system call's number on this architecture */
typedef __u64 cgroup_t MEANING(cgroup);    /* a cgroup v2 id: the inode number of its directory */
typedef __u32 ifindex_t MEANING(interface);
typedef struct {
	__u8 byte[6];
} mac_t MEANING(mac);

/*
 * Variable-length members of an event. A text holds one string of at most
 * n - 1 bytes, words holds NUL-terminated strings of at most n bytes in all;
 * a record carries the bytes they have, not the n they may have. Fill them
 * with text_user, text_kernel, words_user.
 */
#define text(n)                     \
	struct {                    \
		__u16 at, len;      \
		__u32 state;        \
		char text[0][n];    \
	}
#define words(n)                    \
	struct {                    \
		__u16 at, len;      \
		__u32 state;        \
		char words[0][n];   \
	}

enum ingrain_tail_state {
	INGRAIN_TAIL_CUT = 1,   /* there was more than fits */
	INGRAIN_TAIL_FAULT = 2, /* the memory could not be read */
	INGRAIN_TAIL_SET = 4,   /* somebody filled it; without it the row says null */
};

/*
 * Who caused an event: the current task, filled in by emit_X, and of it only
 * the members that somebody reads. Only in probes where the current task is
 * the cause; elsewhere keep a struct owner from a moment when it was.
 */
struct who {
	cgroup_t cgroup;
	char comm[16];
	pid_t pid;  /* the process: the thread group's id */
	pid_t tid;  /* the thread */
	pid_t ppid; /* the parent process */
	uid_t uid;
};

/* The same, filled in by the grain itself with fill_owner. */
struct owner {
	cgroup_t cgroup;
	char comm[16];
	pid_t pid;
	pid_t tid;
	pid_t ppid;
	uid_t uid;
};

#define INGRAIN_WHO_CGROUP (1 << 0)
#define INGRAIN_WHO_COMM (1 << 1)
#define INGRAIN_WHO_PID (1 << 2)
#define INGRAIN_WHO_TID (1 << 3)
#define INGRAIN_WHO_PPID (1 << 4)
#define INGRAIN_WHO_UID (1 << 5)
#define INGRAIN_WHO_ALL 0x3f

/* ---- what generated headers are made of ---- */

/* A constant that is not the same on x86-64 and on arm64. */
#if defined(__TARGET_ARCH_arm64)
#define INGRAIN_ON(x86, arm64) (arm64)
#else
#define INGRAIN_ON(x86, arm64) (x86)
#endif

/* In front of each event on its way to the agent. */
struct ingrain_record {
	__u64 time;   /* ns, CLOCK_MONOTONIC */
	__u32 weight; /* how many events this one stands for */
	__u16 grain;  /* its number in this agent */
	__u16 event;  /* its number in this grain */
};

/*
 * The kernel's part of the ledger, one for each event and CPU:
 * seen = rejected + sampled_out + limited + table_only + emitted + errors.
 */
struct ingrain_counts {
	__u64 seen;        /* emit_ was called, or new_ had no memory */
	__u64 rejected;    /* its condition was not true */
	__u64 sampled_out; /* by chance not one of those that are sent */
	__u64 limited;     /* more than may be sent in a second */
	__u64 table_only;  /* counted in tables, and wanted by nobody else */
	__u64 emitted;     /* handed to the transport */
	__u64 lost;        /* of those, what the transport had no room for */
	__u64 errors;      /* no scratch memory was free */
};

/* What a probe itself counts, one for each probe and CPU. */
struct ingrain_missed {
	__u64 compat;   /* system calls by 32-bit programs, not observed */
	__u64 unpaired; /* returns whose entry was not kept, entries that could not be; sites with an argument that could not be read; count_missed() */
};

/* Where a probe's arguments are in this kernel: found by their names at load time. */
struct ingrain_at {
	__u8 arg[12];
	__u8 result;    /* the result's word, behind the arguments (fexit) */
	__u8 bits;      /* its width as the kernel declares it */
	__u8 is_signed;
	__u8 unused;
};

/* Says how this agent runs its grains; set by the loader, constant to the verifier. */
struct ingrain_agent {
	__u32 rings;   /* ring buffers; 0: the perf buffer */
	__u16 grain;   /* this grain's number */
	__u8 atomics;  /* the kernel has atomics that return the old value */
	__u8 alone;    /* of this grain one program runs, and the kernel does not run that where it runs already, on the same CPU */
};

/* A set of system calls, a bit for each number. */
struct ingrain_calls {
	__u64 bits[8];
};

#define INGRAIN_CALLS_ALL {.bits = {~0ULL, ~0ULL, ~0ULL, ~0ULL, ~0ULL, ~0ULL, ~0ULL, ~0ULL}}

static __always_inline bool ingrain_has_call(const volatile struct ingrain_calls *calls, __u32 nr)
{
	return nr < 512 && calls->bits[nr / 64] >> nr % 64 & 1;
}

/*
 * Counts in a counter of this CPU. Programs that interrupt or preempt one
 * another need a locked instruction for it, some 5 to 10 ns; one that is alone
 * does not.
 */
#define INGRAIN_COUNT(counter)                                  \
	({                                                      \
		if (ingrain_agent.alone)                        \
			*(volatile __u64 *)&(counter) += 1;     \
		else                                            \
			__sync_fetch_and_add(&(counter), 1);    \
	})

/* A slot of scratch memory, for events too large for the stack. */
struct ingrain_slot {
	__u32 taken;
	__u32 used; /* bytes of the tail in use */
	struct ingrain_record head;
};

/*
 * ingrain_word reads 64 bits at a constant offset of a program's context. In
 * assembly, because clang may turn a switch over plain loads into a load at a
 * computed offset, which verifiers refuse.
 */
#define ingrain_word(ctx, offset)                                              \
	({                                                                     \
		__u64 word;                                                    \
		asm volatile("%0 = *(u64 *)(%1 + " #offset ")"                 \
			     : "=r"(word) : "r"(ctx));                         \
		word;                                                          \
	})

/*
 * Argument n of a context that is an array of 64-bit words (tp_btf, raw_tp,
 * fentry, fexit). n is constant to the verifier: one case remains.
 */
static __always_inline __u64 ingrain_raw_arg(void *ctx, __u8 n)
{
	switch (n) {
	case 0: return ingrain_word(ctx, 0);
	case 1: return ingrain_word(ctx, 8);
	case 2: return ingrain_word(ctx, 16);
	case 3: return ingrain_word(ctx, 24);
	case 4: return ingrain_word(ctx, 32);
	case 5: return ingrain_word(ctx, 40);
	case 6: return ingrain_word(ctx, 48);
	case 7: return ingrain_word(ctx, 56);
	case 8: return ingrain_word(ctx, 64);
	case 9: return ingrain_word(ctx, 72);
	case 10: return ingrain_word(ctx, 80);
	case 11: return ingrain_word(ctx, 88);
	case 12: return ingrain_word(ctx, 96);
	}
	return 0;
}

/* Argument n of a function whose registers the context holds (kprobe, uprobe). */
static __always_inline __u64 ingrain_regs_arg(void *ctx, __u8 n)
{
	switch (n) {
#if defined(__TARGET_ARCH_x86)
	case 0: return ingrain_word(ctx, 112); /* di */
	case 1: return ingrain_word(ctx, 104); /* si */
	case 2: return ingrain_word(ctx, 96);  /* dx */
	case 3: return ingrain_word(ctx, 88);  /* cx */
	case 4: return ingrain_word(ctx, 72);  /* r8 */
	case 5: return ingrain_word(ctx, 64);  /* r9 */
#elif defined(__TARGET_ARCH_arm64)
	case 0: return ingrain_word(ctx, 0);
	case 1: return ingrain_word(ctx, 8);
	case 2: return ingrain_word(ctx, 16);
	case 3: return ingrain_word(ctx, 24);
	case 4: return ingrain_word(ctx, 32);
	case 5: return ingrain_word(ctx, 40);
	case 6: return ingrain_word(ctx, 48);
	case 7: return ingrain_word(ctx, 56);
#endif
	}
	return 0;
}

/* A function's result in the registers at its return. */
static __always_inline __u64 ingrain_regs_result(void *ctx)
{
#if defined(__TARGET_ARCH_x86)
	return ingrain_word(ctx, 80);
#else
	return ingrain_word(ctx, 0);
#endif
}

/*
 * ingrain_frame names the call that a kprobe and its kretprobe both see: where
 * its return address stood. No two live calls share it, also not in recursion
 * or interrupts.
 */
static __always_inline __u64 ingrain_frame(void *ctx, bool returned)
{
#if defined(__TARGET_ARCH_x86)
	return ingrain_word(ctx, 152) - (returned ? 8 : 0); /* sp */
#else
	return ingrain_word(ctx, 248);
#endif
}

/* Argument n (from 0) of a system call, from its saved registers. At the return, x0 of arm64 holds the result. */
static __always_inline __u64 ingrain_syscall_arg(const struct pt_regs *regs, int n)
{
	const struct pt_regs *r = regs;

#if defined(__TARGET_ARCH_x86)
	unsigned long value = 0;

	switch (n) {
	case 0: bpf_probe_read_kernel(&value, 8, &r->di); break;
	case 1: bpf_probe_read_kernel(&value, 8, &r->si); break;
	case 2: bpf_probe_read_kernel(&value, 8, &r->dx); break;
	case 3: bpf_probe_read_kernel(&value, 8, &r->r10); break;
	case 4: bpf_probe_read_kernel(&value, 8, &r->r8); break;
	case 5: bpf_probe_read_kernel(&value, 8, &r->r9); break;
	}
	return value;
#elif defined(__TARGET_ARCH_arm64)
	return n ? BPF_CORE_READ(r, regs[n]) : BPF_CORE_READ(r, orig_x0);
#endif
}

/* Is this system call one of a 32-bit program? Its number means another call. */
static __always_inline bool ingrain_compat(void)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();

#if defined(__TARGET_ARCH_x86)
	return BPF_CORE_READ(task, thread_info.status) & 2; /* TS_COMPAT */
#else
	return BPF_CORE_READ(task, thread_info.flags) & (1 << 22); /* TIF_32BIT */
#endif
}

/* The number of the call that returns, from its saved registers. */
static __always_inline int ingrain_syscall_nr(const struct pt_regs *regs)
{
#if defined(__TARGET_ARCH_x86)
	unsigned long nr = 0;

	bpf_probe_read_kernel(&nr, 8, &regs->orig_ax);
	return (int)nr;
#elif defined(__TARGET_ARCH_arm64)
	return BPF_CORE_READ(regs, syscallno);
#endif
}

/* A result as wide and as signed as the kernel declares it, widened to 64 bits. */
static __always_inline __u64 ingrain_widen(__u64 value, __u8 bits, bool is_signed)
{
	if (bits == 32)
		return is_signed ? (__u64)(__s64)(__s32)value : (__u32)value;
	if (bits == 16)
		return is_signed ? (__u64)(__s64)(__s16)value : (__u16)value;
	if (bits == 8)
		return is_signed ? (__u64)(__s64)(__s8)value : (__u8)value;
	return value;
}

/* ---- the current task ---- */

/*
 * Through a pointer that the verifier knows, members are plain loads (43 ns
 * for all against 132 ns by helpers). Each hop may be NULL to the verifier.
 */
static __always_inline void ingrain_who_direct(struct who *who, const __u32 members)
{
	struct task_struct *task = bpf_get_current_task_btf();

	if (members & INGRAIN_WHO_PID)
		who->pid = task->tgid;
	if (members & INGRAIN_WHO_TID)
		who->tid = task->pid;
	if (members & INGRAIN_WHO_COMM) {
		((__u64 *)who->comm)[0] = *(__u64 *)&task->comm[0];
		((__u64 *)who->comm)[1] = *(__u64 *)&task->comm[8];
	}
	if (members & INGRAIN_WHO_UID) {
		const struct cred *cred = task->cred;

		if (cred)
			who->uid = cred->uid.val;
	}
	if (members & INGRAIN_WHO_PPID) {
		struct task_struct *parent = task->real_parent;

		if (parent)
			who->ppid = parent->tgid;
	}
	if (members & INGRAIN_WHO_CGROUP) {
		struct css_set *set = task->cgroups;
		struct cgroup *cgroup = set ? set->dfl_cgrp : NULL;
		struct kernfs_node *kn = cgroup ? cgroup->kn : NULL;

		if (kn)
			who->cgroup = kn->id;
	}
}

static __always_inline void ingrain_who_helpers(struct who *who, const __u32 members)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();

	if (members & (INGRAIN_WHO_PID | INGRAIN_WHO_TID)) {
		__u64 id = bpf_get_current_pid_tgid();

		if (members & INGRAIN_WHO_PID)
			who->pid = id >> 32;
		if (members & INGRAIN_WHO_TID)
			who->tid = (__u32)id;
	}
	if (members & INGRAIN_WHO_COMM)
		bpf_get_current_comm(who->comm, sizeof(who->comm));
	if (members & INGRAIN_WHO_UID)
		who->uid = (__u32)bpf_get_current_uid_gid();
	if (members & INGRAIN_WHO_PPID)
		who->ppid = BPF_CORE_READ(task, real_parent, tgid);
	if (members & INGRAIN_WHO_CGROUP)
		who->cgroup = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
}

/* Fills the members of who that are asked for from the current task. */
static __always_inline void ingrain_fill_who(struct who *who, const __u32 members)
{
	if (!members)
		return;
	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_current_task_btf))
		ingrain_who_direct(who, members);
	else
		ingrain_who_helpers(who, members);
}

/* Fills an owner from the current task. */
static __always_inline void fill_owner(struct owner *owner)
{
	ingrain_fill_who((struct who *)owner, INGRAIN_WHO_ALL);
}

/*
 * Begins a function that is in an object once, and not at each call: several
 * programs of a grain, one for each mechanism, share it. It has at most five
 * parameters, and no struct probe: it makes no events.
 */
#define INGRAIN_ONCE static __noinline __attribute__((unused))

/* ---- copying strings ---- */

/*
 * Makes clang hold a value in a register as it is here, instead of computing
 * it again later from parts whose bounds the verifier has forgotten by then:
 * before 6.8 it does not remember those of a number that is spilled.
 */
#define ingrain_keep(value) asm volatile("" : "+r"(value))

/*
 * A macro each, because the room is in the member's type. v is what new_X
 * gave, member the name of a text or words in it, src an address.
 */
#define text_user(v, member, src) \
	ingrain_text(v, member, src, bpf_probe_read_user_str, bpf_probe_read_user)
#define text_kernel(v, member, src) \
	ingrain_text(v, member, src, bpf_probe_read_kernel_str, bpf_probe_read_kernel)

#define ingrain_text(v, member, src, read_str, read)                                      \
	({                                                                                \
		const __u32 room = sizeof((v)->member.text[0]);                           \
		struct ingrain_slot *slot = (void *)(v) - sizeof(struct ingrain_slot);    \
		const void *from = (const void *)(src);                                   \
		char *to = (char *)((v) + 1);                                             \
		__u64 at = slot->used;                                                    \
		(v)->member.state = INGRAIN_TAIL_SET | INGRAIN_TAIL_CUT;                  \
		if (at <= INGRAIN_TAIL_ROOM - room) {                                     \
			ingrain_keep(at);                                                 \
			to += at;                                                         \
			ingrain_keep(to);                                                 \
			long n = read_str(to, room, from);                                \
			ingrain_text_done(slot, (void *)&(v)->member, at, n);             \
			if (n == room) {                                                  \
				char next = 1;                                            \
				read(&next, 1, from + room - 1);                          \
				if (next)                                                 \
					(v)->member.state |= INGRAIN_TAIL_CUT;            \
			}                                                                 \
		}                                                                         \
	})

struct ingrain_tail {
	__u16 at, len;
	__u32 state;
};

/* Notes a string of n bytes, its NUL included, at `at`; a negative n is a fault. */
static __always_inline void ingrain_text_done(struct ingrain_slot *slot, struct ingrain_tail *tail, __u32 at, long n)
{
	tail->at = at;
	if (n < 0) {
		tail->state = INGRAIN_TAIL_SET | INGRAIN_TAIL_FAULT;
		return;
	}
	tail->state = INGRAIN_TAIL_SET;
	if (n == 0)
		return;
	tail->len = n - 1;
	slot->used = at + n - 1;
}

/* Copies the bytes from src to src + size of the task's memory, at most limit of them. */
#define words_user(v, member, src, size, limit)                                           \
	({                                                                                \
		const __u64 room = sizeof((v)->member.words[0]);                          \
		struct ingrain_slot *slot = (void *)(v) - sizeof(struct ingrain_slot);    \
		const void *from = (const void *)(src);                                   \
		char *to = (char *)((v) + 1);                                             \
		__u64 at = slot->used, n = (size), most = (limit);                        \
		(v)->member.state = INGRAIN_TAIL_SET;                                     \
		(v)->member.at = at;                                                      \
		if (most > room)                                                          \
			most = room;                                                      \
		if (n > most) {                                                           \
			n = most;                                                         \
			(v)->member.state |= INGRAIN_TAIL_CUT;                            \
		}                                                                         \
		if (at <= INGRAIN_TAIL_ROOM - room) {                                     \
			ingrain_keep(at);                                                 \
			to += at;                                                         \
			ingrain_keep(to);                                                 \
			n--; /* of nothing this is more than any room */                  \
			ingrain_keep(n);                                                  \
			if (n < room) {                                                   \
				if (bpf_probe_read_user(to, n + 1, from))                 \
					(v)->member.state = INGRAIN_TAIL_SET | INGRAIN_TAIL_FAULT; \
				else {                                                    \
					(v)->member.len = n + 1;                          \
					slot->used = at + n + 1;                          \
				}                                                         \
			}                                                                 \
		}                                                                         \
	})

/* Copies a kernel string into a char array of an event, which it always leaves terminated. */
#define str_kernel(array, src)                                                            \
	({                                                                                \
		_Static_assert(__builtin_types_compatible_p(typeof(array), char[sizeof(array)]), \
			       "str_kernel fills a char array; for a text(n) write text_kernel"); \
		bpf_probe_read_kernel_str(array, sizeof(array), src);                     \
	})

/* The memory of a task may not be there, and a char array could not say so. */
#define str_user(array, src) \
	_Static_assert(0, "there is no str_user: make the member a text(n) and write text_user, which says when it could not be read")

/* ---- the probe itself ---- */

/* The body of a probe. It observes: whatever it does, what it is attached to goes on as if it were not there. */
#ifndef PROBE
#define PROBE(name, ...) \
	static __always_inline void ingrain_probe_##name(struct probe *probe, ##__VA_ARGS__)
#endif

/*
 * The body of a probe that decides: it returns the verdict of the point, such as XDP_DROP, TCX_DROP, SK_DROP, 0 of a cgroup's or -EPERM
 * of lsm/. The agent gone, nothing decides any more.
 */
#ifndef DECIDE
#define DECIDE(name, ...) \
	static __always_inline int ingrain_probe_##name(struct probe *probe, ##__VA_ARGS__)
#endif

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#endif
