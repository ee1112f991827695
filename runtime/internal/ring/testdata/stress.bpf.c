/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Sends records in the ways in which grains do, when a test says so. */
#include "ingrain.h"

#define INGRAIN_EVENTS 1
#define INGRAIN_PROBES 1
#include "grain.h"

struct __sk_buff;

/* What the test asks for: the packet of a test run. */
struct order {
	__u32 producer;
	__u32 size;   /* of the record, at least sizeof(struct sent) */
	__u32 before; /* turns to spin between reserving and submitting, at most 1000 */
	__u32 drop;   /* throw the record away */
};

struct sent {
	struct ingrain_record head;
	__u64 number;
	__u64 time; /* of the submit, as near as it can be told */
	__u32 producer;
	__u32 unused;
};

__u64 numbers[4] SEC(".data.numbers"); /* of records sent, a producer each */

/* The next number of a producer. A case for each, because a bound on an index does not survive being spilled. */
static __always_inline __u64 next(__u32 producer)
{
	switch (producer) {
	case 0: return numbers[0]++;
	case 1: return numbers[1]++;
	case 2: return numbers[2]++;
	}
	return numbers[3]++;
}

static __always_inline struct ingrain_counts *ordered(struct __sk_buff *skb, struct order *order)
{
	if (bpf_skb_load_bytes(skb, 0, order, sizeof(*order)))
		return NULL;
	return ingrain_counts(0);
}

/* As the events do that are filled in place. */
SEC("socket")
int in_place(struct __sk_buff *skb)
{
	struct ingrain_counts *counts;
	struct order order;
	struct sent *to;

	if (!(counts = ordered(skb, &order)))
		return 0;
	to = ingrain_reserve(sizeof(*to), counts);
	if (!to)
		return 0;
	ingrain_head(&to->head, 0, 1);
	to->producer = order.producer;
	for (__u32 i = 0; i < 1000 && i < order.before; i++)
		asm volatile("");
	if (order.drop) {
		bpf_ringbuf_discard(to, ingrain_wakeup());
		return 0;
	}
	to->number = next(order.producer);
	to->time = bpf_ktime_get_ns();
	bpf_ringbuf_submit(to, ingrain_wakeup());
	return 0;
}

/* As the events do that are filled in scratch memory. */
SEC("socket")
int copied(struct __sk_buff *skb)
{
	struct ingrain_counts *counts;
	struct order order;
	__u64 body[32] = {};
	struct sent *from = (void *)body;
	__u32 size;

	if (!(counts = ordered(skb, &order)))
		return 0;
	ingrain_head(&from->head, 0, 1);
	from->producer = order.producer;
	size = order.size;
	if (size < sizeof(*from) || size > sizeof(body))
		size = sizeof(*from);
	from->number = next(order.producer);
	from->time = bpf_ktime_get_ns();
	ingrain_send(skb, &from->head, size, counts);
	return 0;
}

/* Fills the ring, for benchmarks. */
SEC("socket")
int fill(struct __sk_buff *skb)
{
	struct ingrain_counts *counts = ingrain_counts(0);
	struct sent *to;

	if (!counts)
		return 0;
	to = ingrain_reserve(64, counts);
	if (!to)
		return 0;
	to->producer = 1;
	bpf_ringbuf_submit(to, BPF_RB_NO_WAKEUP);
	return 0;
}
