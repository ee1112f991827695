/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What it costs to count, in tables and in other ways: each program counts many times. Needs bpf_loop (5.17). */
#include "ingrain.h"

#define INGRAIN_EVENTS 1
#define INGRAIN_PROBES 1
#include "grain.h"
#include "table.h"

#define TURNS 100000
#define KEYS 64

struct comm {
	__u64 word[2];
};

INGRAIN_TABLE_HASH(by_comm, struct comm, 1024, 1);
INGRAIN_TABLE_HASH(by_number, __u64, 1024, 1);
INGRAIN_TABLE_DENSE(dense, KEYS, 1);
INGRAIN_TABLE_DENSE(cells, KEYS, 80);
INGRAIN_TABLE_HASH(series, __u64, 10000, 1);

/* As one writes it without a generator. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct comm);
	__type(value, __u64);
} naive_comms SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, __u64);
} naive_numbers SEC(".maps");

/* Generations behind arrays of maps, as another design would have them. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct {
		__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
		__uint(max_entries, 1024);
		__type(key, struct comm);
		__type(value, __u64);
	});
} nested_comms SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct {
		__uint(type, BPF_MAP_TYPE_ARRAY);
		__uint(max_entries, 4096);
		__type(key, __u32);
		__type(value, __u64);
		__uint(map_flags, BPF_F_MMAPABLE);
	});
} nested_rows SEC(".maps");

static long (*const loop)(__u32 turns, void *turn, void *context, __u64 flags) = (void *)181; /* bpf_loop */

#define COST(name, body)                                          \
	static long turn_##name(__u32 i, void *context)           \
	{                                                         \
		body;                                             \
		return 0;                                         \
	}                                                         \
	SEC("raw_tp")                                             \
	int name(void *ctx)                                       \
	{                                                         \
		loop(TURNS, turn_##name, NULL, 0);                \
		return 0;                                         \
	}

static __always_inline void naive(void *map, void *key)
{
	__u64 one = 1, *n = bpf_map_lookup_elem(map, key);

	if (n)
		++*n;
	else
		bpf_map_update_elem(map, key, &one, BPF_NOEXIST);
}

static __always_inline void *nested(void *outer)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(outer, &zero);
}

/* For a program that is the only one to count in its table, and for one of many. */
static __always_inline void add(__u64 *cells)
{
	if (cells)
		ingrain_cell_add(true, cells, 1);
}

static __always_inline void add_locked(__u64 *cells)
{
	if (cells)
		ingrain_cell_add(false, cells, 1);
}

static __always_inline void comm_of_task(struct comm *k)
{
	struct task_struct *task = bpf_get_current_task_btf();

	k->word[0] = *(__u64 *)&task->comm[0];
	k->word[1] = *(__u64 *)&task->comm[8];
}

COST(nothing, asm volatile(""))
COST(comm_naive, ({ struct comm k; bpf_get_current_comm(&k, sizeof(k)); naive(&naive_comms, &k); }))
COST(comm_naive_direct, ({ struct comm k; comm_of_task(&k); naive(&naive_comms, &k); }))
COST(comm_table, ({ struct comm k; comm_of_task(&k); add(INGRAIN_HASH_CELLS(by_comm, &k)); }))
COST(comm_nested, ({
	struct comm k;
	void *map = nested(&nested_comms);
	comm_of_task(&k);
	if (map) {
		__u64 none = 0, *cells = bpf_map_lookup_elem(map, &k);
		if (cells)
			ingrain_cell_add(true, cells, 1);
		else
			bpf_map_update_elem(map, &k, &none, BPF_NOEXIST);
	}
}))
COST(number_naive, ({ __u32 k = i & (KEYS - 1); naive(&naive_numbers, &k); }))
COST(number_table, ({ __u64 k = i & (KEYS - 1); add(INGRAIN_HASH_CELLS(by_number, &k)); }))
COST(comm_table_locked, ({ struct comm k; comm_of_task(&k); add_locked(INGRAIN_HASH_CELLS(by_comm, &k)); }))
COST(number_dense_locked, add_locked(INGRAIN_DENSE_CELLS(dense, i & (KEYS - 1), KEYS)))
COST(number_dense, add(INGRAIN_DENSE_CELLS(dense, i & (KEYS - 1), KEYS)))
COST(number_nested, ({
	__u32 k = bpf_get_smp_processor_id() * KEYS + (i & (KEYS - 1));
	void *map = nested(&nested_rows);
	if (map)
		add(bpf_map_lookup_elem(map, &k));
}))

/* Cells, each beside word 0 of the same row: of a table with one program, and of one with many. */
#define CELL(name, body)                   \
	COST(name, EVENT(true, body))      \
	COST(name##_locked, EVENT(false, body))
#define EVENT(how, body)                                                       \
	({                                                                     \
		const bool alone = how;                                        \
		__u64 *cells = INGRAIN_DENSE_CELLS(cells, i & (KEYS - 1), KEYS); \
		__u64 x = (__u64)i * 0x9e3779b97f4a7c15 >> (i & 63);           \
		if (cells) {                                                   \
			ingrain_cell_add(alone, cells, x);                     \
			body;                                                  \
		}                                                              \
	})

static __always_inline __u32 steps(__u64 n)
{
	__u32 length = 0;

	if (n >> 32) { n >>= 32; length += 32; }
	if (n >> 16) { n >>= 16; length += 16; }
	if (n >> 8) { n >>= 8; length += 8; }
	if (n >> 4) { n >>= 4; length += 4; }
	if (n >> 2) { n >>= 2; length += 2; }
	if (n >> 1) { n >>= 1; length += 1; }
	return length + (__u32)n;
}

CELL(cell_none, ({ }))
CELL(cell_add, ingrain_cell_add(alone, cells + 1, x))
CELL(cell_max, ingrain_cell_max(alone, cells + 1, x))
CELL(cell_last, ingrain_cell_last(alone, cells + 1, x))
CELL(cell_exp2, INGRAIN_BUCKET(alone, cells + 1, 65, ingrain_exp2_u(x)))
CELL(cell_exp2_branches, INGRAIN_BUCKET(alone, cells + 1, 65, steps(x)))
CELL(cell_linear, INGRAIN_BUCKET(alone, cells + 1, 12, ingrain_linear_u(x, 1000, 300, 10)))
CELL(cell_buckets, INGRAIN_BUCKET(alone, cells + 1, 9, (x > 10) + (x > 100) + (x > 1000) + (x > 10000) + (x > 100000) + (x > 1000000) + (x > 10000000) + (x > 100000000)))

/* Fills the table of 10,000 series, and one like it. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 10000);
	__type(key, __u64);
	__type(value, __u64);
} naive_series SEC(".maps");

INGRAIN_TABLE_DENSE(dense_series, 10000, 1);

static long turn_fill(__u32 i, void *context)
{
	__u64 k = i;

	add(INGRAIN_HASH_CELLS(series, &k));
	add(INGRAIN_DENSE_CELLS(dense_series, k, 10000));
	naive(&naive_series, &k);
	return 0;
}

SEC("raw_tp")
int fill(void *ctx)
{
	loop(10000, turn_fill, NULL, 0);
	return 0;
}
