/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which events of a kind are sent, where the YAML does not want all of them. */
#ifndef INGRAIN_STREAM_H
#define INGRAIN_STREAM_H

/* Is this event one of those that chance picks? below is 2^32 over how many one is picked of. */
static __always_inline bool ingrain_chosen(__u32 below, struct ingrain_counts *counts)
{
	if (bpf_get_prandom_u32() < below)
		return true;
	INGRAIN_COUNT(counts->sampled_out);
	return false;
}

/* What was sent in one second, of one value of `per`. */
struct ingrain_bucket {
	__u64 second; /* since the machine started */
	__u64 sent;   /* in that second, or tried to */
	__u64 cut;    /* weight of what was not sent: the next one that is carries it */
};

/*
 * The weight of this event, with that of those that were cut before it, or 0
 * when it is cut too, counted. At most limit events leave in a second: the
 * addition comes before the look, so none is let through twice. A CPU that
 * begins a second may forget what another has just sent in it.
 */
static __always_inline __u32 ingrain_limited(struct ingrain_bucket *b, __u64 limit, __u32 weight, struct ingrain_counts *counts)
{
	__u64 second = bpf_ktime_get_ns() / 1000000000ULL;
	__u64 was = b->second, cut;

	if (was != second) {
		if (!ingrain_agent.atomics) {
			b->second = second;
			b->sent = 0;
		} else if (__sync_val_compare_and_swap(&b->second, was, second) == was) {
			b->sent = 0;
		}
	}
	__sync_fetch_and_add(&b->sent, 1); /* CPUs share it */
	if (*(volatile __u64 *)&b->sent > limit) {
		__sync_fetch_and_add(&b->cut, weight);
		INGRAIN_COUNT(counts->limited);
		return 0;
	}
	if (!b->cut)
		return weight;
	if (ingrain_agent.atomics) {
		cut = __sync_lock_test_and_set(&b->cut, 0);
	} else {
		cut = b->cut;
		b->cut = 0;
	}
	cut += weight;
	return cut > 0xffffffff ? 0xffffffff : cut;
}

#endif
