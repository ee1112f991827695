/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Tables in the kernel: what generated headers are made of.
 *
 * A table has two generations. Programs count in one, whose number stands in
 * memory that they share with the agent; the agent writes the other number
 * there, waits until no program runs that may have read the old one, and reads
 * and clears what that generation has. So no event is lost or counted twice.
 * The agent makes the maps; the declarations here say what they look like.
 * Cells are words; agg.Layout says which.
 *
 *	table of any keys      two hashes, each with cells for each CPU
 *	table of small keys    one array, which the agent maps
 *
 * Both generations are maps of their own rather than maps within a map: of
 * those the kernel does not know which map it is that a program looks in, and
 * each look would be a call through a pointer.
 */
#ifndef INGRAIN_TABLE_H
#define INGRAIN_TABLE_H

/* What programs and the agent know of a table. */
struct ingrain_table {
	__u32 generation; /* the one to count in, 0 or 1: written by the agent */
	__u32 most;       /* keys of a hash: constant */
	__u64 unused[7];
	/* Another cache line: written by programs, but not for each event. */
	__u64 keys[2]; /* that were inserted into each generation's hash */
	__u64 refused; /* insertions that were not made, though not for want of room */
	__u64 unused2[5];
};

/*
 * Rows of cells that are always there, in an array that the agent maps: for
 * each CPU and generation those of the keys 0 to keys - 1, and behind them the
 * overflow's. A hash has an array without keys for its overflow. The rows of a
 * generation and CPU fill cache lines, so that CPUs do not share any; what is
 * needed for that is how many there are, ingrain_stride.
 */
#define INGRAIN_ROWS(name, keys, words)                                        \
	struct {                                                               \
		__uint(type, BPF_MAP_TYPE_ARRAY);                              \
		__uint(max_entries, 2 * ingrain_stride(keys, words)); /* times the CPUs: the loader */ \
		__uint(key_size, 4);                                           \
		__uint(value_size, 8 * (words));                               \
		__uint(map_flags, BPF_F_MMAPABLE);                             \
	} name SEC(".maps")

/* How many rows make 8 words, at least: words' lowest bit says it. */
#define ingrain_rows_per_line(words) ((words) & 1 ? 8 : (words) & 2 ? 4 : (words) & 4 ? 2 : 1)
#define ingrain_stride(keys, words) \
	(((keys) + ingrain_rows_per_line(words)) / ingrain_rows_per_line(words) * ingrain_rows_per_line(words))

/* How many words a map's values have. */
#define ingrain_words(map) (sizeof(*(map).value_size) / sizeof(int) / 8)

/* A hash with cells for each CPU. */
#define INGRAIN_KEYS(name, keytype, most, words)              \
	struct {                                              \
		__uint(type, BPF_MAP_TYPE_PERCPU_HASH);       \
		__uint(max_entries, most);                    \
		__uint(key_size, sizeof(keytype));            \
		__uint(value_size, 8 * (words));              \
	} name SEC(".maps")

