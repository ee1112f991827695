/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Bytes that a function of Go reads: a raw(n) member of an event is what the
 * function that its `parse:` names is given, at most n bytes. No row shows it,
 * and a record carries the bytes it has, not the n it may have.
 */
#ifndef RAW_H
#define RAW_H

#include "ingrain.h"

#define raw(n)                      \
	struct {                    \
		__u16 at, len;      \
		__u32 state;        \
		char raw[0][n];     \
	}

/*
 * Fill it with size bytes, of which it keeps as many as it has room for: from
 * an address, or from an offset of a packet (at cgroup_skb, from its IP header).
 * v is what new_X gave.
 */
#define raw_user(v, member, src, size) ingrain_copy(v, member, size, bpf_probe_read_user(to, n, src))
#define raw_kernel(v, member, src, size) ingrain_copy(v, member, size, bpf_probe_read_kernel(to, n, src))
#define raw_packet(v, member, skb, from, size) ingrain_copy(v, member, size, bpf_skb_load_bytes(skb, from, to, n))

#define ingrain_copy(v, member, size, copy)                                               \
	({                                                                                \
		const __u64 room = sizeof((v)->member.raw[0]);                            \
		struct ingrain_slot *slot = (void *)(v) - sizeof(struct ingrain_slot);    \
		char *to = (char *)((v) + 1);                                             \
		__u64 at = slot->used, n = (size);                                        \
		(v)->member.state = INGRAIN_TAIL_SET;                                     \
		(v)->member.at = at;                                                      \
		if (n > room) {                                                           \
			n = room;                                                         \
			(v)->member.state |= INGRAIN_TAIL_CUT;                            \
		}                                                                         \
		if (at <= INGRAIN_TAIL_ROOM - room) {                                     \
			ingrain_keep(at);                                                 \
			to += at;                                                         \
			ingrain_keep(to);                                                 \
			n--; /* some helpers take no 0, and verifiers remember no "not 0" */ \
			ingrain_keep(n);                                                  \
			if (n < room) {                                                   \
				n++;                                                      \
				if (copy) {                                               \
					(v)->member.state = INGRAIN_TAIL_SET | INGRAIN_TAIL_FAULT; \
				} else {                                                  \
					(v)->member.len = n;                              \
					slot->used = at + n;                              \
				}                                                         \
			}                                                                 \
		}                                                                         \
	})

#endif
