// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Puts a record of 64 bytes into a ring each time a test run runs it.
#include "kernel.h"
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 << 20);
} ring SEC(".maps");

SEC("socket")
int fill(struct __sk_buff *skb)
{
	__u64 *record = bpf_ringbuf_reserve(&ring, 64, 0);

	if (!record)
		return 0;
	record[1] = 1ULL << 32;
	record[5] = 1;
	bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
