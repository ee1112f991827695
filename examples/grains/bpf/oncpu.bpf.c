// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What CPUs are at, looked at so many times a second.
#include "ingrain.h"

struct _data_sample {
	struct who who;
	__u64 address;
};

#include "oncpu.grain.h"

static __always_inline void sample(struct probe *probe, struct bpf_perf_event_data *at)
{
	struct _data_sample *v = new_sample();

	if (!v)
		return;
	v->address = sampled_ip(at);
	emit_sample(v);
}

PROBE(by_clock, struct bpf_perf_event_data *at)
{
	sample(probe, at);
}

PROBE(by_cycles, struct bpf_perf_event_data *at)
{
	sample(probe, at);
}
