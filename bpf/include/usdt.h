/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The arguments of static probes in programs (usdt), included by the generated
 * header of a grain that asks for some. They have no names: parameters of such
 * a PROBE are called arg1 to arg12, for the first to the twelfth. A note in the
 * program says where each is at every site of the probe; the loader writes that
 * here, and sites that differ get a program each.
 */
#ifndef USDT_H
#define USDT_H

/*
 * The argument is the sum of add, base and index << shift, or what is in memory
 * there.
 */
struct ingrain_place {
	__s64 add;   /* without a register a constant */
	__s16 base;  /* where in the context a register is; negative: none */
	__s16 index; /* likewise */
	__u8 shift;
	__u8 memory;
	__u8 bits; /* of the argument */
	__u8 is_signed;
};

/* Adds a register of the context. A helper reads it: the verifier takes only offsets that are constant to the compiler. */
static __always_inline long ingrain_add_register(void *ctx, __s16 at, __u8 shift, __u64 *sum)
{
	__u64 value;

	if (at < 0)
		return 0;
	if (bpf_probe_read_kernel(&value, sizeof(value), ctx + at))
		return -1;
	*sum += value << shift;
	return 0;
}

/* Reads count arguments. Not 0: one could not be read. */
static __always_inline long ingrain_read_places(void *ctx, const volatile struct ingrain_place *at, __u64 *arg, const int count)
{
#pragma unroll
	for (int i = 0; i < count; i++) {
		__u64 sum = at[i].add;

		if (ingrain_add_register(ctx, at[i].base, 0, &sum) || ingrain_add_register(ctx, at[i].index, at[i].shift, &sum))
			return -1;
		if (at[i].memory) {
			const void *from = (const void *)sum;

			sum = 0;
			if (bpf_probe_read_user(&sum, at[i].bits / 8, from))
				return -1;
		}
		arg[i] = ingrain_widen(sum, at[i].bits, at[i].is_signed);
	}
	return 0;
}

#endif
