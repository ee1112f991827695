/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Counts in tables as grains do, from tasks and from interrupts, events that a test makes. */
#include "ingrain.h"

#define INGRAIN_EVENTS 1
#define INGRAIN_PROBES 1
#include "grain.h"
#include "table.h"

struct __sk_buff;

/* An event as the test makes it. */
struct happening {
	__u64 key;
	__u64 value;
};

/* The cells of the first three tables: every kind, signed and not. */
enum {
	EVENTS,
	SUM,
	MAX,
	MIN,
	LAST,
	EXP2 = LAST + 2,
	EXP2_SIGNED = EXP2 + 65,
	LINEAR = EXP2_SIGNED + 65,
	LINEAR_SIGNED = LINEAR + 10 + 2,
	BUCKETS = LINEAR_SIGNED + 10 + 2,
	BUCKETS_SIGNED = BUCKETS + 5,
	WORDS = BUCKETS_SIGNED + 5,
};

#define KEYS 64
#define MANY 1000

INGRAIN_TABLE_HASH(mixed, struct happening, KEYS, WORDS);
INGRAIN_TABLE_DENSE(small, KEYS, WORDS);
INGRAIN_TABLE_DENSE(all, 1, WORDS);
INGRAIN_TABLE_HASH(many, __u64, MANY, 2);
INGRAIN_TABLE_HASH(peaks, __u64, MANY, 2);

/* What a program has counted for itself that runs nobody else knows how often. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, KEYS);
	__type(key, __u32);
	__type(value, struct happening);
} truth SEC(".maps");

/*
 * How often from_task ran, for each thread: where programs can be preempted,
 * the kernel does not run one that runs on that CPU already.
 */
__u64 ran[16] SEC(".data.ran");

const volatile pid_t tgid;
const volatile int call; /* the number of the system call whose arguments are an event */

static __always_inline void count(bool alone, __u64 *cells, __u64 x)
{
	if (!cells)
		return;
	ingrain_cell_add(alone, &cells[EVENTS], 1);
	ingrain_cell_add(alone, &cells[SUM], x);
	ingrain_cell_max(alone, &cells[MAX], ingrain_ordered_u(x));
	ingrain_cell_max(alone, &cells[MIN], ~ingrain_ordered_s(x));
	ingrain_cell_last(alone, &cells[LAST], x);
	INGRAIN_BUCKET(alone, &cells[EXP2], 65, ingrain_exp2_u(x));
	INGRAIN_BUCKET(alone, &cells[EXP2_SIGNED], 65, ingrain_exp2_s(x));
	INGRAIN_BUCKET(alone, &cells[LINEAR], 12, ingrain_linear_u(x, 1000, 300, 10));
	INGRAIN_BUCKET(alone, &cells[LINEAR_SIGNED], 12, ingrain_linear_s(x, -1000, 300, 10));
	INGRAIN_BUCKET(alone, &cells[BUCKETS], 5, (x > 0) + (x > 10) + (x > 5000) + (x > 1ULL << 63));
	{
		__s64 s = x;

		INGRAIN_BUCKET(alone, &cells[BUCKETS_SIGNED], 5, (s > -5000) + (s > -1) + (s > 10) + (s > 1LL << 62));
	}
}

/* Counts an event three times. The hash's key has a second word. */
static __always_inline void happened(__u64 key, __u64 value)
{
	struct happening k = {.key = key, .value = ~key};

	count(INGRAIN_ALONE(mixed), INGRAIN_HASH_CELLS(mixed, &k), value);
	count(INGRAIN_ALONE(small), INGRAIN_DENSE_CELLS(small, key, KEYS), value);
	count(INGRAIN_ALONE(all), INGRAIN_DENSE_CELLS(all, 0, 1), value);
}

/* Tasks: a system call. */
SEC("raw_tp/sys_enter")
int from_task(void *ctx)
{
	const struct pt_regs *regs = (const struct pt_regs *)ingrain_word(ctx, 0);

	if ((int)ingrain_word(ctx, 8) != call || bpf_get_current_pid_tgid() >> 32 != tgid)
		return 0;
	happened(ingrain_syscall_arg(regs, 0), ingrain_syscall_arg(regs, 1));
	ingrain_cell_add(false, &ran[ingrain_syscall_arg(regs, 2) & 15], 1);
	return 0;
}

/* Soft interrupts: a packet that arrives. Behind the UDP header stands the event. */
SEC("socket")
int from_packet(struct __sk_buff *skb)
{
	struct happening h;

	if (bpf_skb_load_bytes(skb, 8, &h, sizeof(h)))
		return 0;
	happened(h.key, h.value);
	return ~0;
}

/* Counts an event for itself, too. */
static __always_inline void happened_here(void)
{
	__u32 key = bpf_ktime_get_ns() >> 10 & (KEYS - 1);
	struct happening *h = bpf_map_lookup_elem(&truth, &key);
	__u64 value = 1 + (key & 7);

	if (!h)
		return;
	ingrain_cell_add(false, &h->key, 1);
	ingrain_cell_add(false, &h->value, value);
	happened(key, value);
}

/* Hard interrupts, or non-maskable ones: a timer, which meets the others in the middle. */
SEC("perf_event")
int from_timer(void *ctx)
{
	happened_here();
	return 0;
}

/* Tasks, and interrupts in the middle of them: memory is allocated and freed. */
SEC("raw_tp/kmem_cache_alloc")
int from_anywhere(void *ctx)
{
	happened_here();
	return 0;
}

/* Ever new keys: the event's, and how often its value came before. */
__u64 serials[2] SEC(".data.serials");

SEC("socket")
int attack(struct __sk_buff *skb)
{
	__u64 key, *cells;
	struct happening h;

	if (bpf_skb_load_bytes(skb, 8, &h, sizeof(h)))
		return 0;
	key = h.key + (h.value ? serials[1]++ : serials[0]++); /* each is of one CPU */
	cells = INGRAIN_HASH_CELLS(many, &key);
	if (!cells)
		return 0;
	ingrain_cell_add(INGRAIN_ALONE(many), &cells[0], 1);
	ingrain_cell_add(INGRAIN_ALONE(many), &cells[1], key);
	return 0;
}

/* Takes long between finding its cells and counting in them. */
SEC("socket")
int linger(struct __sk_buff *skb)
{
	__u64 key = 0, time = 0, *cells = INGRAIN_HASH_CELLS(many, &key);

	for (int i = 0; i < 4000; i++)
		time += bpf_ktime_get_ns();
	ingrain_keep(time);
	if (cells)
		ingrain_cell_add(false, &cells[0], 1);
	return 0;
}

/* A task's keys are all new, each with one event of a small value. */
#define PEAK (1ULL << 60)

struct {
	__u64 key;    /* the task's latest */
	__u64 timers; /* events of timers */
} turn SEC(".data.turn");

static __always_inline void peak(__u64 key, __u64 value)
{
	__u64 *cells = INGRAIN_HASH_CELLS(peaks, &key);

	if (!cells)
		return;
	ingrain_cell_add(false, &cells[0], 1);
	ingrain_cell_max(false, &cells[1], value);
}

SEC("socket")
int peak_of_task(struct __sk_buff *skb)
{
	__u64 key = ++*(volatile __u64 *)&turn.key;

	peak(key, key);
	return 0;
}

/* A timer meets the task on its way to the same cells. */
SEC("perf_event")
int peak_of_timer(void *ctx)
{
	turn.timers++;
	peak(*(volatile __u64 *)&turn.key, PEAK);
	return 0;
}