/* A table of any keys. keytype is a multiple of 8 bytes, without holes. */
#define INGRAIN_TABLE_HASH(table, keytype, most, words)                \
	struct ingrain_table ingrain_shared_##table SEC(".data.table." #table); \
	INGRAIN_KEYS(ingrain_even_##table, keytype, most, words);      \
	INGRAIN_KEYS(ingrain_odd_##table, keytype, most, words);       \
	INGRAIN_ROWS(ingrain_over_##table, 0, words);                  \
	const volatile bool ingrain_alone_##table = false;             \
	const volatile __u64 ingrain_zeros_##table[words] = {}

/* A table whose keys are the numbers 0 to keys - 1. */
#define INGRAIN_TABLE_DENSE(table, keys, words)                        \
	struct ingrain_table ingrain_shared_##table SEC(".data.table." #table); \
	INGRAIN_ROWS(ingrain_rows_##table, keys, words);               \
	const volatile bool ingrain_alone_##table = false

/* E2BIG (include/uapi/asm-generic/errno-base.h), of an insertion when a hash is full. */
#define INGRAIN_NO_ROOM 7

/* The generation to count in, which a program asks for once. */
static __always_inline __u32 ingrain_generation(struct ingrain_table *table)
{
	return *(volatile __u32 *)&table->generation & 1;
}

/* Row n of this CPU and generation, of `stride`. */
static __always_inline __u64 *ingrain_row(void *rows, __u32 generation, __u32 stride, __u32 n)
{
	__u32 at = (bpf_get_smp_processor_id() * 2 + generation) * stride + n;

	return bpf_map_lookup_elem(rows, &at);
}

/*
 * The cells of a key, of this CPU: those that are there, or new ones, or the
 * overflow's when `most` keys have cells, or when an insertion is refused,
 * because an interrupt met the hash in the middle of another, say.
 *
 * Each generation has a call of its own, which is what the assembly is for, of
 * nothing but different numbers, that clang must not merge: a call whose map is
 * known is made directly.
 */
static __always_inline __u64 *ingrain_hash_cells(struct ingrain_table *table, void *even, void *odd, void *over,
						 __u32 stride, const void *key, const void *zeros)
{
	__u32 generation = ingrain_generation(table);
	__u64 *cells;
	void *map;
	long err;

	if (generation) {
		cells = bpf_map_lookup_elem(odd, key);
		asm volatile("" : : "i"(1));
	} else {
		cells = bpf_map_lookup_elem(even, key);
		asm volatile("" : : "i"(0));
	}
	if (cells)
		return cells;
	if (*(volatile __u64 *)&table->keys[generation] >= table->most)
		return ingrain_row(over, generation, stride, 0);
	map = generation ? odd : even;
	err = bpf_map_update_elem(map, key, zeros, BPF_NOEXIST);
	if (!err)
		__sync_fetch_and_add(&table->keys[generation], 1);
	cells = bpf_map_lookup_elem(map, key); /* also when another program has inserted it meanwhile */
	if (cells)
		return cells;
	if (err != -INGRAIN_NO_ROOM) /* no room: who inserted the last key has not counted it yet */
		__sync_fetch_and_add(&table->refused, 1);
	return ingrain_row(over, generation, stride, 0);
}

/* The cells of key n of `keys`, of this CPU, or the overflow's. */
static __always_inline __u64 *ingrain_dense_cells(struct ingrain_table *table, void *rows, __u32 stride, __u64 n, __u32 keys)
{
	return ingrain_row(rows, ingrain_generation(table), stride, n < keys ? n : keys);
}

/* Appends a digit of so many to a dense key's number; one that cannot be makes it larger than any. */
static __always_inline __u64 ingrain_digit(__u64 n, __u64 digit, __u64 many)
{
	return n < 1 << 16 && digit < many ? n * many + digit : 1 << 20;
}

#define INGRAIN_HASH_CELLS(table, key)                                                                  \
	ingrain_hash_cells(&ingrain_shared_##table, &ingrain_even_##table, &ingrain_odd_##table,        \
			   &ingrain_over_##table, ingrain_stride(0, ingrain_words(ingrain_over_##table)), \
			   key, (const void *)ingrain_zeros_##table)
#define INGRAIN_DENSE_CELLS(table, n, keys)                                     \
	ingrain_dense_cells(&ingrain_shared_##table, &ingrain_rows_##table,     \
			    ingrain_stride(keys, ingrain_words(ingrain_rows_##table)), n, keys)

/*
 * ---- cells ----
 *
 * Programs that interrupt or preempt one another may count in a cell at the
 * same time, also on one CPU: that takes locked instructions, some 5 ns each.
 * Not so when only one program counts in the table, and the kernel does not
 * run that when it runs on this CPU already. The loader knows, and says so in
 * INGRAIN_ALONE, constant to the verifier.
 */
#define INGRAIN_ALONE(table) ingrain_alone_##table

static __always_inline void ingrain_cell_add(bool alone, __u64 *cell, __u64 n)
{
	if (alone)
		*(volatile __u64 *)cell += n;
	else
		__sync_fetch_and_add(cell, n);
}

/*
 * How often a cell is tried that changes between look and exchange. Only what
 * interrupts or preempts this program on this CPU comes between.
 */
#define INGRAIN_TRIES 4

/* Raises a cell to n. Without atomics that return the old value, what an interrupt stores between look and store is lost. */
static __always_inline void ingrain_cell_max(bool alone, __u64 *cell, __u64 n)
{
	__u64 was = *(volatile __u64 *)cell;

	if (alone || !ingrain_agent.atomics) {
		if (was < n)
			*(volatile __u64 *)cell = n;
		return;
	}
#pragma unroll
	for (int i = 0; i < INGRAIN_TRIES; i++) {
		__u64 seen;

		if (was >= n)
			return;
		seen = __sync_val_compare_and_swap(cell, was, n);
		if (seen == was)
			return;
		was = seen;
	}
}

/* Numbers that compare, without a sign, as those do. */
static __always_inline __u64 ingrain_ordered_u(__u64 n) { return n; }
static __always_inline __u64 ingrain_ordered_s(__s64 n) { return (__u64)n ^ 1ULL << 63; }

/*
 * The time of the latest event, and its value. Who has raised the time may
 * write the value, unless another has done so in between, who is later. Of
 * events that interrupt one another any may be the latest: without atomics
 * that return the old value, and when the later one's value is the one that
 * was there before.
 */
static __always_inline void ingrain_cell_last_at(bool alone, __u64 *cells, __u64 now, __u64 n)
{
	volatile __u64 *time = &cells[0], *value = &cells[1];
	__u64 was = *value, before = *time;

	if (before > now)
		return;
	if (alone || !ingrain_agent.atomics) {
		*time = now;
		*value = n;
		return;
	}
	if (__sync_val_compare_and_swap(&cells[0], before, now) == before)
		__sync_val_compare_and_swap(&cells[1], was, n);
}

static __always_inline void ingrain_cell_last(bool alone, __u64 *cells, __u64 n)
{
	ingrain_cell_last_at(alone, cells, bpf_ktime_get_ns(), n);
}

/* ---- histograms: which bucket a number is in. Branches of a number's own are few, because verifiers follow each of them ---- */

/* Counts in one bucket of so many. */
#define INGRAIN_BUCKET(alone, cells, buckets, n)                      \
	({                                                            \
		__u64 bucket = (n);                                   \
		ingrain_keep(bucket);                                 \
		if (bucket < (buckets))                               \
			ingrain_cell_add(alone, &(cells)[bucket], 1); \
	})

/* The place of the highest bit of a number whose lower bits are all set, by its product with a de Bruijn sequence. */
static const __u8 ingrain_highest[64] = {
	0,  47, 1,  56, 48, 27, 2,  60, 57, 49, 41, 37, 28, 16, 3,  61, 54, 58, 35, 52, 50, 42,
	21, 44, 38, 32, 29, 23, 17, 11, 4,  62, 46, 55, 26, 59, 40, 36, 15, 53, 34, 51, 20, 43,
	31, 22, 10, 45, 25, 39, 14, 33, 19, 30, 9,  24, 13, 18, 8,  12, 7,  6,  5,  63,
};

/* How many bits a number has: 0 for 0, k for 2^(k-1) and above. */
static __always_inline __u64 ingrain_length(__u64 n)
{
	n |= n >> 1;
	n |= n >> 2;
	n |= n >> 4;
	n |= n >> 8;
	n |= n >> 16;
	n |= n >> 32;
	return ingrain_highest[n * 0x03f79d71b4cb0a89 >> 58] + (n & 1);
}

static __always_inline __u64 ingrain_exp2_u(__u64 n) { return ingrain_length(n); }

static __always_inline __u64 ingrain_exp2_s(__s64 n)
{
	__u64 negative = n >> 63; /* all bits, or none */

	ingrain_keep(negative);
	return ingrain_length(n & ~negative);
}

static __always_inline __u64 ingrain_linear(__u64 distance, __u64 width, __u64 buckets)
{
	__u64 n = distance / width;

	return n < buckets ? n + 1 : buckets + 1;
}

static __always_inline __u64 ingrain_linear_u(__u64 n, __u64 start, __u64 width, __u64 buckets)
{
	return n < start ? 0 : ingrain_linear(n - start, width, buckets);
}

/* The distance is right in 64 bits, whatever the signs. */
static __always_inline __u64 ingrain_linear_s(__s64 n, __s64 start, __u64 width, __u64 buckets)
{
	return n < start ? 0 : ingrain_linear((__u64)n - (__u64)start, width, buckets);
}

#endif
